//! Sessions of a household that start at once, fall silent, and end.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use playhead_commands::ExecuteError;
use playhead_commands::people::{NewDevice, PlaybackWish, PortError};
use playhead_commands::playback::{Ended, How, LastSeen, Standing, StartError, Started};
use playhead_domain::availability::Availability;
use playhead_domain::devices::DeviceKind;
use playhead_domain::playback::{self, Command, Refusal, SILENCE_MAX_MS};
use playhead_domain::{Personal, Plan, SessionId, TitleId};

use super::playing::Home;
use crate::{NOW_MS, id};

/// Knows when every session was last heard of, or fails.
struct Heard(Option<i64>);

#[async_trait]
impl LastSeen for Heard {
    async fn last_seen(
        &self,
        sessions: &[SessionId],
    ) -> Result<BTreeMap<SessionId, i64>, PortError> {
        let at_ms = self.0.ok_or("out of order")?;
        Ok(sessions.iter().map(|session| (*session, at_ms)).collect())
    }
}

/// Everything was heard of when the tests begin.
const HEARD: Heard = Heard(Some(NOW_MS));

/// A household in which everybody plays on one device, so that only streams are scarce.
async fn home(plan: Plan) -> (Home, NewDevice) {
    let home = Home::new().await;
    home.subscribe(plan).await;
    let device_id = home.world.device();
    (home, NewDevice { device_id, name: "TV".into(), kind: DeviceKind::Tv })
}

impl Home {
    async fn play(
        &self,
        number: u128,
        device: &NewDevice,
        heard: &Heard,
    ) -> Result<Started, StartError> {
        let session_id = SessionId(id(number));
        let wish = PlaybackWish { session_id, device: device.clone(), ..self.wish() };
        self.world.people.start_playback(wish, heard, &self.world.context()).await
    }
}

fn refusal(outcome: Result<Started, StartError>) -> Refusal {
    match outcome {
        Err(StartError::Execute(ExecuteError::Refused(refusal))) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_racing_starts_exactly_as_many_win_as_the_plan_allows() {
    for (plan, limit) in [(Plan::Basic, 1), (Plan::Standard, 2), (Plan::Premium, 4)] {
        let (home, device) = home(plan).await;
        let home = Arc::new(home);
        let races: Vec<_> = (100..200)
            .map(|number| {
                let (home, device) = (Arc::clone(&home), device.clone());
                tokio::spawn(async move { home.play(number, &device, &HEARD).await })
            })
            .collect();
        let mut started = 0;
        for race in races {
            match race.await.unwrap() {
                Ok(_) => started += 1,
                refused => match refusal(refused) {
                    Refusal::TooManyStreams { limit: told, playing } => {
                        assert_eq!((told, playing.len()), (limit, limit));
                        assert!(playing.iter().all(|one| one.session.title_id == home.title_id));
                    }
                    other => panic!("{other}"),
                },
            }
        }
        assert_eq!(started, limit, "{plan:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn starts_that_are_refused_or_lose_a_race_take_no_room_of_a_device() {
    let (home, _) = home(Plan::Basic).await;
    let home = Arc::new(home);
    let races: Vec<_> = (100..120)
        .map(|number| {
            let home = Arc::clone(&home);
            let (device_id, kind) = (home.world.device(), DeviceKind::Tv);
            let device = NewDevice { device_id, name: format!("TV {number}"), kind };
            tokio::spawn(async move { home.play(number, &device, &HEARD).await.is_ok() })
        })
        .collect();
    let mut started = 0;
    for race in races {
        started += usize::from(race.await.unwrap());
    }
    assert_eq!(started, 1, "the plan has one stream");
    let devices = home.world.commands.devices.state(&home.account_id).await.unwrap();
    assert_eq!(devices.devices.len(), 1, "only the device that plays is registered");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_new_devices_exactly_as_many_play_and_register_as_the_plan_allows() {
    let (home, _) = home(Plan::Premium).await;
    let home = Arc::new(home);
    for number in 0..8 {
        let device_id = home.world.device();
        let device = NewDevice { device_id, name: format!("D{number}"), kind: DeviceKind::Tv };
        let people = &home.world.people;
        people.register_device(home.account_id, device, &home.world.context()).await.unwrap();
    }
    let races: Vec<_> = (100..104)
        .map(|number| {
            let home = Arc::clone(&home);
            let (device_id, kind) = (home.world.device(), DeviceKind::Tv);
            let device = NewDevice { device_id, name: format!("TV {number}"), kind };
            tokio::spawn(async move { home.play(number, &device, &HEARD).await.is_ok() })
        })
        .collect();
    let mut started = 0;
    for race in races {
        started += usize::from(race.await.unwrap());
    }
    assert_eq!(started, 2, "there was room for two devices");
    let devices = home.world.commands.devices.state(&home.account_id).await.unwrap();
    let playing = home.world.commands.playbacks.state(&home.account_id).await.unwrap();
    assert_eq!((devices.devices.len(), playing.running.len()), (10, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_keeps_of_a_title_is_never_out_of_date() {
    use playhead_domain::title::{By, Command::Schedule};
    let (home, _) = home(Plan::Basic).await;
    let home = Arc::new(home);
    let codes =
        ["AT", "BE", "CH", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IT", "NL", "NO", "PL"];
    let races = codes.map(|code| {
        let home = Arc::clone(&home);
        tokio::spawn(async move {
            let title_id = home.title_id;
            let block = |state: &playhead_domain::title::State| {
                let before = state.listing().and_then(|listing| listing.availability.clone());
                let mut availability = before.unwrap_or_else(Availability::everywhere);
                availability.blocked_territories.push(code.parse().unwrap());
                Ok(Schedule { title_id, availability, by: By::Catalogue, at_ms: NOW_MS })
            };
            let titles = &home.world.commands.titles;
            titles.execute_on(&title_id, block, &home.world.context()).await.unwrap();
        })
    });
    for race in races {
        race.await.unwrap();
    }
    let title = home.world.commands.titles.state(&home.title_id).await.unwrap();
    let availability = title.listing().unwrap().availability.clone().unwrap();
    assert_eq!(availability.blocked_territories.len(), codes.len());
}

#[tokio::test]
async fn a_new_device_whose_name_hides_something_starts_nothing() {
    let (home, device) = home(Plan::Basic).await;
    let device = NewDevice { name: "T\u{202e}V".into(), ..device };
    let refused = refusal(home.play(100, &device, &HEARD).await);
    let Refusal::Invalid(invalid) = refused else { panic!("{refused}") };
    assert_eq!(invalid.field, "device");
    let playing = home.world.commands.playbacks.state(&home.account_id).await.unwrap();
    assert!(playing.running.is_empty());
}

#[tokio::test]
async fn a_silent_session_makes_room() {
    let (home, device) = home(Plan::Basic).await;
    let began_ms = home.world.now_ms();
    home.play(100, &device, &Heard(None)).await.unwrap();
    home.world.pass(SILENCE_MAX_MS);
    let refused = refusal(home.play(101, &device, &Heard(Some(began_ms + 1))).await);
    assert!(matches!(refused, Refusal::TooManyStreams { limit: 1, .. }), "heard of just now");
    let started = home.play(102, &device, &Heard(Some(began_ms))).await.unwrap();
    assert!(matches!(
        started.executed.events.as_slice(),
        [playback::Event::Expired(_), playback::Event::Started(_)]
    ));
}

#[tokio::test]
async fn a_failed_look_up_ends_no_session() {
    let (home, device) = home(Plan::Basic).await;
    home.play(100, &device, &Heard(None)).await.unwrap();
    home.world.pass(10 * SILENCE_MAX_MS);
    let refused = refusal(home.play(101, &device, &Heard(None)).await);
    assert!(matches!(refused, Refusal::TooManyStreams { .. }));
}

#[tokio::test]
async fn what_is_not_in_the_catalogue_does_not_play() {
    let (mut home, device) = home(Plan::Basic).await;
    home.title_id = TitleId(id(999));
    let refused = refusal(home.play(100, &device, &Heard(None)).await);
    assert_eq!(refused, Refusal::TitleUnavailable);
}

#[tokio::test]
async fn the_grant_carries_what_a_heartbeat_needs() {
    let (home, device) = home(Plan::Basic).await;
    let grant = home.play(100, &device, &Heard(None)).await.unwrap().grant;
    assert_eq!((grant.profile_id, grant.title_id), (home.profile_id, home.title_id));
    assert_eq!(grant.duration_ms, Some(7_200_000));
    assert_eq!(grant.expires_at_ms() - home.world.now_ms(), 6 * 3_600_000);
}

#[tokio::test]
async fn how_a_session_ended_is_known_however_long_ago() {
    let (home, device) = home(Plan::Basic).await;
    let (account_id, sessions) = (home.account_id, &home.world.commands.playbacks);
    let standing = async |number| {
        let session_id = SessionId(id(number));
        home.world.commands.standing(account_id, session_id).await.unwrap()
    };
    let ended = |at_ms, how| Standing::Ended(Ended { at_ms, how });
    assert_eq!(standing(100).await, Standing::Unknown);
    home.play(100, &device, &Heard(None)).await.unwrap();
    assert_eq!(standing(100).await, Standing::Playing);

    let phone = NewDevice { device_id: home.world.device(), name: "Phone".into(), ..device };
    let wish = PlaybackWish {
        session_id: SessionId(id(101)),
        device: phone.clone(),
        take_over: Some(SessionId(id(100))),
        ..home.wish()
    };
    let context = home.world.context();
    home.world.people.start_playback(wish, &Heard(None), &context).await.unwrap();
    let how = How::TakenOver {
        by_session_id: SessionId(id(101)),
        device_id: Some(phone.device_id),
        device: Personal::Known("Phone".into()),
    };
    let taken_over = ended(home.world.now_ms(), how);
    assert_eq!(standing(100).await, taken_over);

    home.world.pass(SILENCE_MAX_MS);
    let context = home.world.context();
    home.world.people.expire_silent(account_id, &HEARD, &context).await.unwrap();
    assert_eq!(standing(101).await, ended(home.world.now_ms(), How::Expired));

    // More than one page of other sessions lies between.
    for number in 200..280 {
        home.play(number, &phone, &Heard(None)).await.unwrap();
        let (session_id, at_ms) = (SessionId(id(number)), home.world.now_ms());
        let stop = Command::Stop { account_id, session_id, at_ms };
        sessions.execute(&account_id, &stop, &home.world.context()).await.unwrap();
    }
    assert_eq!(standing(279).await, ended(home.world.now_ms(), How::Stopped));
    assert_eq!(standing(100).await, taken_over);
    assert_eq!(standing(9).await, Standing::Unknown);
}
