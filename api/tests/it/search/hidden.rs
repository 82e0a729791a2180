//! What a viewer may not play is not there for them: not in searches, suggestions or what is alike.

use super::*;

/// Tests begin at 2027-01-15 08:00 UTC.
const HOUR_MS: i64 = 3_600_000;

/// What somebody is shown of titles called "Lantern …" and of what is like the first of them.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    searched: Vec<String>,
    suggested: Vec<String>,
    similar: Vec<String>,
}

impl Shown {
    fn all(names: &[&str]) -> Self {
        let full: Vec<String> = names.iter().map(|it| format!("Lantern {it}")).collect();
        Self { searched: full.clone(), suggested: full.clone(), similar: full }
    }
}

/// Sorted: who is shown what matters here, not in which order.
async fn shown(client: &Client<'_>, profile: Option<&str>) -> Shown {
    let query = "query($t: ID!, $p: ID) { search(query: \"lantern\", profileId: $p) { \
        totalCount nodes { name } facets { types { count } } } \
        suggest(input: \"lantern\", profileId: $p) { text type title { name } } \
        title(id: $t, profileId: $p) { similar { name } } }";
    let answer = client.run(query, json!({ "t": global_id(100), "p": profile })).await.data();
    let names = |list: &Value, key: &str| {
        let names = list.as_array().unwrap().iter().map(|it| text(&it[key]));
        let mut names: Vec<String> = names.filter(|name| name != "Beacon").collect();
        names.sort_unstable();
        names
    };
    let search = &answer["search"];
    let searched = names(&search["nodes"], "name");
    assert_eq!(search["totalCount"], searched.len(), "what is hidden is not counted either");
    let counted = search["facets"]["types"].as_array().unwrap().iter();
    let counted: u64 = counted.map(|it| it["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, u64::try_from(searched.len()).unwrap());
    for suggestion in answer["suggest"].as_array().unwrap() {
        assert_eq!(suggestion["text"], suggestion["title"]["name"]);
    }
    Shown {
        searched,
        suggested: names(&answer["suggest"], "text"),
        similar: names(&answer["title"]["similar"], "name"),
    }
}

/// A household of an adult and a child, and lanterns that differ in who may see them when.
struct Household<'a> {
    client: Client<'a>,
    adult: String,
    child: String,
}

impl<'a> Household<'a> {
    async fn of(api: &'a TestApi) -> Self {
        let mut client = api.client(1);
        let adult = client.join("Ada").await;
        let add = json!({ "name": "Kid", "kids": true });
        let added = client.mutate("addProfile", add, "profile { id }").await;
        let child = text(&added["profile"]["id"]);
        api.add(100, film("Beacon", "Drama")).await;
        for (number, name, maturity) in [
            (0, "Always", Maturity::All),
            (1, "Window", Maturity::All),
            (2, "Blocked", Maturity::All),
            (3, "Adult", Maturity::From18),
            (4, "Thirteen", Maturity::From13),
            (5, "Nowhere", Maturity::All),
        ] {
            let title = film(&format!("Lantern {name}"), "Drama");
            api.add(number, Metadata { maturity: Some(maturity), ..title }).await;
        }
        // Nothing is said about for whom this is, so it is for adults.
        let unrated = film("Lantern Unrated", "Drama");
        api.add(6, Metadata { maturity: None, ..unrated }).await;
        let window = json!({
            "territories": ["AT"], "from": "2027-01-15T09:00:00Z", "until": "2027-01-15T10:00:00Z",
        });
        let schedule = json!({ "titleId": global_id(1), "windows": [window] });
        for (mutation, input) in [
            ("scheduleAvailability", schedule),
            ("scheduleAvailability", json!({ "titleId": global_id(5), "windows": [] })),
            ("blockTerritories", json!({ "titleId": global_id(2), "territories": ["AT"] })),
        ] {
            let payload = client.mutate(mutation, input, "title { id }").await;
            assert_eq!(payload["errors"], json!([]), "{payload}");
        }
        api.searchable().await;
        Self { client, adult, child }
    }
}

#[tokio::test]
async fn nobody_finds_what_they_may_not_play() {
    let api = TestApi::start().await;
    let Household { client, adult, child } = Household::of(&api).await;
    let viewer =
        Client { positions: client.positions.clone(), ..api.client_as(1, &[Role::Viewer]) };
    let nobody = api.nobody();
    for (place, for_adults, for_children) in [
        (Some("AT"), vec!["Adult", "Always", "Thirteen", "Unrated"], vec!["Always"]),
        (
            Some("DE"),
            vec!["Adult", "Always", "Blocked", "Thirteen", "Unrated"],
            vec!["Always", "Blocked"],
        ),
        // Wherever they are, it may be where it is blocked.
        (None, vec!["Adult", "Always", "Thirteen", "Unrated"], vec!["Always"]),
    ] {
        api.places.move_to(place, false);
        assert_eq!(shown(&client, Some(&adult)).await, Shown::all(&for_adults), "{place:?}");
        assert_eq!(shown(&client, Some(&child)).await, Shown::all(&for_children), "{place:?}");
        assert_eq!(shown(&nobody, None).await, Shown::all(&for_children), "{place:?}");
        let anybody = shown(&viewer, None).await;
        assert_eq!(anybody, Shown::all(&for_children), "any of the profiles may be watching");
    }
    let everything =
        ["Adult", "Always", "Blocked", "Nowhere", "Thirteen", "Unrated", "Window"].as_slice();
    assert_eq!(shown(&client, None).await, Shown::all(everything), "who keeps the catalogue");
    let stranger = api.client(2).run(FOUND, json!({ "q": "lantern", "p": adult })).await;
    assert_eq!(stranger.code(), "NOT_FOUND");
    let stranger = nobody.run(FOUND, json!({ "q": "lantern", "p": adult })).await;
    assert_eq!(stranger.code(), "NOT_FOUND");
}

#[tokio::test]
async fn a_title_is_found_while_its_window_is_open_without_anything_being_done() {
    let api = TestApi::start().await;
    let Household { child, .. } = Household::of(&api).await;
    api.places.move_to(Some("AT"), false);
    let open = Shown::all(&["Always", "Window"]);
    let shut = Shown::all(&["Always"]);
    let now = async || {
        // Tokens last for an hour.
        shown(&api.client(1), Some(&child)).await
    };
    api.clock.advance(HOUR_MS - 1);
    assert_eq!(now().await, shut);
    api.clock.advance(1);
    assert_eq!(now().await, open);
    api.places.move_to(Some("DE"), false);
    assert_eq!(now().await, Shown::all(&["Always", "Blocked"]), "elsewhere it is not");
    api.places.move_to(Some("AT"), false);
    api.clock.advance(HOUR_MS - 1);
    assert_eq!(now().await, open);
    api.clock.advance(1);
    assert_eq!(now().await, shut);
}

#[tokio::test]
async fn what_was_withdrawn_or_changed_is_hidden_before_suggestions_are_made_anew() {
    let api = TestApi::start().await;
    let Household { mut client, child, .. } = Household::of(&api).await;
    api.places.move_to(Some("DE"), false);
    assert_eq!(shown(&client, Some(&child)).await, Shown::all(&["Always", "Blocked"]));
    client.mutate("withdrawTitle", json!({ "titleId": global_id(0) }), "titleId").await;
    let edit = json!({
        "titleId": global_id(2), "name": "Lantern Blocked", "type": "MOVIE", "maturity": "FROM_16",
        "genres": ["Drama"],
    });
    client.mutate("editTitle", edit, "title { id }").await;
    assert_eq!(shown(&client, Some(&child)).await, Shown::all(&[]));
    api.searchable().await;
    assert_eq!(shown(&client, Some(&child)).await, Shown::all(&[]));
}

#[tokio::test]
async fn people_and_genres_of_what_is_hidden_are_hidden_too() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let adult = client.join("Ada").await;
    let horror = with_actors(film("Cellar", "Zombies"), &["Zora Quill"]);
    api.add(1, Metadata { maturity: Some(Maturity::From18), ..horror }).await;
    api.searchable().await;
    let query = "query($p: ID) { suggest(input: \"z\", profileId: $p) { text } }";
    let seen = async |client: &Client<'_>, profile: Option<&str>| {
        client.run(query, json!({ "p": profile })).await.data()["suggest"].clone()
    };
    let expected = json!([{ "text": "Zombies" }, { "text": "Zora Quill" }]);
    assert_eq!(seen(&client, Some(&adult)).await, expected);
    assert_eq!(seen(&api.nobody(), None).await, json!([]));
    assert_eq!(names(&api.nobody(), "zora quill").await, [""; 0]);
    let found = found(&api.nobody(), "cellra").await;
    assert_eq!(found["didYouMean"], Value::Null, "it says nothing of what is hidden");
}

#[tokio::test]
async fn drafts_are_found_by_content_administrators_only_until_they_are_published() {
    let api = TestApi::start().await;
    let mut mine = api.client_as(2, &[Role::Viewer, Role::Creator]);
    let input = json!({
        "name": "Lantern Draft", "type": "MOVIE", "draft": true, "maturity": "ALL",
        "genres": ["Drama"],
    });
    api.add(100, film("Beacon", "Drama")).await;
    let draft = mine.mutate("addTitle", input, "title { id }").await;
    api.searchable().await;
    let mut admin = api.client(1);
    admin.positions.clone_from(&mine.positions);
    for client in [&mine, &api.nobody()] {
        assert_eq!(shown(client, None).await, Shown::all(&[]));
    }
    assert_eq!(shown(&admin, None).await.searched, ["Lantern Draft"]);
    let publish = json!({ "titleId": draft["title"]["id"] });
    mine.mutate("publishTitle", publish, "title { id }").await;
    api.searchable().await;
    for client in [&mine, &admin, &api.nobody()] {
        assert_eq!(shown(client, None).await, Shown::all(&["Draft"]));
    }
}
