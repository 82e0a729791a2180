use uuid::Uuid;

use super::*;
use crate::decider::harness::given;

const ACCOUNT: AccountId = AccountId(Uuid::from_u128(0xA));
const PROFILE: ProfileId = ProfileId(Uuid::from_u128(0xB));
const TITLE: TitleId = TitleId(Uuid::from_u128(0xC));
const NOW: i64 = 1_000_000;

fn id(number: u128) -> SessionId {
    SessionId(Uuid::from_u128(number))
}

fn started(number: u128, started_at_ms: i64) -> Event {
    Event::Started(PlaybackStarted {
        account_id: ACCOUNT,
        session_id: id(number),
        profile_id: PROFILE,
        title_id: TITLE,
        device: "TV".to_owned(),
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
    let device = "TV".to_owned();
    let session = Session { profile_id: PROFILE, title_id: TITLE, device, started_at_ms };
    Playing { session_id: id(number), session }
}

/// A start that nothing speaks against, on a plan with room for one.
fn wish(number: u128) -> Start {
    Start {
        account_id: ACCOUNT,
        session_id: id(number),
        profile_id: PROFILE,
        title_id: TITLE,
        device: "TV".to_owned(),
        at_ms: NOW,
        plan: Some(Plan::Basic),
        profile_known: true,
        title_playable: true,
        last_seen_at_ms: BTreeMap::new(),
    }
}

fn start(number: u128) -> Command {
    Command::Start(wish(number))
}

fn start_on(plan: Plan, number: u128) -> Command {
    Command::Start(Start { plan: Some(plan), ..wish(number) })
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
    let repeat = Start { plan: None, profile_known: false, title_playable: false, ..wish(1) };
    given::<Playback>(running(1)).when(&Command::Start(repeat)).then_nothing();
}

#[test]
fn nothing_plays_without_a_subscription() {
    given::<Playback>([])
        .when(&Command::Start(Start { plan: None, ..wish(1) }))
        .then_refused(Refusal::NotSubscribed);
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
fn a_device_name_is_a_line_of_1_to_100_characters() {
    for device in ["T", &"ü".repeat(100), "Zoë’s 📺"] {
        let wish = Start { device: device.to_owned(), ..wish(1) };
        assert!(Playback::decide(&State::default(), &Command::Start(wish)).is_ok(), "{device:?}");
    }
    let invalid = InvalidValue { field: "device", rule: "a line of 1 to 100 characters" };
    for device in ["", " TV", "TV ", &"ü".repeat(101), "T\tV", "TV\0"] {
        given::<Playback>([])
            .when(&Command::Start(Start { device: device.to_owned(), ..wish(1) }))
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
}
