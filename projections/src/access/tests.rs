use playhead_domain::device_code::{self, DeviceCodeApproved, DeviceCodeRequested};
use playhead_domain::devices::{self, DeviceKind, DeviceRegistered, DeviceRemoved, DeviceRenamed};
use playhead_domain::identity::{self, *};
use playhead_domain::sign_in::{
    self, EndReason, Method, SignInBegan, SignInEnded, SignInRefreshed,
};
use playhead_domain::{DeviceCodeKey, DeviceId, EmailKey, Personal, SecretHash, SignInId};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::testing::{Sitting, TestLog, TestStore, account, erased, prepare_all, sitting};

fn device(number: u64) -> DeviceId {
    DeviceId(Uuid::from_u64_pair(5, number))
}

fn sign_in(number: u64) -> SignInId {
    SignInId(Uuid::from_u64_pair(6, number))
}

fn hash(number: u8) -> SecretHash {
    SecretHash([number; 32])
}

async fn register(log: &TestLog, of: u64) {
    let account_id = account(of);
    let registered = AccountRegistered {
        account_id,
        email: Personal::Known("somebody@example.org".to_owned()),
        email_key: EmailKey([1; 32]),
        password_hash: None,
        verification_hash: hash(1),
        verification_expires_at_ms: 9,
        at_ms: 1,
    };
    log.identity(account_id, identity::Event::Registered(registered)).await;
}

async fn verify(log: &TestLog, of: u64) {
    let verified = EmailVerified { account_id: account(of), at_ms: 2 };
    log.identity(account(of), identity::Event::EmailVerified(verified)).await;
}

async fn void(log: &TestLog, of: u64, at_ms: i64) {
    let event = SignedOutEverywhere { account_id: account(of), at_ms };
    log.identity(account(of), identity::Event::SignedOutEverywhere(event)).await;
}

async fn suspend(log: &TestLog, of: u64, at_ms: i64) {
    let reason = Personal::Known("fraud".to_owned());
    let event = AccountSuspended { account_id: account(of), reason, at_ms };
    log.identity(account(of), identity::Event::Suspended(event)).await;
}

async fn begin(log: &TestLog, of: u64, number: u64, at_ms: i64) {
    let began = SignInBegan {
        account_id: account(of),
        sign_in_id: sign_in(number),
        device_id: device(number),
        method: Method::Password,
        refresh_hash: hash(2),
        at_ms,
    };
    log.sign_in(account(of), sign_in::Event::Began(began)).await;
}

async fn refresh(log: &TestLog, of: u64, number: u64, at_ms: i64) {
    let (account_id, sign_in_id) = (account(of), sign_in(number));
    let refreshed =
        SignInRefreshed { account_id, sign_in_id, generation: 2, refresh_hash: hash(3), at_ms };
    log.sign_in(account_id, sign_in::Event::Refreshed(refreshed)).await;
}

async fn end(log: &TestLog, of: u64, number: u64, at_ms: i64) {
    let (account_id, sign_in_id) = (account(of), sign_in(number));
    let ended = SignInEnded { account_id, sign_in_id, reason: EndReason::Reuse, at_ms };
    log.sign_in(account_id, sign_in::Event::Ended(ended)).await;
}

async fn join(log: &TestLog, of: u64, number: u64) {
    let registered = DeviceRegistered {
        account_id: account(of),
        device_id: device(number),
        name: Personal::Known("TV".to_owned()),
        kind: DeviceKind::Tv,
        at_ms: 3,
    };
    log.devices(account(of), devices::Event::Registered(registered)).await;
}

async fn rename(log: &TestLog, of: u64, number: u64) {
    let (account_id, device_id) = (account(of), device(number));
    let name = Personal::Known("Big TV".to_owned());
    let renamed = DeviceRenamed { account_id, device_id, name, at_ms: 4 };
    log.devices(account_id, devices::Event::Renamed(renamed)).await;
}

async fn leave(log: &TestLog, of: u64, number: u64, at_ms: i64) {
    let (account_id, device_id) = (account(of), device(number));
    let removed = DeviceRemoved { account_id, device_id, at_ms };
    log.devices(account_id, devices::Event::Removed(removed)).await;
}

async fn ask(log: &TestLog, number: u8, user_code: u8, at_ms: i64) {
    let device_code_key = DeviceCodeKey([number; 32]);
    let asked = DeviceCodeRequested {
        device_code_key,
        user_code_hash: hash(user_code),
        device_id: None,
        kind: DeviceKind::Tv,
        expires_at_ms: at_ms + 100,
        interval_ms: 5_000,
        at_ms,
    };
    log.device_code(device_code_key, device_code::Event::Requested(asked)).await;
}

async fn approve(log: &TestLog, number: u8) {
    let device_code_key = DeviceCodeKey([number; 32]);
    let approved = DeviceCodeApproved { device_code_key, account_id: account(1), at_ms: 50 };
    log.device_code(device_code_key, device_code::Event::Approved(approved)).await;
}

async fn access(log: &TestLog, now_ms: i64) -> (Access, TestStore<Changes>) {
    let store = TestStore::new().await;
    let access = Access::over(store.store.clone(), now_ms).await.unwrap();
    access.apply(&log.all().await).await.unwrap();
    (access, store)
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let all = [tables::statements(), queries::statements(), voided::statements()].concat();
    prepare_all::<Changes>([all, crate::erasure::statements()].concat()).await;
}

#[tokio::test]
async fn an_account_stands_as_was_last_said() {
    let log = TestLog::new();
    let account_id = account(1);
    assert_eq!(access(&log, 0).await.0.account(account_id).await.unwrap(), None);
    register(&log, 1).await;
    let granted = RoleGranted { account_id, role: Role::Auditor, at_ms: 3 };
    let suspended =
        AccountSuspended { account_id, reason: Personal::Known("spam".to_owned()), at_ms: 40 };
    let steps = [
        (None, Status::PendingVerification),
        (
            Some(identity::Event::EmailVerified(EmailVerified { account_id, at_ms: 2 })),
            Status::Active,
        ),
        (Some(identity::Event::RoleGranted(granted)), Status::Active),
        (Some(identity::Event::Suspended(suspended)), Status::Suspended),
        (
            Some(identity::Event::Reinstated(AccountReinstated { account_id, at_ms: 50 })),
            Status::Active,
        ),
        (
            Some(identity::Event::Cancelled(AccountCancelled { account_id, at_ms: 60 })),
            Status::Cancelled,
        ),
    ];
    for (event, expected) in steps {
        if let Some(event) = event {
            log.identity(account_id, event).await;
        }
        let row = access(&log, 0).await.0.account(account_id).await.unwrap().unwrap();
        assert_eq!(row.status, expected);
    }
    let row = access(&log, 0).await.0.account(account_id).await.unwrap().unwrap();
    assert_eq!(row.roles, [Role::Viewer, Role::Auditor].into());
    assert_eq!(row.signed_in_from_ms, 60);
    log.identity(account_id, erased(account_id)).await;
    let row = access(&log, 0).await.0.account(account_id).await.unwrap().unwrap();
    assert_eq!((row.status, row.roles.len()), (Status::Erased, 0));
}

#[tokio::test]
async fn sign_ins_are_listed_newest_first_with_why_they_ended() {
    let log = TestLog::new();
    register(&log, 1).await;
    for (number, at_ms) in [(1, 10), (2, 20), (3, 30), (4, 40)] {
        join(&log, 1, number).await;
        begin(&log, 1, number, at_ms).await;
    }
    refresh(&log, 1, 4, 45).await;
    end(&log, 1, 2, 50).await;
    refresh(&log, 1, 2, 51).await;
    leave(&log, 1, 3, 60).await;
    void(&log, 1, 15).await;
    let (access, _store) = access(&log, 0).await;
    let mut found = Vec::new();
    for _ in 0..4 {
        let after = found.last().map(SignInRow::key);
        found.extend(access.sign_ins(account(1), after.as_ref(), 1).await.unwrap());
    }
    let shown: Vec<_> =
        found.iter().map(|it| (it.sign_in_id, it.refreshed_at_ms, it.ended)).collect();
    let expected = [
        (sign_in(4), 45, None),
        (sign_in(3), 30, Some((EndReason::DeviceRemoved, 60))),
        (sign_in(2), 20, Some((EndReason::Reuse, 50))),
        (sign_in(1), 10, Some((EndReason::Void, 15))),
    ];
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn devices_are_listed_until_they_leave() {
    let log = TestLog::new();
    for number in [1, 2, 3] {
        join(&log, 1, number).await;
    }
    rename(&log, 1, 2).await;
    leave(&log, 1, 3, 9).await;
    rename(&log, 1, 3).await;
    let (access, store) = access(&log, 0).await;
    let devices = access.devices(account(1)).await.unwrap();
    let shown: Vec<_> = devices.iter().map(|it| (it.device_id, it.name.as_deref())).collect();
    assert_eq!(shown, [(device(1), Some("TV")), (device(2), Some("Big TV"))]);
    assert_eq!(store.lines().await.iter().filter(|line| line.contains("TV")).count(), 2);
}

#[tokio::test]
async fn a_token_is_void_once_what_it_stands_on_has_ended() {
    let log = TestLog::new();
    let (access, store) = access(&log, 0).await;
    let valid = |access: &Access, of: u64, number: u64, at_ms: i64| {
        access.token_valid(account(of), sign_in(number), device(number), at_ms)
    };
    assert!((1..=4).all(|number| valid(&access, 1, number, 10)));
    for number in 1..=4 {
        join(&log, 1, number).await;
    }
    begin(&log, 1, 1, 10).await;
    end(&log, 1, 1, 20).await;
    leave(&log, 1, 2, 30).await;
    void(&log, 2, 40).await;
    log.identity(account(3), erased(account(3))).await;
    let mut seen = vec![access.clone()];
    access.apply(&log.all().await).await.unwrap();
    seen.push(Access::over(store.store.clone(), 100).await.unwrap());
    for access in &seen {
        assert!(!valid(access, 1, 1, 10), "its sign-in ended");
        assert!(!valid(access, 1, 2, 10), "its device left");
        assert!(valid(access, 1, 3, 10), "nothing happened to it");
        assert!(!valid(access, 2, 4, 39) && valid(access, 2, 4, 40), "signed out everywhere");
        assert!(!valid(access, 3, 4, -1), "erased");
    }
    let later_ms = 100 + PLAYBACK_REMEMBERED_MS;
    let later = Access::over(store.store.clone(), later_ms).await.unwrap();
    seen.iter().for_each(|access| access.forget_old(later_ms));
    for access in seen.iter().chain([&later]) {
        assert_eq!(access.voided.len(), 0, "no token is so old");
    }
}

#[tokio::test]
async fn whose_device_left_or_whose_account_was_closed_plays_no_longer() {
    let log = TestLog::new();
    let (access, store) = access(&log, 0).await;
    for number in 1..=2 {
        join(&log, 1, number).await;
    }
    leave(&log, 1, 2, 30).await;
    void(&log, 1, 40).await;
    for of in [2, 5] {
        register(&log, of).await;
        suspend(&log, of, 50).await;
    }
    log.identity(account(3), erased(account(3))).await;
    let mut seen = vec![access.clone()];
    access.apply(&log.all().await).await.unwrap();
    seen.push(Access::over(store.store.clone(), 100 + REMEMBERED_MS).await.unwrap());
    seen.iter().for_each(|access| access.forget_old(100 + REMEMBERED_MS));
    for access in &seen {
        let may = |of, number, began_ms| access.may_play(account(of), number, began_ms);
        assert!(may(1, Some(device(1)), 10), "that passwords change stops nobody");
        assert!(!may(1, Some(device(2)), 10), "its device left");
        assert!(may(1, None, 10), "a token of before tokens named devices");
        assert!(!may(2, Some(device(4)), 50) && !may(2, None, 49), "suspended");
        assert!(may(2, None, 51), "it began after a suspension that is over");
        assert!(!may(3, Some(device(1)), -1), "erased");
        assert!(may(4, Some(device(2)), 10), "unknown");
    }
}

#[tokio::test]
async fn a_user_code_finds_its_device_code_until_it_is_answered_or_expires() {
    let log = TestLog::new();
    ask(&log, 1, 10, 0).await;
    ask(&log, 2, 20, 0).await;
    ask(&log, 3, 30, 0).await;
    ask(&log, 4, 30, 0).await;
    approve(&log, 2).await;
    let (access, _store) = access(&log, 0).await;
    let found = access.device_code(hash(10), 99).await.unwrap().unwrap();
    assert_eq!((found.device_code_key, found.kind), (DeviceCodeKey([1; 32]), DeviceKind::Tv));
    for (user_code, now_ms, claim) in
        [(10, 100, "expired"), (20, 1, "answered"), (30, 1, "ambiguous"), (40, 1, "unknown")]
    {
        assert_eq!(access.device_code(hash(user_code), now_ms).await.unwrap(), None, "{claim}");
    }
}

#[tokio::test]
async fn expired_codes_do_not_pile_up() {
    let log = TestLog::new();
    for number in 0..200u8 {
        ask(&log, number, number, i64::from(number) * 1_000).await;
    }
    let (_access, store) = access(&log, 0).await;
    assert!(store.lines().await.len() <= 4, "one for each partition");
}

#[tokio::test]
async fn erasures_are_due_from_their_day_on_unless_withdrawn() {
    let log = TestLog::new();
    for of in [1, 2, 3] {
        let asked = ErasureRequested {
            account_id: account(of),
            due_at_ms: 100 - i64::try_from(of).unwrap(),
            at_ms: 1,
        };
        log.identity(account(of), identity::Event::ErasureRequested(asked)).await;
    }
    let withdrawn = ErasureWithdrawn { account_id: account(3), at_ms: 2 };
    log.identity(account(3), identity::Event::ErasureWithdrawn(withdrawn)).await;
    let (access, _store) = access(&log, 0).await;
    for (now_ms, limit, expected) in
        [(97, 9, vec![]), (98, 9, vec![2]), (99, 9, vec![2, 1]), (99, 1, vec![2])]
    {
        let due = access.due_erasures(now_ms, limit).await.unwrap();
        let due: Vec<_> = due.iter().map(|it| it.account_id).collect();
        assert_eq!(due, expected.into_iter().map(account).collect::<Vec<_>>(), "{now_ms}");
    }
}

#[tokio::test]
async fn whoever_was_erased_is_listed_in_the_order_of_ids() {
    let log = TestLog::new();
    for of in [3, 1, 2] {
        register(&log, of).await;
    }
    for of in [3, 1] {
        log.identity(account(of), erased(account(of))).await;
    }
    let (access, _store) = access(&log, 0).await;
    assert_eq!(access.erased_accounts(None, 9).await.unwrap(), [account(1), account(3)]);
    assert_eq!(access.erased_accounts(None, 1).await.unwrap(), [account(1)]);
    assert_eq!(access.erased_accounts(Some(account(1)), 9).await.unwrap(), [account(3)]);
}

#[tokio::test]
async fn accounts_with_sessions_that_began_long_enough_ago_may_have_silent_ones() {
    let log = TestLog::new();
    let seat = |of, began| Sitting { account: of, profile: of, ..sitting(1, began) };
    for (of, began) in [(1, 1), (1, 2), (2, 3), (3, 4), (4, 90)] {
        log.playback(seat(of, began).started()).await;
    }
    log.playback(seat(2, 3).stopped()).await;
    let (access, _store) = access(&log, 0).await;
    let all = access.silent_candidates(80 * 60_000, None, 9).await.unwrap();
    assert_eq!(all, [account(1), account(3)]);
    let behind = access.silent_candidates(80 * 60_000, Some(account(1)), 9).await.unwrap();
    assert_eq!(behind, [account(3)]);
}

async fn happen(log: &TestLog, what: (u8, u64, u64)) {
    let (kind, of, number) = what;
    // A sign-in and a device belong to one account.
    let number = number * 2 + of;
    let at_ms = i64::try_from(number).unwrap() * 7;
    let code = u8::try_from(number).unwrap();
    match kind {
        0 => register(log, of).await,
        1 => verify(log, of).await,
        2 => void(log, of, at_ms).await,
        3 => begin(log, of, number, at_ms).await,
        4 => refresh(log, of, number, at_ms + 1).await,
        5 => end(log, of, number, at_ms + 2).await,
        6 => join(log, of, number).await,
        7 => rename(log, of, number).await,
        8 => leave(log, of, number, at_ms).await,
        9 => ask(log, code, code, at_ms * 10).await,
        10 => approve(log, code).await,
        11 => drop(
            log.playback(Sitting { account: of, profile: of, ..sitting(1, number) }.started())
                .await,
        ),
        12 => drop(
            log.playback(Sitting { account: of, profile: of, ..sitting(1, number) }.stopped())
                .await,
        ),
        _ => drop(log.identity(account(of), erased(account(of))).await),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn batches_and_interleavings_do_not_show(
        events in proptest::collection::vec((0u8..14, 1u64..3, 0u64..4), 0..80),
        schedule in proptest::collection::vec((0u16..4, 1usize..4), 0..20),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let log = TestLog::new();
            for event in events {
                happen(&log, event).await;
            }
            let whole = TestStore::<Changes>::new().await;
            whole.follow(&log, 1_000).await;
            let expected = whole.lines().await;
            for limit in [1, 7] {
                let store = TestStore::<Changes>::new().await;
                store.follow(&log, limit).await;
                assert_eq!(store.lines().await, expected, "batches of {limit}");
            }
            let store = TestStore::<Changes>::new().await;
            store.follow_schedule(&log, &schedule).await;
            assert_eq!(store.lines().await, expected, "scheduled");
        });
    }
}
