use futures::{FutureExt, StreamExt};
use playhead_domain::playback::PlaybackTakenOver;
use playhead_domain::{playback, viewing};

use super::*;
use crate::testing::{
    MINUTE_MS, Sitting, TestLog, account, erased, profile, session, sitting, title,
};

fn sequence(progressed: &Arc<Progressed>) -> u32 {
    progressed.sequence
}

async fn append(log: &TestLog, events: impl IntoIterator<Item = viewing::Event>) {
    for event in events {
        log.viewing(event).await;
    }
}

/// A heartbeat of another profile that is recorded behind all others; whoever gets it knows that
/// the feed has handed out everything before it.
fn last() -> Sitting {
    Sitting { profile: 9, ..sitting(1, 1) }
}

#[tokio::test]
async fn a_subscriber_sees_the_heartbeats_of_its_profile_only() {
    let log = TestLog::new();
    append(&log, [sitting(1, 1).at(1, MINUTE_MS)]).await;
    let feed = ProgressFeed::spawn(log.log());
    let mut mine = feed.subscribe(profile(1));
    let other = Sitting { profile: 2, ..sitting(1, 2) };
    let dismissed = sitting(1, 2).dismissed(1);
    append(&log, [other.at(2, 0), dismissed, sitting(1, 1).at(3, MINUTE_MS)]).await;
    assert_eq!(mine.next().await.as_ref().map(sequence), Some(3));
    feed.stop().await;
    assert_eq!(mine.next().await, None);
}

#[tokio::test]
async fn every_subscriber_of_a_profile_sees_its_heartbeats() {
    let log = TestLog::new();
    let feed = ProgressFeed::spawn(log.log());
    let (mut one, mut other) = (feed.subscribe(profile(1)), feed.subscribe(profile(1)));
    append(&log, [sitting(1, 1).at(1, 0)]).await;
    assert_eq!(one.next().await, other.next().await);
}

#[tokio::test]
async fn heartbeats_that_come_late_are_left_out_per_title() {
    let log = TestLog::new();
    let feed = ProgressFeed::spawn(log.log());
    let mine = feed.subscribe(profile(1));
    let (old, new, elsewhere) = (sitting(1, 1), sitting(1, 2), sitting(2, 1));
    let arrivals = [new.at(5, 0), new.at(4, 0), old.at(9, 0), elsewhere.at(1, 0), new.at(6, 0)];
    append(&log, arrivals).await;
    let seen: Vec<_> = mine.take(3).map(|p| (p.title_id, p.sequence)).collect().await;
    assert_eq!(seen, [(title(1), 5), (title(2), 1), (title(1), 6)]);
}

#[tokio::test]
async fn a_slow_subscriber_skips_to_the_newest_of_each_title() {
    let log = TestLog::new();
    let feed = ProgressFeed::spawn(log.log());
    let mut slow = feed.subscribe(profile(1));
    let mut quick = feed.subscribe(profile(9));
    let heartbeats = (0..200).map(|sequence| sitting(1, 1).at(sequence, 0));
    append(&log, heartbeats).await;
    append(&log, [sitting(2, 1).at(1, 0), last().at(1, 0)]).await;
    quick.next().await.unwrap();
    let seen = [slow.next().await.unwrap(), slow.next().await.unwrap()];
    assert_eq!(seen.map(|p| (p.title_id, p.sequence)), [(title(1), 199), (title(2), 1)]);
    assert!(slow.next().now_or_never().is_none());
}

#[tokio::test]
async fn profiles_that_nobody_watches_are_forgotten() {
    let feed = ProgressFeed::spawn(TestLog::new().log());
    let (one, other) = (feed.subscribe(profile(1)), feed.subscribe(profile(1)));
    drop(one);
    assert_eq!(feed.profiles(), 1);
    drop(other);
    assert_eq!(feed.profiles(), 0);
}

#[tokio::test]
async fn the_subscriptions_of_an_erased_account_end() {
    let log = TestLog::new();
    let feed = ProgressFeed::spawn(log.log());
    let (mut mine, mut other) = (feed.subscribe(profile(1)), feed.subscribe(profile(2)));
    append(&log, [sitting(1, 1).at(1, 0)]).await;
    assert_eq!(mine.next().await.as_ref().map(sequence), Some(1));
    log.identity(account(1), erased(account(1))).await;
    assert_eq!(mine.next().await, None);
    append(&log, [Sitting { account: 2, profile: 2, ..sitting(1, 1) }.at(1, 0)]).await;
    assert_eq!(other.next().await.as_ref().map(sequence), Some(1));
}

#[tokio::test]
async fn whoever_waits_for_the_end_of_a_session_is_told_of_that_one_once() {
    let log = TestLog::new();
    let feed = ProgressFeed::spawn(log.log());
    let (mine, other) = (sitting(1, 1), sitting(1, 2));
    log.playback(mine.started()).await;
    for end in [mine.stopped(), mine.expired(), taken_over(mine)] {
        let mut ending = feed.ending(account(1), session(1));
        let mut others = feed.ending(account(1), session(2));
        log.playback(other.started()).await;
        log.playback(end).await;
        assert!(ending.is_near().await);
        assert!(!ending.is_near().await, "nothing comes after the end");
        assert!(others.is_near().now_or_never().is_none());
    }
    assert!(feed.shared.audience().as_ref().unwrap().is_empty());
}

/// The end of a session for one that began later.
fn taken_over(sitting: Sitting) -> playback::Event {
    playback::Event::TakenOver(PlaybackTakenOver {
        account_id: account(sitting.account),
        session_id: session(sitting.began),
        profile_id: profile(sitting.profile),
        title_id: title(sitting.title),
        started_at_ms: 0,
        by_session_id: session(2),
        at_ms: 1,
    })
}

#[tokio::test]
async fn an_end_that_cannot_be_read_makes_everybody_look() {
    let log = TestLog::new();
    let feed = ProgressFeed::spawn(log.log());
    let mut ending = feed.ending(account(1), session(1));
    log.append_raw(&format!("playback-{}", account(1)), "PlaybackStopped", b"{}").await;
    assert!(ending.is_near().await);
    log.playback(sitting(1, 1).stopped()).await;
    assert!(ending.is_near().await);
}

#[tokio::test]
async fn whoever_waits_for_an_erased_account_or_a_stopped_feed_waits_no_more() {
    let log = TestLog::new();
    let feed = ProgressFeed::spawn(log.log());
    let mut erased_one = feed.ending(account(1), session(1));
    let mut other = feed.ending(account(2), session(2));
    log.identity(account(1), erased(account(1))).await;
    assert!(!erased_one.is_near().await);
    feed.stop().await;
    assert!(!other.is_near().await);
    assert!(!feed.ending(account(2), session(2)).is_near().await);
}

#[tokio::test]
async fn a_stopped_feed_has_nothing_to_say() {
    let feed = ProgressFeed::spawn(TestLog::new().log());
    feed.stop().await;
    feed.stop().await;
    assert_eq!(feed.subscribe(profile(1)).next().await, None);
}

#[test]
fn a_subscriber_remembers_a_bounded_number_of_titles() {
    let mut seen = Seen::default();
    for number in 0..1_000 {
        let viewing::Event::Progressed(progressed) = sitting(number, 1 + number).at(1, 0) else {
            unreachable!()
        };
        assert!(seen.is_news(&progressed));
        assert!(!seen.is_news(&progressed));
    }
    assert_eq!(seen.0.len(), TITLES_MAX);
}
