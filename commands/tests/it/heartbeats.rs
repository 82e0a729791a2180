//! Heartbeats are recorded as they come, each once.

use playhead_commands::heartbeat::Heartbeat;
use playhead_commands::token::PlaybackGrant;
use playhead_domain::{Plan, SessionId, viewing};
use playhead_eventlog::StreamName;

use crate::{Household, NOW_MS, context, id};

fn grant(home: &Household) -> PlaybackGrant {
    PlaybackGrant {
        account_id: home.account_id,
        profile_id: home.profile_id,
        title_id: home.title_id,
        session_id: SessionId(id(70)),
        device_id: None,
        started_at_ms: NOW_MS,
        from_ms: 600_000,
        duration_ms: Some(7_200_000),
        credits_start_ms: None,
    }
}

fn at(sequence: u32, position_ms: u64) -> Heartbeat {
    Heartbeat { sequence, position_ms, ..Heartbeat::default() }
}

async fn recorded(home: &Household) -> usize {
    let id = viewing::stream_id(home.account_id, home.profile_id);
    let stream = StreamName::new(viewing::CATEGORY, &id).unwrap();
    home.log.read_stream(&stream, 0, 100).await.unwrap().len()
}

#[tokio::test]
async fn a_heartbeat_sent_again_is_recorded_once() {
    let home = Household::on(Plan::Basic).await;
    let grant = grant(&home);
    let beat = |sequence| at(sequence, 630_000).observed(&grant, NOW_MS).unwrap();
    let first = home.commands.record(vec![beat(1), beat(2)], &context(71)).await.unwrap();
    let again = home.commands.record(vec![beat(1), beat(2)], &context(72)).await.unwrap();
    assert_eq!(again, first);
    home.commands.record(vec![beat(2), beat(3), beat(3)], &context(73)).await.unwrap();
    assert_eq!(recorded(&home).await, 3);
}

#[tokio::test]
async fn a_player_that_does_not_count_has_played_straight_on() {
    let home = Household::on(Plan::Basic).await;
    let grant = grant(&home);
    let played_ms = |beat: Heartbeat| beat.observed(&grant, NOW_MS).unwrap().played_ms;
    assert_eq!(played_ms(at(1, 660_000)), 60_000);
    assert_eq!(played_ms(at(1, 10_000)), 0, "behind where it began");
    assert_eq!(played_ms(Heartbeat { played_ms: Some(5), ..at(1, 660_000) }), 5);
}

#[tokio::test]
async fn a_heartbeat_outside_the_title_names_the_field() {
    let home = Household::on(Plan::Basic).await;
    let error = at(1, 9_000_000).observed(&grant(&home), NOW_MS).unwrap_err();
    assert_eq!(error.to_string(), "position_ms must be within the title");
}
