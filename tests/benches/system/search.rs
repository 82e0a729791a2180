//! Searching and completing what is typed, as a viewer who has watched some films.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::latency::{Latencies, report};
use crate::questions;
use crate::site::{Site, Viewer};
use crate::wire::{Wire, graphql};

/// How many films the viewer has begun, by which what is found is ordered.
const BEGUN: usize = 5;
/// How many ask at the same time, each without a pause.
const CLIENTS: [usize; 2] = [1, 8];

const SEARCH: &str = "query($text: String!, $who: ID!) {
    search(query: $text, profileId: $who) { totalCount nodes { name year } }
}";
const SEARCH_WITH_ALL: &str = "query($text: String!, $who: ID!) {
    search(query: $text, profileId: $who) {
        totalCount didYouMean pageInfo { endCursor hasNextPage }
        edges { match node { id name year } highlights { field text ranges { start end } } }
        facets {
            genres { value count } decades { value count }
            types { value count } languages { value count }
        }
    }
}";
const SUGGEST: &str = "query($text: String!, $who: ID!) {
    suggest(input: $text, profileId: $who) { text type year isCorrected matched { start end } }
}";

/// Asks everything with one client and with a few.
pub(crate) async fn measure(site: &mut Site, films: &Path) {
    let viewer = site.sign_up(0, BEGUN).await;
    let (searches, inputs) = (questions::searches(films), questions::inputs(films));
    for (what, query, texts) in [
        ("search", SEARCH, &searches),
        ("search with facets and highlights", SEARCH_WITH_ALL, &searches),
        ("suggest", SUGGEST, &inputs),
    ] {
        let body = |text: &String| graphql(query, &json!({"text": text, "who": viewer.profile}));
        let bodies: Vec<String> = texts.iter().map(body).collect();
        for clients in CLIENTS {
            site.latencies();
            let times = ask(&site.url, &viewer, &bodies, clients).await;
            let plural = if clients == 1 { "" } else { "s" };
            report(&format!("{what}, {clients} client{plural}"), &times, &site.latencies());
        }
    }
    site.report_memory("after all searches");
}

/// Each client asks its share, one after the other.
async fn ask(url: &str, viewer: &Viewer, bodies: &[String], clients: usize) -> Latencies {
    let ask_share = |client: usize| {
        let share: Vec<String> = bodies.iter().skip(client).step_by(clients).cloned().collect();
        let (url, token) = (url.to_owned(), viewer.token.clone());
        tokio::spawn(async move {
            let mut wire = Wire::connect(&url).await;
            let mut times: Vec<Duration> = vec![];
            for body in share {
                let began = Instant::now();
                wire.ask(&token, &body).await;
                times.push(began.elapsed());
            }
            times
        })
    };
    let asking: Vec<_> = (0..clients).map(ask_share).collect();
    let mut times = vec![];
    for client in asking {
        times.extend(client.await.unwrap());
    }
    times.into_iter().collect()
}
