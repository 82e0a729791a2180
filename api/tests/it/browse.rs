//! Browsing: walks along lists that change, rows of the home screen, and what they cost.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use playhead_domain::codec::StoredEvent;
use playhead_domain::playback::{self, PlaybackStarted};
use playhead_domain::viewing::{self, Progressed, Quality};
use playhead_domain::{AccountId, Personal, ProfileId, SessionId, TitleId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{BEGIN_MS, Client, TestApi, text};

const GENRES: [&str; 3] = ["Comedy", "Crime", "Drama"];

fn title(number: u64) -> TitleId {
    TitleId(Uuid::from_u64_pair(3, number))
}

impl TestApi {
    /// Adds a film of a genre whose name begins with a number that has nothing to do with its id.
    async fn list(&self, number: u64, at_ms: i64, maturity: &str) {
        let (id, place) = (title(number), number.wrapping_mul(2_654_435_761) % 100_000);
        let genre = GENRES[usize::try_from(number % 3).unwrap()];
        let metadata = json!({
            "name": format!("{place:05} film"), "kind": "movie", "maturity": maturity,
            "genres": [genre],
        });
        let payload = json!({ "title_id": id, "metadata": metadata, "at_ms": at_ms });
        let payload = payload.to_string().into_bytes();
        self.record(&format!("title-{id}"), "TitleAdded", 2, payload).await;
    }

    pub(crate) async fn withdraw(&self, number: u64) {
        let id = title(number);
        let payload = json!({ "title_id": id, "at_ms": BEGIN_MS }).to_string().into_bytes();
        self.record(&format!("title-{id}"), "TitleWithdrawn", 1, payload).await;
    }

    /// Somebody plays a film for two minutes.
    async fn played(&self, who: u64, number: u64, territory: &str) {
        let account_id = AccountId(Uuid::from_u64_pair(1, who));
        let profile_id = ProfileId(Uuid::from_u64_pair(2, who));
        self.watched(account_id, profile_id, number, territory).await;
    }

    async fn watched(
        &self,
        account_id: AccountId,
        profile_id: ProfileId,
        number: u64,
        territory: &str,
    ) {
        let (session_id, started_at_ms) = (SessionId(self.clock_id()), BEGIN_MS - 600_000);
        let started = playback::Event::Started(PlaybackStarted {
            account_id,
            session_id,
            profile_id,
            title_id: title(number),
            device_id: None,
            device: Personal::Known("TV".to_owned()),
            territory: territory.parse().ok(),
            started_at_ms,
        });
        let progressed = viewing::Event::Progressed(Progressed {
            account_id,
            profile_id,
            title_id: title(number),
            session_id,
            started_at_ms,
            sequence: 1,
            position_ms: 120_000,
            played_ms: 120_000,
            duration_ms: Some(6_000_000),
            credits_start_ms: None,
            quality: Quality::default(),
            at_ms: started_at_ms + 120_000 + i64::try_from(number).unwrap(),
        });
        let of = started.event_type();
        let stream = format!("playback-{account_id}");
        self.record(&stream, of.name, of.version, started.to_json().unwrap()).await;
        let of = progressed.event_type();
        let stream = format!("viewing-{}", viewing::stream_id(account_id, profile_id));
        self.record(&stream, of.name, of.version, progressed.to_json().unwrap()).await;
    }

    fn reads(&self) -> u64 {
        let services = &self.services;
        services.catalog.reads() + services.continue_watching.reads() + services.trending.reads()
    }
}

/// A page of titles: number of each, and the cursor of the next page.
async fn page(client: &Client<'_>, field: &str, args: &str, after: Option<&str>) -> Value {
    let query = format!(
        "query($after: String) {{ {field}(first: 100, after: $after{args}) \
         {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    client.run(&query, json!({ "after": after })).await.data()[field].clone()
}

fn ids(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|node| text(&node["id"])).collect()
}

async fn walk(client: &Client<'_>, field: &str, args: &str) -> Vec<String> {
    let (mut walked, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = page(client, field, args, after.as_deref()).await;
        walked.extend(ids(&page));
        if page["pageInfo"]["hasNextPage"] == false {
            return walked;
        }
        after = Some(text(&page["pageInfo"]["endCursor"]));
    }
}

/// Walks along all titles while others come and go at every page.
async fn walk_while_it_changes(count: u64, changes: u64) {
    let api = TestApi::start().await;
    for number in 0..count {
        api.list(number, BEGIN_MS - 1, "all").await;
    }
    api.settled().await;
    let nobody = api.nobody();
    let global = |number| crate::harness::global(&format!("Title:{}", title(number)));
    let (mut walked, mut after) = (Vec::new(), None::<String>);
    let (mut joined, mut left) = (0, 0);
    let each = changes.div_ceil(count / 100);
    loop {
        let page = page(&nobody, "titles", "", after.as_deref()).await;
        walked.extend(ids(&page));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = Some(text(&page["pageInfo"]["endCursor"]));
        api.clock.advance(1_000);
        for _ in 0..each {
            if joined < changes {
                api.list(count + joined, api.clock_ms(), "all").await;
                joined += 1;
            }
            if left < changes {
                api.withdraw(left * (count / changes)).await;
                left += 1;
            }
        }
        api.settled().await;
    }
    assert_eq!((joined, left), (changes, changes));
    let seen: BTreeSet<&String> = walked.iter().collect();
    assert_eq!(seen.len(), walked.len(), "a title came twice");
    let gone: BTreeSet<u64> = (0..changes).map(|nth| nth * (count / changes)).collect();
    let throughout = (0..count).filter(|number| !gone.contains(number)).map(global);
    let missed: Vec<_> = throughout.filter(|id| !seen.contains(id)).collect();
    assert_eq!(missed, [] as [String; 0], "a title that was there throughout was missed");
    let joined = (count..count + changes).map(global).filter(|id| seen.contains(id)).count();
    assert_eq!(joined, 0, "what joined later is no part of the walk");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_along_all_titles_misses_none_and_meets_none_twice() {
    walk_while_it_changes(3_000, 200).await;
}

#[tokio::test]
async fn a_cursor_that_was_made_up_or_is_of_another_list_is_refused() {
    let api = TestApi::start().await;
    for number in 0..30 {
        api.list(number, BEGIN_MS - 1, "all").await;
        api.played(number, number, "AT").await;
    }
    api.settled().await;
    let nobody = api.nobody();
    let cursor = async |field: &str, args: &str| {
        let query = format!("{{ {field}(first: 2{args}) {{ pageInfo {{ endCursor }} }} }}");
        text(&nobody.ask(&query).await[field]["pageInfo"]["endCursor"])
    };
    let code = async |field: &str, args: &str, after: &str| {
        let query = format!("{{ {field}(first: 2, after: {after:?}{args}) {{ nodes {{ id }} }} }}");
        nobody.run(&query, json!({})).await.code().to_owned()
    };
    let (titles, trending) = (cursor("titles", "").await, cursor("trending", "").await);
    let drama = r#", filter: { genre: "drama" }"#;
    let at = r#", region: "AT""#;
    assert_eq!(code("titles", "", &titles).await, "none");
    assert_eq!(code("trending", "", &trending).await, "none");
    let mut altered = titles.clone().into_bytes();
    altered[30] = if altered[30] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    for (field, args, after) in [
        ("titles", "", altered.as_str()),
        ("titles", "", trending.as_str()),
        ("titles", drama, titles.as_str()),
        ("titles", "", "garbage"),
        ("titles", "", &"A".repeat(9_000)),
        ("trending", at, trending.as_str()),
        ("trending", "", titles.as_str()),
    ] {
        assert_eq!(code(field, args, after).await, "BAD_CURSOR", "{field} {args}");
    }
}

#[tokio::test]
async fn what_is_trending_depends_on_the_region_and_on_who_looks() {
    let api = TestApi::start().await;
    for number in 0..40 {
        api.list(number, BEGIN_MS - 1, if number % 2 == 0 { "all" } else { "18" }).await;
        for who in 0..number {
            api.played(who * 100 + number, number, if who % 2 == 0 { "AT" } else { "DE" }).await;
        }
    }
    // Nobody plays more than this one, but hardly anywhere else.
    for who in 0..60 {
        api.played(90_000 + who, 0, "DE").await;
    }
    api.settled().await;
    let mut client = api.client(1);
    let adult = client.join("Ada").await;
    let trending = async |args: &str| {
        let query = format!("{{ trending(first: 3{args}) {{ nodes {{ name }} }} }}");
        client.ask(&query).await["trending"]["nodes"].clone()
    };
    let names = |numbers: [u64; 3]| {
        let name = |number: u64| {
            let place = number.wrapping_mul(2_654_435_761) % 100_000;
            json!({ "name": format!("{place:05} film") })
        };
        json!(numbers.map(name))
    };
    let profile = format!(", profileId: {adult:?}");
    assert_eq!(trending(&profile).await, names([0, 39, 38]));
    assert_eq!(trending(&format!("{profile}, region: \"AT\"")).await, names([39, 38, 37]));
    assert_eq!(trending(&format!("{profile}, region: \"FR\"")).await, names([0, 39, 38]));
    api.places.move_to(Some("AT"), false);
    assert_eq!(trending(&profile).await, names([39, 38, 37]));
    let kids = api.nobody();
    let seen = kids.ask("{ trending(first: 3) { nodes { name } } }").await;
    assert_eq!(seen["trending"]["nodes"], names([38, 36, 34]), "for children, in AT");
    let mut all = walk(&client, "trending", &profile).await;
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!((all.len(), count), (39, 39), "all that was ever played in AT");
    let bad = client.run("{ trending(region: \"Austria\") { nodes { id } } }", json!({})).await;
    assert_eq!(bad.code(), "BAD_REQUEST");
}

/// Everything of a home screen.
fn home(profile: &str, first: u32) -> String {
    let titles = "nodes { id name genres } edges { cursor node { id } } pageInfo { endCursor }";
    let mut query = String::new();
    write!(
        query,
        "{{ home(profileId: {profile:?}) {{ rows {{ id kind title {{ key value text }} \
         explanation {{ key value text }} titles(first: {first}) {{ {titles} }} \
         continueWatching(first: {first}) {{ nodes {{ positionMs title {{ id }} }} }} }} }} }}"
    )
    .unwrap();
    query
}

/// An account with a profile that has watched some films, among others that many have.
async fn household(api: &TestApi, films: u64) -> (Client<'_>, String) {
    for number in 0..films {
        api.list(number, BEGIN_MS - 1, if number % 2 == 0 { "all" } else { "18" }).await;
        for who in 0..number % 7 {
            api.played(who * 1_000 + number, number, "AT").await;
        }
    }
    let mut client = api.client(1);
    let profile = client.join("Ada").await;
    let profile_id = crate::harness::key_of(&profile);
    for number in [1, 4, 7, 2] {
        api.watched(AccountId(Uuid::from_u128(1)), profile_id, number, "AT").await;
    }
    api.places.move_to(Some("AT"), false);
    api.settled().await;
    (client, profile)
}

#[tokio::test]
async fn a_home_screen_has_what_is_begun_what_is_trending_and_what_is_liked() {
    let api = TestApi::start().await;
    let (client, profile) = household(&api, 60).await;
    let home = client.ask(&home(&profile, 10)).await["home"].clone();
    let rows = home["rows"].as_array().unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                text(&row["title"]["key"]),
                row["title"]["value"].clone(),
                text(&row["explanation"]["key"]),
            )
        })
        .collect();
    let row = |key: &str, value: Value, because: &str| {
        (format!("home.{key}"), value, format!("home.because.{because}"))
    };
    assert_eq!(
        shown,
        [
            row("continue_watching", Value::Null, "continue_watching"),
            row("trending.region", json!("AT"), "trending.region"),
            row("new", Value::Null, "new"),
            row("genre", json!("Crime"), "genre.watched"),
            row("genre", json!("Drama"), "genre.watched"),
            row("genre", json!("Comedy"), "genre.large"),
        ]
    );
    let watching = &rows[0];
    assert_eq!(watching["titles"]["nodes"].as_array().unwrap().len(), 4);
    for (nth, item) in watching["continueWatching"]["nodes"].as_array().unwrap().iter().enumerate()
    {
        assert_eq!(item["title"]["id"], watching["titles"]["nodes"][nth]["id"]);
        assert_eq!(item["positionMs"], 120_000);
    }
    for row in &rows[1..] {
        assert_eq!(row["continueWatching"], Value::Null);
        assert_eq!(row["titles"]["nodes"].as_array().unwrap().len(), 10, "{row}");
    }
    for row in &rows[3..] {
        let genre = &row["title"]["value"];
        let nodes = row["titles"]["nodes"].as_array().unwrap();
        assert!(nodes.iter().all(|title| title["genres"] == json!([genre])), "{row}");
    }
}

#[tokio::test]
async fn a_row_goes_on_where_its_page_ended() {
    let api = TestApi::start().await;
    let (client, profile) = household(&api, 60).await;
    let home = client.ask(&home(&profile, 3)).await["home"].clone();
    for row in home["rows"].as_array().unwrap() {
        let next = async |after: &str| {
            let query = format!(
                "{{ homeRow(id: {}) {{ id titles(first: 3, after: {after:?}) {{ nodes {{ id }} \
                 pageInfo {{ hasPreviousPage endCursor }} }} }} }}",
                row["id"]
            );
            client.ask(&query).await["homeRow"].clone()
        };
        let first = ids(&row["titles"]);
        let more = next(&text(&row["titles"]["pageInfo"]["endCursor"])).await;
        assert_eq!(more["id"], row["id"]);
        assert_eq!(more["titles"]["pageInfo"]["hasPreviousPage"], true);
        let both: BTreeSet<_> = first.into_iter().chain(ids(&more["titles"])).collect();
        assert_eq!(both.len(), if row["kind"] == "CONTINUE_WATCHING" { 4 } else { 6 }, "{row}");
    }
    let stranger = api.client(2);
    for row in home["rows"].as_array().unwrap() {
        let query = format!("{{ homeRow(id: {}) {{ id }} }}", row["id"]);
        assert_eq!(stranger.ask(&query).await["homeRow"], Value::Null);
    }
}

#[tokio::test]
async fn a_home_screen_asks_no_query_for_each_entry_and_shares_what_can_be_shared() {
    let api = TestApi::start().await;
    let (client, profile) = household(&api, 60).await;
    let cost = async |first| {
        let before = api.reads();
        let rows = client.ask(&home(&profile, first)).await["home"]["rows"].clone();
        (api.reads() - before, rows.as_array().unwrap().len())
    };
    let cold = cost(1).await;
    assert_eq!(cold, (27, 6), "three of the profile's own, and what is shared");
    for first in [1, 5, 20, 40] {
        assert_eq!(cost(first).await, (3, 6), "rows of {first}");
    }
    api.clock.advance(10_000);
    assert_eq!(cost(20).await, cold, "and after ten seconds they are read anew");
}

#[tokio::test]
async fn seasons_and_next_episodes_of_a_list_are_read_together() {
    let api = TestApi::start().await;
    for number in 0..30 {
        let (series, first) = (title(number), json!({ "kind": "series", "name": "Series" }));
        let episode = |nth: u64| {
            let place = json!({ "series_id": series, "season": 1, "number": nth });
            json!({ "kind": "episode", "name": format!("{number}/{nth}"), "episode_of": place })
        };
        for (number, mut metadata) in
            [(number, first), (100 + number, episode(1)), (200 + number, episode(2))]
        {
            (metadata["maturity"], metadata["genres"]) = (json!("all"), json!([]));
            let id = title(number);
            let added = json!({ "title_id": id, "metadata": metadata, "at_ms": BEGIN_MS });
            let added = added.to_string().into_bytes();
            api.record(&format!("title-{id}"), "TitleAdded", 2, added).await;
        }
    }
    api.settled().await;
    let nobody = api.nobody();
    let read = async |kind: &str, first: u32| {
        let query = format!(
            "{{ titles(first: {first}, filter: {{ type: {kind} }}) {{ nodes {{ name \
             seasons {{ number episodeCount }} nextEpisode {{ name }} }} }} }}"
        );
        let before = api.reads();
        let nodes = nobody.ask(&query).await["titles"]["nodes"].clone();
        (api.reads() - before, nodes.as_array().unwrap().clone())
    };
    for first in [1, 10, 30] {
        let (reads, series) = read("SERIES", first).await;
        assert_eq!(reads, 2, "{first} series");
        let season = json!([{ "number": 1, "episodeCount": 2 }]);
        assert!(series.iter().all(|it| it["seasons"] == season), "{series:?}");
        let (reads, episodes) = read("EPISODE", first).await;
        assert_eq!(reads, 2, "{first} episodes");
        for episode in episodes {
            let name = text(&episode["name"]);
            let series = name.strip_suffix("/1");
            let next = series.map(|series| json!({ "name": format!("{series}/2") }));
            assert_eq!(episode["nextEpisode"], json!(next), "{name}");
        }
    }
}

#[tokio::test]
async fn a_kids_profile_is_shown_nothing_that_it_may_not_see() {
    let api = TestApi::start().await;
    let (mut client, adult) = household(&api, 60).await;
    let add = json!({ "name": "Kid", "kids": true });
    let kid = text(&client.mutate("addProfile", add, "profile { id }").await["profile"]["id"]);
    let profile_id = crate::harness::key_of(&kid);
    for number in [1, 2, 3] {
        api.watched(AccountId(Uuid::from_u128(1)), profile_id, number, "AT").await;
    }
    api.settled().await;
    // The adult looks first, so that what is kept for them is there.
    client.ask(&home(&adult, 40)).await;
    let home = client.ask(&home(&kid, 40)).await["home"].clone();
    let rows = home["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    let allowed: BTreeSet<String> = (0..60)
        .filter(|number| number % 2 == 0)
        .map(|number| crate::harness::global(&format!("Title:{}", title(number))))
        .collect();
    for row in rows {
        assert!(ids(&row["titles"]).iter().all(|id| allowed.contains(id)), "{row}");
    }
    assert_eq!(ids(&rows[0]["titles"]).len(), 1, "2, and neither 1 nor 3");
    let genres =
        client.ask(&format!("{{ genres(profileId: {kid:?}) {{ name totalCount }} }}")).await;
    let counts: Vec<_> = GENRES.map(|name| json!({ "name": name, "totalCount": 10 })).into();
    assert_eq!(genres["genres"], json!(counts));
}

#[tokio::test]
async fn a_new_profile_is_shown_the_worlds_and_the_largest() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let profile = client.join("Ada").await;
    let empty = client.ask(&home(&profile, 5)).await;
    assert_eq!(empty["home"]["rows"], json!([]));
    api.clock.advance(10_000);
    for number in 0..9 {
        api.list(number, BEGIN_MS - 1, "all").await;
    }
    api.settled().await;
    let rows = client.ask(&home(&profile, 5)).await["home"]["rows"].clone();
    let kinds: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| row["explanation"]["key"].clone()).collect();
    let large = "home.because.genre.large";
    assert_eq!(kinds, ["home.because.new", large, large, large]);
    let nobody = api.nobody().run(&home(&profile, 5), json!({})).await;
    assert_eq!((nobody.code(), &nobody.body["data"]["home"]), ("UNAUTHENTICATED", &Value::Null));
    let other = api.client(2).run(&home(&profile, 5), json!({})).await;
    assert_eq!(other.code(), "NOT_FOUND");
}

#[tokio::test]
async fn what_is_new_stays_as_it_was_when_the_walk_began() {
    let api = TestApi::start().await;
    for number in 0..40 {
        api.list(number, BEGIN_MS - 1_000 + i64::try_from(number).unwrap(), "all").await;
    }
    api.settled().await;
    let nobody = api.nobody();
    let global = |number| crate::harness::global(&format!("Title:{}", title(number)));
    let page = async |after: Option<&str>, args: &str| {
        let query = format!(
            "query($after: String) {{ newTitles(first: 15, after: $after{args}) {{ nodes {{ id }} \
             pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        nobody.run(&query, json!({ "after": after })).await.data()["newTitles"].clone()
    };
    let first = page(None, "").await;
    for number in 40..60 {
        api.clock.advance(10);
        api.list(number, api.clock_ms(), "all").await;
    }
    api.withdraw(30).await;
    api.withdraw(3).await;
    api.settled().await;
    let second = page(first["pageInfo"]["endCursor"].as_str(), "").await;
    let third = page(second["pageInfo"]["endCursor"].as_str(), "").await;
    assert_eq!(third["pageInfo"]["hasNextPage"], false);
    let walked: Vec<_> = [first, second, third].iter().flat_map(ids).collect();
    let expected: Vec<_> = (0..40).rev().filter(|number| *number != 3).map(global).collect();
    assert_eq!(walked, expected, "30 was gone after it was met, 3 before");
    api.clock.advance(10_000);
    let anew = page(None, ", genre: \"drama\"").await;
    assert_eq!(ids(&anew)[..2], [global(59), global(56)]);
}
