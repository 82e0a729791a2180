//! Starting playback.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use playhead_commands::ExecuteError;
use playhead_commands::playback::{LastSeen, StartError, StartPlayback, Started};
use playhead_domain::playback::{self, Refusal, SILENCE_MAX_MS};
use playhead_domain::{Plan, SessionId, TitleId};

use crate::{Household, NOW_MS, context, id};

/// Knows when every session was last heard of, or fails.
struct Heard(Option<i64>);

#[async_trait]
impl LastSeen for Heard {
    async fn last_seen(
        &self,
        sessions: &[SessionId],
    ) -> Result<BTreeMap<SessionId, i64>, Box<dyn std::error::Error + Send + Sync>> {
        let at_ms = self.0.ok_or("out of order")?;
        Ok(sessions.iter().map(|session| (*session, at_ms)).collect())
    }
}

impl Household {
    async fn start(&self, number: u128, at_ms: i64, heard: &Heard) -> Result<Started, StartError> {
        let wish = StartPlayback {
            account_id: self.account_id,
            session_id: SessionId(id(number)),
            profile_id: self.profile_id,
            title_id: self.title_id,
            device: format!("TV {number}"),
            from_ms: 0,
        };
        let context = playhead_commands::Context { at_ms, ..context(number) };
        self.commands.start_playback(wish, heard, &context).await
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
        let home = Arc::new(Household::on(plan).await);
        let races: Vec<_> = (100..200)
            .map(|number| {
                let home = Arc::clone(&home);
                tokio::spawn(async move { home.start(number, NOW_MS, &Heard(Some(NOW_MS))).await })
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

#[tokio::test]
async fn a_silent_session_makes_room() {
    let home = Household::on(Plan::Basic).await;
    home.start(100, NOW_MS, &Heard(None)).await.unwrap();
    let later_ms = NOW_MS + SILENCE_MAX_MS;
    let heard = Heard(Some(NOW_MS + 1));
    let refused = refusal(home.start(101, later_ms, &heard).await);
    assert!(matches!(refused, Refusal::TooManyStreams { limit: 1, .. }), "heard of just now");
    let heard = Heard(Some(NOW_MS));
    let started = home.start(102, later_ms, &heard).await.unwrap();
    assert!(matches!(
        started.executed.events.as_slice(),
        [playback::Event::Expired(_), playback::Event::Started(_)]
    ));
}

#[tokio::test]
async fn a_failed_look_up_ends_no_session() {
    let home = Household::on(Plan::Basic).await;
    home.start(100, NOW_MS, &Heard(None)).await.unwrap();
    let much_later_ms = NOW_MS + 10 * SILENCE_MAX_MS;
    let refused = refusal(home.start(101, much_later_ms, &Heard(None)).await);
    assert!(matches!(refused, Refusal::TooManyStreams { .. }));
}

#[tokio::test]
async fn what_is_not_in_the_catalogue_does_not_play() {
    let mut home = Household::on(Plan::Basic).await;
    home.title_id = TitleId(id(999));
    let refused = refusal(home.start(100, NOW_MS, &Heard(None)).await);
    assert_eq!(refused, Refusal::TitleUnavailable);
}

#[tokio::test]
async fn the_grant_carries_what_a_heartbeat_needs() {
    let home = Household::on(Plan::Basic).await;
    let grant = home.start(100, NOW_MS, &Heard(None)).await.unwrap().grant;
    assert_eq!((grant.profile_id, grant.title_id), (home.profile_id, home.title_id));
    assert_eq!(grant.duration_ms, Some(7_200_000));
    assert_eq!(grant.expires_at_ms() - NOW_MS, 6 * 3_600_000);
}
