//! The load: one keep-alive connection a session, each sending a heartbeat as soon as the one
//! before is answered.

use std::time::{Duration, Instant};

use crate::wire::Wire;

/// Answered requests per second.
pub(crate) async fn run(url: &str, tokens: &[String], first: u32, time: Duration) -> f64 {
    let started = Instant::now();
    let connections: Vec<_> = tokens
        .iter()
        .map(|token| tokio::spawn(connection(url.to_owned(), token.clone(), first, time)))
        .collect();
    let mut answered = 0_u32;
    for connection in connections {
        answered += connection.await.unwrap();
    }
    f64::from(answered) / started.elapsed().as_secs_f64()
}

async fn connection(url: String, token: String, first: u32, time: Duration) -> u32 {
    let mut wire = Wire::connect(&url).await;
    let started = Instant::now();
    let mut answered = 0;
    while started.elapsed() < time {
        let sequence = first + answered;
        let body = format!(
            r#"{{"token":"{token}","sequence":{sequence},"positionMs":600000,"playedMs":600000,"durationMs":7200000}}"#
        );
        let answer = wire.post("/v1/playback/heartbeat", None, &body).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(answer.body));
        answered += 1;
    }
    answered
}
