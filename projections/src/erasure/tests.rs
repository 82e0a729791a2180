use playhead_domain::devices::{self, DeviceKind, DeviceRegistered, DeviceRenamed};
use playhead_domain::playback::{self, PlaybackStarted};
use playhead_domain::{DeviceId, Personal};
use uuid::Uuid;

use crate::runtime::ReadModel;
use crate::store::Fold;
use crate::testing::{HOUR_MS, Sitting, TestLog, TestStore, account, erased, is_in_files, sitting};
use crate::{access, continue_watching};

const CANARIES: [&str; 4] =
    ["Canary of the sofa", "Canary of the kitchen", "Canary of the train", "Canary that is broken"];

fn name(canary: usize, of: u64) -> Personal<String> {
    Personal::Known(format!("{} {of}", CANARIES[canary]))
}

/// Everything of an account that a read model may hold. Long enough that pages split.
async fn live(log: &TestLog, of: u64) {
    let account_id = account(of);
    for number in 0..40u64 {
        let device_id = DeviceId(Uuid::from_u64_pair(7 + of, number));
        let (kind, at_ms) = (DeviceKind::Tv, 5);
        let registered = DeviceRegistered { account_id, device_id, name: name(0, of), kind, at_ms };
        log.devices(account_id, devices::Event::Registered(registered)).await;
        let renamed = DeviceRenamed { account_id, device_id, name: name(1, of), at_ms };
        log.devices(account_id, devices::Event::Renamed(renamed)).await;
        let seat =
            Sitting { account: of, profile: of, ..sitting(1 + number % 7, of * 1_000 + number) };
        let playback::Event::Started(started) = seat.started() else { unreachable!() };
        let started = PlaybackStarted { device: name(2, of), ..started };
        log.playback(playback::Event::Started(started)).await;
        log.viewing(seat.at(1, HOUR_MS / 2)).await;
    }
    // Its error quotes what cannot be read, and what comes behind it waits.
    let broken = format!("{{\"at_ms\": \"{} {of}\"}}", CANARIES[3]);
    for category in ["playback", "identity"] {
        let event_type = if category == "identity" { "PasswordChanged" } else { "PlaybackStopped" };
        log.append_raw(&format!("{category}-{account_id}"), event_type, broken.as_bytes()).await;
    }
}

async fn is_forgotten<F: Fold>() {
    let log = TestLog::new();
    for of in [1, 2] {
        live(&log, of).await;
    }
    let store = TestStore::<F>::live().await;
    store.follow(&log, 50).await;
    let canary = |of: u64| CANARIES.map(|canary| format!("{canary} {of}"));
    let found = |of| canary(of).iter().filter(|it| is_in_files(store.dir(), it)).count();
    assert!(found(1) >= 2 && found(2) >= 2, "{}", F::NAME);

    log.identity(account(1), erased(account(1))).await;
    store.follow(&log, 50).await;
    store.store.scrub().await.unwrap();
    assert_eq!(found(1), 0, "{}", F::NAME);
    assert!(found(2) >= 2, "{}", F::NAME);
    let parked = store.store.parked().await.unwrap();
    assert!(parked.iter().all(|it| !super::is_of(&it.stream, account(1))), "{parked:?}");

    let lines = store.lines().await;
    for limit in [1, 7, usize::MAX] {
        let rebuilt = TestStore::<F>::new().await;
        rebuilt.follow(&log, limit).await;
        assert_eq!(rebuilt.lines().await, lines, "{}, batches of {limit}", F::NAME);
    }
}

#[tokio::test]
async fn nothing_of_an_erased_person_is_left_in_the_bytes_of_continue_watching() {
    is_forgotten::<continue_watching::Changes>().await;
}

#[tokio::test]
async fn nothing_of_an_erased_person_is_left_in_the_bytes_of_access() {
    is_forgotten::<access::Changes>().await;
}

#[tokio::test]
async fn what_was_erased_is_folded_and_not_parked() {
    let log = TestLog::new();
    let playback::Event::Started(started) = sitting(1, 1).started() else { unreachable!() };
    let started = PlaybackStarted { device: Personal::Erased, ..started };
    log.playback(playback::Event::Started(started)).await;
    let (account_id, device_id) = (account(1), DeviceId(Uuid::nil()));
    let (kind, at_ms) = (DeviceKind::Tv, 5);
    let registered =
        DeviceRegistered { account_id, device_id, name: Personal::Erased, kind, at_ms };
    log.devices(account_id, devices::Event::Registered(registered)).await;
    let watching = TestStore::<continue_watching::Changes>::new().await;
    let access = TestStore::<access::Changes>::new().await;
    watching.follow(&log, 9).await;
    access.follow(&log, 9).await;
    assert_eq!(watching.store.parked().await.unwrap(), []);
    assert_eq!(access.store.parked().await.unwrap(), []);
    assert_eq!((watching.lines().await.len(), access.lines().await.len()), (1, 2));
}
