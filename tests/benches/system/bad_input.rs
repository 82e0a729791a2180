//! What nobody means: how long until it is answered, and with what.

use std::time::Instant;

use serde_json::{Value, json};

use crate::latency::Latencies;
use crate::site::Site;
use crate::wire::{Wire, graphql};

const ROUNDS: usize = 20;
/// Each is sent, read and refused whole.
const ROUNDS_OF_LARGE: usize = 5;
const LARGE_BYTES: usize = 100_000;

const SEARCH: &str = "query($text: String!, $filter: SearchFilter) {
    search(query: $text, filter: $filter) { totalCount nodes { name } facets { genres { value } } }
}";
const SUGGEST: &str = "query($text: String!) { suggest(input: $text) { text } }";

/// Asks each question some times, on a connection of its own, as large ones end theirs.
pub(crate) async fn measure(site: &Site) {
    let token = site.admin.token().unwrap();
    for (what, body) in questions() {
        let rounds = if body.len() > LARGE_BYTES { ROUNDS_OF_LARGE } else { ROUNDS };
        let (mut times, mut said) = (vec![], String::new());
        for _ in 0..rounds {
            let mut wire = Wire::connect(&site.url).await;
            let began = Instant::now();
            let answer = wire.post("/graphql", Some(token), &body).await;
            times.push(began.elapsed());
            said = verdict(answer.status, answer.body);
        }
        let times: Latencies = times.into_iter().collect();
        println!("{:<46} {}  {said}", format!("bad input: {what}"), times.summary());
    }
}

fn questions() -> Vec<(&'static str, String)> {
    let search = |text: &str| graphql(SEARCH, &json!({"text": text}));
    let suggest = |text: &str| graphql(SUGGEST, &json!({"text": text}));
    let million = json!({"text": "war", "filter": {"genres": vec!["Drama"; 1_000_000]}});
    let thousand = json!({"text": "war", "filter": {"genres": vec!["Drama"; 1_000]}});
    vec![
        ("search for nothing", search("")),
        ("search for 10 kB of letters", search(&"a".repeat(10_000))),
        ("search for 10 kB of words", search(&"the war of ".repeat(1_000))),
        ("search for 200 letters", search(&"abcde".repeat(40))),
        ("search for 100 words of one letter", search(&"a ".repeat(100))),
        ("search for control characters", search("\u{0}\u{1}\u{7}\r\n\t\u{1b}[31m\u{85}\u{202e}")),
        ("search for stop words only", search("the of and a in")),
        ("search for unbalanced quotes", search("\"the (war OR [name:\"x*~ AND -\\")),
        ("search with a filter of a thousand", graphql(SEARCH, &thousand)),
        ("search with a filter of a million", graphql(SEARCH, &million)),
        ("suggest for nothing", suggest("")),
        ("suggest for 10 kB", suggest(&"a".repeat(10_000))),
        ("suggest for 100 letters", suggest(&"abcde".repeat(20))),
        ("suggest for control characters", suggest("\u{0}\u{1}\u{7}\r\n\t\u{1b}\u{202e}")),
    ]
}

/// What was answered, in a word or two.
fn verdict(status: u16, body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = &body["errors"][0]["extensions"]["code"];
    let code = if code.is_null() { &body["error"]["code"] } else { code };
    match (code.as_str(), body["data"]["search"]["totalCount"].as_u64()) {
        (Some(code), _) => format!("{status} {code}"),
        (None, Some(found)) => format!("{status}, {found} found"),
        (None, None) => format!("{status}"),
    }
}
