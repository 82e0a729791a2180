//! How soon a title is found by its new name.

use std::time::{Duration, Instant};

use playhead_tests::film_ids;
use serde_json::{Value, json};

use crate::latency::Latencies;
use crate::site::Site;
use crate::wire::{Wire, graphql};

const EDITS: usize = 10;
const PAUSE: Duration = Duration::from_millis(1);

const EDIT: &str = "mutation($input: EditTitleInput!) {
    editTitle(input: $input) { errors { code message } }
}";
const SEARCH: &str =
    "query($text: String!) { search(query: $text, first: 1) { nodes { id name } } }";

/// Renames titles; each time, searches until the new name is found.
pub(crate) async fn measure(site: &mut Site) {
    let ids = film_ids(&site.url, site.data.path()).await;
    let token = site.admin.token().unwrap().to_owned();
    let mut wire = Wire::connect(&site.url).await;
    let mut times = vec![];
    for (number, id) in ids.iter().take(EDITS).enumerate() {
        let name = format!("Zwölf Quallen am Fjord {number}");
        let search = graphql(SEARCH, &json!({"text": name}));
        let edit = graphql(EDIT, &json!({"input": {"titleId": id, "name": name, "type": "MOVIE"}}));
        let began = Instant::now();
        let edited: Value = serde_json::from_slice(wire.ask(&token, &edit).await).unwrap();
        assert_eq!(edited["data"]["editTitle"]["errors"], json!([]));
        let found = json!([{"id": id, "name": name}]);
        loop {
            let answer: Value = serde_json::from_slice(wire.ask(&token, &search).await).unwrap();
            if answer["data"]["search"]["nodes"] == found {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        times.push(began.elapsed());
    }
    let times: Latencies = times.into_iter().collect();
    println!("{:<46} {}", "editTitle until search finds it", times.summary());
}
