//! The home screens of many viewers at once.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::latency::{Latencies, report};
use crate::site::{Site, Viewer};
use crate::wire::{Wire, graphql};

const VIEWERS: usize = 200;
/// How many films each of them has begun.
const BEGUN: usize = 4;
/// How long a viewer looks at a home screen before asking for it again.
const THINK: Duration = Duration::from_secs(2);
const ROUND: Duration = Duration::from_secs(20);
const ROUND_WITHOUT_PAUSE: Duration = Duration::from_secs(5);

const HOME: &str = "query($who: ID!) { home(profileId: $who) { rows {
    id kind title { key value text } explanation { key value text }
    titles(first: 20) { nodes { id name year genres } pageInfo { endCursor hasNextPage } }
    continueWatching(first: 20) { nodes { positionMs durationMs title { id } } }
} } }";

/// Two hundred viewers, with time to look and without.
pub(crate) async fn measure(site: &mut Site) {
    let mut viewers = vec![];
    for number in 0..VIEWERS {
        viewers.push(site.sign_up(number, BEGUN).await);
    }
    for (what, think, round) in [
        ("home, 200 viewers, each every 2 s", THINK, ROUND),
        ("home, 200 viewers without a pause", Duration::ZERO, ROUND_WITHOUT_PAUSE),
    ] {
        site.latencies();
        let times = ask(&site.url, &viewers, think, round).await;
        let rate = times.len() as f64 / round.as_secs_f64();
        report(&format!("{what} ({rate:.0}/s)"), &times, &site.latencies());
    }
    site.report_memory("after all home screens");
}

/// Each viewer has a connection, and a moment of its own to begin.
async fn ask(url: &str, viewers: &[Viewer], think: Duration, round: Duration) -> Latencies {
    let began = Instant::now();
    let asking: Vec<_> = (0_u32..)
        .zip(viewers.iter().cloned())
        .map(|(number, viewer)| {
            let offset = think * number / u32::try_from(VIEWERS).unwrap();
            let until = began + round;
            tokio::spawn(look(url.to_owned(), viewer, began + offset, think, until))
        })
        .collect();
    let mut times = vec![];
    for viewer in asking {
        times.extend(viewer.await.unwrap());
    }
    times.into_iter().collect()
}

async fn look(
    url: String,
    viewer: Viewer,
    mut next: Instant,
    think: Duration,
    until: Instant,
) -> Vec<Duration> {
    let mut wire = Wire::connect(&url).await;
    let body = graphql(HOME, &json!({"who": viewer.profile}));
    let mut times = vec![];
    while Instant::now() < until {
        tokio::time::sleep_until(next.into()).await;
        let began = Instant::now();
        wire.ask(&viewer.token, &body).await;
        times.push(began.elapsed());
        next += think;
    }
    times
}
