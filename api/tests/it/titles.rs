//! What a title is made of, drafts and whose they are, and what happened to a title.

use playhead_api::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApi, global, text};

const SEEN: &str = "query($id: ID!) { title(id: $id) { name isDraft } }";

async fn seen(client: &Client<'_>, id: &str) -> Value {
    client.run(SEEN, json!({ "id": id })).await.data()["title"].clone()
}

async fn add(client: &mut Client<'_>, input: Value) -> String {
    let payload = client.mutate("addTitle", input, "title { id }").await;
    assert_eq!(payload["errors"], json!([]), "{payload}");
    text(&payload["title"]["id"])
}

fn creator(api: &TestApi, account: u128) -> Client<'_> {
    api.client_as(account, &[Role::Viewer, Role::Creator])
}

#[tokio::test]
async fn every_field_of_a_title_is_read_as_it_was_written() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let input = json!({
        "name": "Heat", "type": "DOCUMENTARY", "originalLanguage": "EN-us", "year": 1995,
        "localized": [
            { "language": "de", "name": "Hitze", "artworkUrl": "https://e.example/de.jpg" },
            { "language": "pt-br", "name": "Fogo", "synopsis": "Um ladrão." },
        ],
        "runtimeMs": 10_000, "intro": { "startMs": 10, "endMs": 20 }, "creditsStartMs": 9_000,
        "chapters": [{ "name": "One", "startMs": 0 }, { "name": "Two", "startMs": 500 }],
        "genres": ["Crime"], "tags": ["heist"], "directors": ["Michael Mann"],
        "cast": ["Al Pacino"],
        "credits": [{
            "name": "Robert De Niro", "role": "ACTOR", "character": "Neil", "key": "imdb:nm0000134",
        }],
        "rating": { "averageTenths": 83, "votes": 700_000 }, "synopsis": "A thief.",
        "artworkUrl": "https://e.example/heat.jpg",
    });
    let id = add(&mut client, input).await;
    let query = r#"query($id: ID!) { title(id: $id) {
        name type originalLanguage localized { language name synopsis artworkUrl }
        intro { startMs endMs } creditsStartMs chapters { name startMs } tags directors cast
        credits(roles: [ACTOR]) { name role character person { name key } }
        rating { averageTenths votes } isDraft owner
        de: name(language: "de-AT") pt: name(language: "pt") fr: name(language: "fr")
        synopsis(language: "pt-BR") artworkUrl(language: "de")
    } }"#;
    let title = client.run(query, json!({ "id": id })).await.data()["title"].clone();
    assert_eq!(title["originalLanguage"], "en-US");
    assert_eq!(title["localized"][1]["language"], "pt-BR");
    assert_eq!(title["localized"][1]["artworkUrl"], Value::Null);
    assert_eq!(title["intro"], json!({ "startMs": 10, "endMs": 20 }));
    assert_eq!(title["chapters"][1], json!({ "name": "Two", "startMs": 500 }));
    assert_eq!((&title["tags"], &title["type"]), (&json!(["heist"]), &json!("DOCUMENTARY")));
    assert_eq!(title["directors"], json!(["Michael Mann"]));
    assert_eq!(title["cast"], json!(["Al Pacino", "Robert De Niro"]));
    let de_niro = json!({
        "name": "Robert De Niro", "role": "ACTOR", "character": "Neil",
        "person": { "name": "Robert De Niro", "key": "imdb:nm0000134" },
    });
    assert_eq!(title["credits"][1], de_niro);
    assert_eq!(title["rating"], json!({ "averageTenths": 83, "votes": 700_000 }));
    assert_eq!((&title["isDraft"], &title["owner"]), (&json!(false), &Value::Null));
    let names = json!([title["de"], title["pt"], title["fr"], title["name"]]);
    assert_eq!(names, json!(["Hitze", "Fogo", "Heat", "Heat"]));
    assert_eq!(title["synopsis"], "Um ladrão.");
    assert_eq!(title["artworkUrl"], "https://e.example/de.jpg");
    let bad = r#"query($id: ID!) { title(id: $id) { name(language: "de_AT") } }"#;
    assert_eq!(client.run(bad, json!({ "id": id })).await.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_by_field() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let film = client.film("Metropolis").await;
    for (field, bad) in [
        ("originalLanguage", json!({ "originalLanguage": "german" })),
        ("localized/language", json!({ "localized": [{ "language": "", "name": "x" }] })),
        (
            "localized/language",
            json!({ "localized": [
            { "language": "de", "name": "x" }, { "language": "DE", "name": "y" },
        ] }),
        ),
        ("localized", json!({ "localized": [{ "language": "de" }] })),
        ("rating/averageTenths", json!({ "rating": { "averageTenths": 101, "votes": 1 } })),
        ("rating/votes", json!({ "rating": { "averageTenths": 1, "votes": -1 } })),
        ("intro", json!({ "intro": { "startMs": 5, "endMs": 5 } })),
        ("chapters/name", json!({ "chapters": [{ "name": "", "startMs": 5 }] })),
        ("credits/name", json!({ "credits": [{ "name": "", "role": "OTHER" }] })),
        ("tags", json!({ "tags": [""] })),
        ("extraOf", json!({ "extraOf": film })),
        ("extraOf", json!({ "type": "EXTRA", "extraOf": "nonsense" })),
    ] {
        let mut input = json!({ "name": "x", "type": "MOVIE" });
        input.as_object_mut().unwrap().extend(bad.as_object().unwrap().clone());
        let payload = client.mutate("addTitle", input, "title { id }").await;
        assert_eq!(payload["errors"][0]["code"], "INVALID_INPUT", "{field}: {payload}");
        assert_eq!(payload["errors"][0]["field"], field, "{payload}");
    }
}

#[tokio::test]
async fn a_draft_is_there_for_its_owner_and_content_administrators_only() {
    let api = TestApi::start().await;
    let (mut mine, mut admin) = (creator(&api, 2), api.client(1));
    let mut theirs = creator(&api, 3);
    let input = json!({ "name": "Draft", "type": "MOVIE", "draft": true, "maturity": "ALL" });
    let id = add(&mut mine, input).await;
    let draft = json!({ "name": "Draft", "isDraft": true });
    admin.positions = mine.positions.clone();
    theirs.positions = mine.positions.clone();
    let viewer = api.client_as(4, &[Role::Viewer]);
    // Somebody who lost the role no longer looks after their videos.
    let former = api.client_as(2, &[Role::Viewer]);
    assert_eq!(seen(&mine, &id).await, draft);
    assert_eq!(seen(&admin, &id).await, draft);
    for client in [&theirs, &viewer, &former, &api.nobody()] {
        assert_eq!(seen(client, &id).await, Value::Null);
    }
    let listed = "{ titles { totalCount nodes { name } } }";
    assert_eq!(mine.ask(listed).await["titles"]["totalCount"], 0);
    assert_eq!(admin.ask(listed).await["titles"]["totalCount"], 1);
    let own = "{ myVideos { nodes { name isDraft owner } } }";
    assert_eq!(mine.ask(own).await["myVideos"]["nodes"][0]["name"], "Draft");
    assert_eq!(theirs.ask(own).await["myVideos"]["nodes"], json!([]));

    let publish = json!({ "titleId": id, "idempotencyKey": "once" });
    let refused = theirs.mutate("publishTitle", publish.clone(), "title { id }").await;
    assert_eq!(refused["errors"][0]["code"], "UNKNOWN_TITLE");
    for _ in 0..2 {
        let payload = mine.mutate("publishTitle", publish.clone(), "title { isDraft }").await;
        assert_eq!(payload["title"], json!({ "isDraft": false }));
    }
    theirs.positions = mine.positions.clone();
    assert_eq!(seen(&theirs, &id).await, json!({ "name": "Draft", "isDraft": false }));
    assert_eq!(mine.ask(listed).await["titles"]["totalCount"], 1);
}

#[tokio::test]
async fn a_draft_cannot_be_played_not_even_by_its_owner() {
    let api = TestApi::start().await;
    let mut mine = creator(&api, 2);
    let profile = mine.join("Ada").await;
    mine.mutate("subscribe", json!({ "plan": "BASIC" }), "account { id }").await;
    let input = json!({ "name": "Draft", "type": "MOVIE", "draft": true, "maturity": "ALL" });
    let id = add(&mut mine, input).await;
    let missing = "VGl0bGU6MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAx";
    let refused = mine.start(&profile, &id, "TV").await["errors"].clone();
    assert_ne!(refused, json!([]));
    assert_eq!(refused, mine.start(&profile, missing, "TV").await["errors"]);
    mine.mutate("publishTitle", json!({ "titleId": id }), "title { id }").await;
    assert_eq!(mine.start(&profile, &id, "TV").await["errors"], json!([]));
}

#[tokio::test]
async fn creators_change_their_own_videos_and_no_others() {
    let api = TestApi::start().await;
    let (mut mine, mut theirs, mut admin) = (creator(&api, 2), creator(&api, 3), api.client(1));
    let video = json!({ "name": "Mine", "type": "MOVIE", "maturity": "ALL" });
    let id = add(&mut mine, video).await;
    let film = admin.film("Metropolis").await;
    mine.positions.extend(admin.positions.clone());
    theirs.positions.clone_from(&mine.positions);
    let edit = |id: &str| json!({ "titleId": id, "name": "New", "type": "MOVIE" });
    let block = |id: &str| json!({ "titleId": id, "territories": ["AT"] });
    for (client, id) in [(&mut theirs, &id), (&mut mine, &film)] {
        for (mutation, input) in [
            ("editTitle", edit(id)),
            ("blockTerritories", block(id)),
            ("makeAvailable", json!({ "titleId": id })),
            ("scheduleAvailability", json!({ "titleId": id, "windows": [] })),
            ("publishTitle", json!({ "titleId": id })),
        ] {
            let payload = client.mutate(mutation, input, "title { id }").await;
            assert_eq!(payload["errors"][0]["code"], "UNKNOWN_TITLE", "{mutation}: {payload}");
        }
        let payload = client.mutate("withdrawTitle", json!({ "titleId": id }), "titleId").await;
        assert_eq!(payload["errors"][0]["code"], "UNKNOWN_TITLE");
        let query = "query($id: ID!) { title(id: $id) { history { nodes { at } } } }";
        assert_eq!(client.run(query, json!({ "id": film })).await.code(), "FORBIDDEN");
    }
    let payload = mine.mutate("editTitle", edit(&id), "title { name owner }").await;
    assert_eq!(payload["title"]["name"], "New");
    let payload = mine
        .mutate("blockTerritories", block(&id), "title { availability { blockedTerritories } }")
        .await;
    assert_eq!(payload["title"]["availability"]["blockedTerritories"], json!(["AT"]));
    let payload = admin.mutate("withdrawTitle", json!({ "titleId": id }), "titleId").await;
    assert_eq!(payload["errors"], json!([]));
    let payload = mine.mutate("editTitle", edit(&id), "title { name }").await;
    assert_eq!(payload["errors"][0]["code"], "TITLE_WITHDRAWN");
    let payload = theirs.mutate("editTitle", edit(&id), "title { name }").await;
    assert_eq!(payload["errors"][0]["code"], "UNKNOWN_TITLE");
}

#[tokio::test]
async fn a_creator_adds_episodes_to_their_own_series_only() {
    let api = TestApi::start().await;
    let (mut mine, mut theirs) = (creator(&api, 2), creator(&api, 3));
    let series = json!({ "name": "Mine", "type": "SERIES", "draft": true });
    let series = add(&mut mine, series).await;
    let pilot = json!({
        "name": "Pilot", "type": "EPISODE", "seriesId": series, "season": 1, "episode": 1,
    });
    let refused = theirs.mutate("addTitle", pilot.clone(), "title { id }").await;
    assert_eq!(refused["errors"][0]["field"], "seriesId");
    let fields = "title { series { name } }";
    let payload = mine.mutate("addTitle", pilot, fields).await;
    assert_eq!(payload["errors"], json!([]));
    let extra = json!({ "name": "Making of", "type": "EXTRA", "extraOf": series });
    let refused = theirs.mutate("addTitle", extra.clone(), "title { id }").await;
    assert_eq!(refused["errors"][0]["field"], "extraOf");
    add(&mut mine, extra).await;
}

#[tokio::test]
async fn a_series_leads_to_episodes_and_a_film_to_its_extras_and_people() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let series = add(&mut client, json!({ "name": "Borgen", "type": "SERIES" })).await;
    let mut episodes = vec![];
    for (season, episode) in [(1, 1), (1, 2), (2, 1)] {
        let input = json!({
            "name": format!("S{season}E{episode}"), "type": "EPISODE", "seriesId": series,
            "season": season, "episode": episode, "year": 2010 + season,
            "credits": [{ "name": "Sidse Babett Knudsen", "role": "ACTOR" }],
        });
        episodes.push(add(&mut client, input).await);
    }
    for (kind, name) in [("EXTRA", "Making of"), ("TRAILER", "Teaser")] {
        let input = json!({ "name": name, "type": kind, "extraOf": series });
        add(&mut client, input).await;
    }
    let query = r#"query($id: ID!) { title(id: $id) {
        seasons { number episodeCount episodes(first: 1) {
            nodes { name nextEpisode { name } } pageInfo { hasNextPage endCursor }
        } }
        extras { nodes { name extraOf { name } } } trailers { nodes { name } }
    } }"#;
    let title = client.run(query, json!({ "id": series })).await.data()["title"].clone();
    let first = &title["seasons"][0];
    assert_eq!((&first["number"], &first["episodeCount"]), (&json!(1), &json!(2)));
    let expected = json!([{ "name": "S1E1", "nextEpisode": { "name": "S1E2" } }]);
    assert_eq!(first["episodes"]["nodes"], expected);
    assert_eq!(first["episodes"]["pageInfo"]["hasNextPage"], true);
    let after = r#"query($id: ID!, $after: String) { title(id: $id) {
        seasons { episodes(after: $after) { nodes { name } } } } }"#;
    let cursor = &first["episodes"]["pageInfo"]["endCursor"];
    let answer = client.run(after, json!({ "id": series, "after": cursor })).await;
    // It is a cursor of the first season, not of the second.
    assert_eq!(answer.code(), "BAD_CURSOR");
    let extras = json!([{ "name": "Making of", "extraOf": { "name": "Borgen" } }]);
    assert_eq!(title["extras"]["nodes"], extras);
    assert_eq!(title["trailers"]["nodes"], json!([{ "name": "Teaser" }]));
    let next = "query($id: ID!) { title(id: $id) { nextEpisode { name } } }";
    let last = client.run(next, json!({ "id": episodes[2] })).await.data();
    assert_eq!(last["title"]["nextEpisode"], Value::Null);
    let over = client.run(next, json!({ "id": episodes[1] })).await.data();
    assert_eq!(over["title"]["nextEpisode"]["name"], "S2E1");

    let person = r#"query($role: CreditRole) { person(name: "sidse babett knudsen") {
        name titles(first: 2, role: $role) { nodes { name } pageInfo { hasNextPage } } } }"#;
    let found = client.run(person, json!({})).await.data()["person"].clone();
    assert_eq!(found["name"], "Sidse Babett Knudsen");
    assert_eq!(found["titles"]["nodes"][0]["name"], "S2E1");
    assert_eq!(found["titles"]["pageInfo"]["hasNextPage"], true);
    let directed = client.run(person, json!({ "role": "DIRECTOR" })).await.data();
    assert_eq!(directed["person"]["titles"]["nodes"], json!([]));
    // Nothing of all this is for children.
    let child = api.nobody().run(person, json!({})).await.data();
    assert_eq!(child["person"], Value::Null);
    let neither = "{ person { name } }";
    assert_eq!(client.run(neither, json!({})).await.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn the_history_of_a_title_tells_who_changed_what_when() {
    let api = TestApi::start().await;
    let (mut mine, mut admin) = (creator(&api, 2), api.client(1));
    let input = json!({ "name": "Heat", "type": "MOVIE", "draft": true });
    let id = add(&mut mine, input).await;
    api.clock.advance(1_000);
    let edit = json!({ "titleId": id, "name": "Heat", "type": "MOVIE", "year": 1995 });
    admin.mutate("editTitle", edit, "title { id }").await;
    let block = json!({ "titleId": id, "territories": ["AT"] });
    mine.mutate("blockTerritories", block, "title { id }").await;
    mine.mutate("publishTitle", json!({ "titleId": id }), "title { id }").await;
    mine.positions = [mine.positions.clone(), admin.positions.clone()].concat();
    let query = r#"query($id: ID!, $first: Int, $after: String) { title(id: $id) {
        history(first: $first, after: $after) {
            nodes { at actor type fields { field from to } }
            pageInfo { hasNextPage endCursor }
        } } }"#;
    let read = async |first: u32, after: &Value| {
        let variables = json!({ "id": id, "first": first, "after": after });
        mine.run(query, variables).await.data()["title"]["history"].clone()
    };
    let whole = read(9, &Value::Null).await;
    let types: Vec<_> = whole["nodes"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
    assert_eq!(types, ["ADDED", "EDITED", "SCHEDULED", "PUBLISHED"]);
    let name = json!({ "field": "name", "from": null, "to": "\"Heat\"" });
    assert!(whole["nodes"][0]["fields"].as_array().unwrap().contains(&name), "{whole}");
    let edited = &whole["nodes"][1];
    assert_eq!(edited["fields"], json!([{ "field": "year", "from": null, "to": "1995" }]));
    assert_eq!(edited["actor"], "account:00000000-0000-0000-0000-000000000001");
    assert_eq!(whole["nodes"][0]["actor"], "account:00000000-0000-0000-0000-000000000002");
    assert_ne!(whole["nodes"][0]["at"], edited["at"]);
    let mut paged = vec![];
    let mut cursor = Value::Null;
    loop {
        let page = read(1, &cursor).await;
        paged.extend(page["nodes"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        cursor = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(json!(paged), whole["nodes"], "pages know what was said before them");
    let viewer = api.client_as(3, &[Role::Viewer]);
    let maturity = json!({
        "titleId": id, "name": "Heat", "type": "MOVIE", "year": 1995, "maturity": "ALL",
    });
    mine.mutate("editTitle", maturity, "title { id }").await;
    mine.mutate("makeAvailable", json!({ "titleId": id }), "title { id }").await;
    let viewer = Client { positions: mine.positions.clone(), ..viewer };
    let variables = json!({ "id": id, "first": 1 });
    let answer = viewer.run(query, variables).await;
    assert_eq!(answer.code(), "FORBIDDEN", "{}", answer.body);
}

#[tokio::test]
async fn the_history_of_a_withdrawn_title_is_there_for_content_administrators() {
    let api = TestApi::start().await;
    let mut admin = api.client(1);
    let id = add(&mut admin, json!({ "name": "Heat", "type": "MOVIE" })).await;
    admin.mutate("withdrawTitle", json!({ "titleId": id }), "titleId").await;
    let query = "query($id: ID!, $after: String) { titleHistory(id: $id, first: 1, after: $after) { \
        nodes { type } pageInfo { hasNextPage endCursor } } }";
    let first = admin.run(query, json!({ "id": id })).await.data()["titleHistory"].clone();
    assert_eq!(first["nodes"], json!([{ "type": "ADDED" }]));
    let variables = json!({ "id": id, "after": first["pageInfo"]["endCursor"] });
    let second = admin.run(query, variables).await.data()["titleHistory"].clone();
    assert_eq!(second["nodes"], json!([{ "type": "WITHDRAWN" }]));
    for missing in [global(&format!("Title:{}", Uuid::from_u128(77))), "nothing".to_owned()] {
        let answer = admin.run(query, json!({ "id": missing })).await;
        assert_eq!(answer.data()["titleHistory"], Value::Null);
    }
}
