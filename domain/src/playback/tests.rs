use uuid::Uuid;

use super::*;
use crate::decider::harness::given;
use crate::entitlement::{Terms, Viewer};
use crate::maturity::Maturity;
use crate::values::Plan;

const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xA));
const PROFILE: ProfileId = ProfileId(Uuid::from_u128(0xB));
const TITLE: TitleId = TitleId(Uuid::from_u128(0xC));
const DEVICE: DeviceId = DeviceId(Uuid::from_u128(0xD));
const NOW: i64 = 1_000_000;

fn named(device: &str) -> Personal<String> {
    Personal::Known(device.to_owned())
}

fn id(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

fn started(number: u128, started_at_ms: i64) -> Event {
    Event::Started(PlaybackStarted {
        account_id: ACCOUNT,
        session_id: id(number),
        profile_id: PROFILE,
        title_id: TITLE,
        device_id: Some(DEVICE),
        device: named("TV"),
        territory: None,
        started_at_ms,
    })
}

fn stopped(number: u128, started_at_ms: i64) -> Event {
    Event::Stopped(PlaybackStopped {
        account_id: ACCOUNT,
        session_id: id(number),
        profile_id: PROFILE,
        title_id: TITLE,
        started_at_ms,
        at_ms: NOW,
    })
}

fn expired(number: u128, started_at_ms: i64, last_seen_at_ms: i64) -> Event {
    Event::Expired(PlaybackExpired {
        account_id: ACCOUNT,
        session_id: id(number),
        profile_id: PROFILE,
        title_id: TITLE,
        started_at_ms,
        last_seen_at_ms,
        at_ms: NOW,
    })
}

/// Running sessions 1, 2 and so on that began just now.
fn running(count: u128) -> Vec<Event> {
    (1..=count).map(|number| started(number, NOW)).collect()
}

fn playing(number: u128, started_at_ms: i64) -> Playing {
    let session = Session {
        profile_id: PROFILE,
        title_id: TITLE,
        device_id: Some(DEVICE),
        device: named("TV"),
        started_at_ms,
    };
    Playing { session_id: id(number), session }
}

/// Facts that nothing speaks against but perhaps the plan.
fn on(plan: Option<Plan>) -> entitlement::Facts {
    entitlement::Facts {
        account_active: true,
        email_verified: true,
        plan,
        vpn: false,
        viewer: Viewer { territory: None, maturity_max: Maturity::From18 },
        title: Terms { maturity: None, availability: None },
        pin: entitlement::Pin::None,
        device: entitlement::Device::Welcome,
    }
}

/// A start that nothing speaks against, on a plan with room for one.
fn wish(number: u128) -> Start {
    Start {
        account_id: ACCOUNT,
        session_id: id(number),
        profile_id: PROFILE,
        title_id: TITLE,
        device_id: Some(DEVICE),
        device: named("TV"),
        at_ms: NOW,
        profile_known: true,
        title_playable: true,
        entitlement: on(Some(Plan::Basic)),
        last_seen_at_ms: BTreeMap::new(),
    }
}

fn start(number: u128) -> Command {
    Command::Start(wish(number))
}

fn start_on(plan: Plan, number: u128) -> Command {
    Command::Start(Start { entitlement: on(Some(plan)), ..wish(number) })
}

fn taken_over(number: u128, started_at_ms: i64, by: u128) -> Event {
    Event::TakenOver(PlaybackTakenOver {
        account_id: ACCOUNT,
        session_id: id(number),
        profile_id: PROFILE,
        title_id: TITLE,
        started_at_ms,
        by_session_id: id(by),
        at_ms: NOW,
    })
}

fn take_over(session_to_end: u128, number: u128) -> Command {
    Command::TakeOver { start: wish(number), session_to_end: id(session_to_end) }
}

fn stop(number: u128) -> Command {
    Command::Stop { account_id: ACCOUNT, session_id: id(number), at_ms: NOW }
}

fn expire(last_seen_at_ms: impl IntoIterator<Item = (SessionId, i64)>) -> Command {
    let last_seen_at_ms = last_seen_at_ms.into_iter().collect();
    Command::ExpireSilent { account_id: ACCOUNT, last_seen_at_ms, at_ms: NOW }
}

#[test]
fn a_session_begins() {
    given::<Playback>([]).when(&start(1)).then([started(1, NOW)]);
}

#[test]
fn a_session_that_runs_is_not_started_again() {
    given::<Playback>(running(1)).when(&start(1)).then_nothing();
}

#[test]
fn a_repeated_start_is_not_refused_for_what_changed_since() {
    let entitlement = on(None);
    let repeat = Start { entitlement, profile_known: false, title_playable: false, ..wish(1) };
    given::<Playback>(running(1)).when(&Command::Start(repeat)).then_nothing();
}

#[test]
fn nothing_plays_without_a_subscription() {
    given::<Playback>([])
        .when(&Command::Start(Start { entitlement: on(None), ..wish(1) }))
        .then_refused(entitlement::Refusal::NotSubscribed.into());
}

#[test]
fn what_speaks_against_playing_is_passed_on() {
    let pin = entitlement::Pin::Locked { until_ms: 7 };
    let entitlement = entitlement::Facts { pin, ..on(Some(Plan::Basic)) };
    given::<Playback>([])
        .when(&Command::Start(Start { entitlement, ..wish(1) }))
        .then_refused(entitlement::Refusal::PinLocked { until_ms: 7 }.into());
}

#[test]
fn whoever_may_not_play_anything_does_not_learn_what_is_in_the_catalogue() {
    given::<Playback>([])
        .when(&Command::Start(Start { entitlement: on(None), title_playable: false, ..wish(1) }))
        .then_refused(entitlement::Refusal::NotSubscribed.into());
}

#[test]
fn an_unknown_profile_cannot_play() {
    given::<Playback>([])
        .when(&Command::Start(Start { profile_known: false, ..wish(1) }))
        .then_refused(Refusal::UnknownProfile);
}

#[test]
fn a_title_that_is_not_there_cannot_be_played() {
    given::<Playback>([])
        .when(&Command::Start(Start { title_playable: false, ..wish(1) }))
        .then_refused(Refusal::TitleUnavailable);
}

#[test]
fn a_device_name_is_a_line_of_1_to_60_characters() {
    for device in ["T", &"ü".repeat(60), "Zoë’s 📺"] {
        let wish = Start { device: named(device), ..wish(1) };
        assert!(Playback::decide(&State::default(), &Command::Start(wish)).is_ok(), "{device:?}");
    }
    let invalid = InvalidValue { field: "device", rule: NAME_RULE };
    for device in ["", " TV", "TV ", &"ü".repeat(61), "T\tV", "TV\0"] {
        given::<Playback>([])
            .when(&Command::Start(Start { device: named(device), ..wish(1) }))
            .then_refused(invalid.into());
    }
}

#[test]
fn the_last_stream_of_each_plan_fits() {
    for (plan, limit) in [(Plan::Basic, 1), (Plan::Standard, 2), (Plan::Premium, 4)] {
        given::<Playback>(running(limit - 1)).when(&start_on(plan, 9)).then([started(9, NOW)]);
    }
}

#[test]
fn one_stream_more_than_the_plan_allows_does_not_fit() {
    for (plan, limit) in [(Plan::Basic, 1), (Plan::Standard, 2), (Plan::Premium, 4)] {
        let playing = (1..=limit as u128).map(|number| playing(number, NOW)).collect();
        given::<Playback>(running(limit as u128))
            .when(&start_on(plan, 9))
            .then_refused(Refusal::TooManyStreams { limit, playing });
    }
}

#[test]
fn a_smaller_plan_lets_nothing_start_until_there_is_room() {
    let all = vec![playing(1, NOW), playing(2, NOW), playing(3, NOW)];
    given::<Playback>(running(3))
        .when(&start_on(Plan::Standard, 9))
        .then_refused(Refusal::TooManyStreams { limit: 2, playing: all });
}

#[test]
fn a_stopped_session_makes_room() {
    given::<Playback>([started(1, NOW), stopped(1, NOW)]).when(&start(2)).then([started(2, NOW)]);
}

#[test]
fn an_expired_session_makes_room() {
    given::<Playback>([started(1, NOW), expired(1, NOW, NOW)])
        .when(&start(2))
        .then([started(2, NOW)]);
}

#[test]
fn a_session_that_was_silent_for_90_000_ms_makes_room() {
    let then = NOW - 90_000;
    given::<Playback>([started(1, then)])
        .when(&start(2))
        .then([expired(1, then, then), started(2, NOW)]);
}

#[test]
fn a_session_that_was_silent_for_89_999_ms_keeps_its_room() {
    let then = NOW - 89_999;
    given::<Playback>([started(1, then)])
        .when(&start(2))
        .then_refused(Refusal::TooManyStreams { limit: 1, playing: vec![playing(1, then)] });
}

#[test]
fn a_heartbeat_keeps_a_session_alive() {
    let last_seen_at_ms = BTreeMap::from([(id(1), NOW - 89_999)]);
    given::<Playback>([started(1, 0)])
        .when(&Command::Start(Start { last_seen_at_ms, ..wish(2) }))
        .then_refused(Refusal::TooManyStreams { limit: 1, playing: vec![playing(1, 0)] });
}

#[test]
fn silence_counts_from_the_last_heartbeat() {
    let last_seen_at_ms = BTreeMap::from([(id(1), NOW - 90_000)]);
    given::<Playback>([started(1, 0)])
        .when(&Command::Start(Start { last_seen_at_ms, ..wish(2) }))
        .then([expired(1, 0, NOW - 90_000), started(2, NOW)]);
}

#[test]
fn the_heartbeat_of_one_session_does_not_keep_another_alive() {
    let last_seen_at_ms = BTreeMap::from([(id(2), NOW)]);
    given::<Playback>([started(1, 0)])
        .when(&Command::Start(Start { last_seen_at_ms, ..wish(3) }))
        .then([expired(1, 0, 0), started(3, NOW)]);
}

#[test]
fn all_silent_sessions_end_when_one_begins() {
    given::<Playback>([started(1, 10), started(2, NOW), started(3, 30)])
        .when(&start_on(Plan::Premium, 4))
        .then([expired(1, 10, 10), expired(3, 30, 30), started(4, NOW)]);
}

#[test]
fn a_refusal_does_not_list_silent_sessions() {
    given::<Playback>([started(1, 0), started(2, NOW)])
        .when(&start(3))
        .then_refused(Refusal::TooManyStreams { limit: 1, playing: vec![playing(2, NOW)] });
}

#[test]
fn a_refusal_lists_what_plays_longest_first() {
    let all = vec![playing(2, NOW - 3), playing(1, NOW - 2), playing(3, NOW - 2)];
    given::<Playback>([started(3, NOW - 2), started(1, NOW - 2), started(2, NOW - 3)])
        .when(&start_on(Plan::Standard, 9))
        .then_refused(Refusal::TooManyStreams { limit: 2, playing: all });
}

#[test]
fn a_session_is_stopped() {
    given::<Playback>([started(1, 7)]).when(&stop(1)).then([stopped(1, 7)]);
}

#[test]
fn a_session_that_does_not_run_is_stopped_already() {
    given::<Playback>(running(1)).when(&stop(2)).then_nothing();
}

#[test]
fn an_expired_session_is_stopped_already() {
    given::<Playback>([started(1, 0), expired(1, 0, 0)]).when(&stop(1)).then_nothing();
}

#[test]
fn only_silent_sessions_expire() {
    given::<Playback>([started(1, 0), started(2, 0)])
        .when(&expire([(id(1), NOW - 90_000), (id(2), NOW - 89_999)]))
        .then([expired(1, 0, NOW - 90_000)]);
}

#[test]
fn a_session_without_heartbeats_is_silent_since_it_began() {
    given::<Playback>([started(1, NOW - 90_000), started(2, NOW - 89_999)])
        .when(&expire([]))
        .then([expired(1, NOW - 90_000, NOW - 90_000)]);
}

#[test]
fn a_heartbeat_from_before_the_start_does_not_make_a_session_silent() {
    given::<Playback>([started(1, NOW - 89_999)]).when(&expire([(id(1), 0)])).then_nothing();
}

#[test]
fn a_session_heard_of_by_a_clock_ahead_of_ours_is_not_silent() {
    given::<Playback>([started(1, 0)]).when(&expire([(id(1), NOW + 500_000)])).then_nothing();
}

#[test]
fn an_account_where_nothing_runs_has_nothing_to_expire() {
    given::<Playback>([]).when(&expire([(id(1), 0)])).then_nothing();
}

#[test]
fn times_at_the_ends_of_their_range_do_not_overflow() {
    let last_seen_at_ms = BTreeMap::from([(id(1), i64::MIN)]);
    let wish = Start { at_ms: i64::MAX, last_seen_at_ms, ..wish(2) };
    let past = [started(1, i64::MIN)];
    let state = Playback::fold(State::default(), &past);
    assert_eq!(Playback::decide(&state, &Command::Start(wish)).unwrap().len(), 2);
}

#[test]
fn a_refusal_names_the_limit() {
    let refusal = Refusal::TooManyStreams { limit: 2, playing: vec![] };
    assert_eq!(refusal.to_string(), "the plan allows 2 streams at once, and all of them play");
    let refusal = Refusal::TooManyStreams { limit: 1, playing: vec![] };
    assert_eq!(refusal.to_string(), "the plan allows 1 stream at once, and it plays");
}

#[test]
fn a_session_takes_the_place_of_another_in_one_append() {
    given::<Playback>(running(1))
        .when(&take_over(1, 2))
        .then([taken_over(1, NOW, 2), started(2, NOW)]);
}

#[test]
fn a_session_that_was_taken_over_runs_no_more() {
    given::<Playback>([started(1, NOW), taken_over(1, NOW, 2), started(2, NOW)])
        .when(&start(3))
        .then_refused(Refusal::TooManyStreams { limit: 1, playing: vec![playing(2, NOW)] });
}

#[test]
fn only_one_of_two_that_take_over_the_same_session_gets_its_room() {
    given::<Playback>([started(1, NOW), taken_over(1, NOW, 2), started(2, NOW)])
        .when(&take_over(1, 3))
        .then_refused(Refusal::TooManyStreams { limit: 1, playing: vec![playing(2, NOW)] });
}

#[test]
fn a_take_over_that_is_repeated_changes_nothing() {
    given::<Playback>([started(1, NOW), taken_over(1, NOW, 2), started(2, NOW)])
        .when(&take_over(1, 2))
        .then_nothing();
}

#[test]
fn what_was_to_be_taken_over_and_has_ended_leaves_its_room() {
    given::<Playback>([started(1, NOW), stopped(1, NOW)])
        .when(&take_over(1, 2))
        .then([started(2, NOW)]);
    given::<Playback>([]).when(&take_over(1, 2)).then([started(2, NOW)]);
}

#[test]
fn what_was_to_be_taken_over_and_has_fallen_silent_expires() {
    let then = NOW - 90_000;
    given::<Playback>([started(1, then)])
        .when(&take_over(1, 2))
        .then([expired(1, then, then), started(2, NOW)]);
}

#[test]
fn the_named_session_ends_also_when_another_one_expires() {
    let then = NOW - 90_000;
    given::<Playback>([started(1, NOW), started(3, then)]).when(&take_over(1, 2)).then([
        expired(3, then, then),
        taken_over(1, NOW, 2),
        started(2, NOW),
    ]);
}

#[test]
fn a_take_over_ends_no_more_than_one_session() {
    given::<Playback>(running(2)).when(&take_over(1, 9)).then_refused(Refusal::TooManyStreams {
        limit: 1,
        playing: vec![playing(1, NOW), playing(2, NOW)],
    });
}

#[test]
fn a_session_does_not_take_over_itself() {
    given::<Playback>(running(1)).when(&take_over(1, 1)).then_nothing();
    given::<Playback>([]).when(&take_over(1, 1)).then([started(1, NOW)]);
}

#[test]
fn a_take_over_that_is_refused_ends_nothing() {
    let start = Start { entitlement: on(None), ..wish(2) };
    given::<Playback>(running(1))
        .when(&Command::TakeOver { start, session_to_end: id(1) })
        .then_refused(entitlement::Refusal::NotSubscribed.into());
}

#[test]
fn a_session_of_the_first_version_ran_on_a_device_without_an_id() {
    let payload = br#"{"account_id":"00000000-0000-0000-0000-00000000000a",
        "session_id":"00000000-0000-0000-0000-000000000001",
        "profile_id":"00000000-0000-0000-0000-00000000000b",
        "title_id":"00000000-0000-0000-0000-00000000000c",
        "device":"TV","started_at_ms":5}"#;
    let read = crate::StoredEvent::from_json("PlaybackStarted", 1, payload).unwrap();
    let Event::Started(with_id) = started(1, 5) else { panic!() };
    assert_eq!(Event::Started(PlaybackStarted { device_id: None, ..with_id }), read);
}

#[test]
fn a_session_begins_where_the_viewer_was_taken_to_be() {
    let viewer = Viewer { territory: Some("AT".parse().unwrap()), ..on(None).viewer };
    let entitlement = entitlement::Facts { viewer, ..on(Some(Plan::Basic)) };
    let Event::Started(somewhere) = started(1, NOW) else { panic!() };
    given::<Playback>([])
        .when(&Command::Start(Start { entitlement, ..wish(1) }))
        .then([Event::Started(PlaybackStarted { territory: viewer.territory, ..somewhere })]);
}

#[test]
fn a_session_of_the_second_version_began_nobody_knows_where() {
    let payload = br#"{"account_id":"00000000-0000-0000-0000-00000000000a",
        "session_id":"00000000-0000-0000-0000-000000000001",
        "profile_id":"00000000-0000-0000-0000-00000000000b",
        "title_id":"00000000-0000-0000-0000-00000000000c",
        "device_id":"00000000-0000-0000-0000-00000000000d",
        "device":{"$personal":"TV"},"started_at_ms":5}"#;
    let read = crate::StoredEvent::from_json("PlaybackStarted", 2, payload).unwrap();
    assert_eq!(started(1, 5), read);
}
