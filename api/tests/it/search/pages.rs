//! Walks along what was found.

use std::collections::BTreeSet;

use super::*;

const PAGE: &str = "query($q: String!, $after: String, $f: SearchFilter, $p: ID) { \
    search(query: $q, filter: $f, first: 7, after: $after, profileId: $p) { totalCount \
    nodes { name } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }";

async fn api_with(count: u64) -> TestApi {
    let api = TestApi::start().await;
    for number in 0..count {
        api.add(number, film(&format!("Night {number:03}"), "Drama")).await;
    }
    api.searchable().await;
    api
}

async fn page(client: &Client<'_>, after: &Value) -> Value {
    let answer = client.run(PAGE, json!({ "q": "night", "after": after })).await;
    answer.data()["search"].clone()
}

fn shown(page: &Value) -> Vec<String> {
    page["nodes"].as_array().unwrap().iter().map(|it| text(&it["name"])).collect()
}

#[tokio::test]
async fn a_walk_meets_every_title_once_and_in_order() {
    let api = api_with(60).await;
    let nobody = api.nobody();
    let at_once = names(&nobody, "night").await;
    let (mut walked, mut after) = (vec![], Value::Null);
    loop {
        let page = page(&nobody, &after).await;
        assert_eq!(page["totalCount"], 60);
        assert_eq!(page["pageInfo"]["hasPreviousPage"], after.is_string());
        walked.extend(shown(&page));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(at_once.len(), 60);
    assert_eq!(walked, at_once);
}

#[tokio::test]
async fn a_walk_goes_on_behind_its_last_title_while_others_come_and_go() {
    let api = api_with(60).await;
    let nobody = api.nobody();
    let before = names(&nobody, "night").await;
    let first = page(&nobody, &Value::Null).await;
    // One that was met and one that is to come leave; one comes that belongs before.
    for name in [&before[2], &before[9]] {
        api.withdraw(name.trim_start_matches("Night ").parse().unwrap()).await;
    }
    let rating = Some(AudienceRating { average_tenths: 90, votes: 1_000 });
    api.add(99, Metadata { rating, ..film("Night 999", "Drama") }).await;
    api.add(98, Metadata { rating, ..film("Night 998", "Drama") }).await;
    api.searchable().await;
    let second = page(&nobody, &first["pageInfo"]["endCursor"]).await;
    let expected: Vec<_> = [&before[7..9], &before[10..15]].concat();
    assert_eq!(shown(&second), expected);
    assert_eq!(second["totalCount"], 60);
}

#[tokio::test]
async fn if_the_last_title_is_gone_the_walk_goes_on_where_it_was() {
    let api = api_with(60).await;
    let nobody = api.nobody();
    let before = names(&nobody, "night").await;
    let first = page(&nobody, &Value::Null).await;
    api.withdraw(before[6].trim_start_matches("Night ").parse().unwrap()).await;
    api.searchable().await;
    let second = page(&nobody, &first["pageInfo"]["endCursor"]).await;
    assert_eq!(shown(&second), before[7..14]);
}

#[tokio::test]
async fn nothing_is_shown_behind_the_first_thousand() {
    let api = api_with(1_030).await;
    let nobody = api.nobody();
    let query = "query($after: String) { search(query: \"night\", first: 100, after: $after) { \
        totalCount nodes { name } pageInfo { hasNextPage endCursor } } }";
    let (mut walked, mut after) = (vec![], Value::Null);
    loop {
        let page = nobody.run(query, json!({ "after": after })).await.data()["search"].clone();
        assert_eq!(page["totalCount"], 1_030);
        assert_eq!(shown(&page).len(), 100);
        walked.extend(shown(&page));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(walked.iter().collect::<BTreeSet<_>>().len(), walked.len(), "none came twice");
    assert_eq!(walked.len(), 1_000);
    let beyond = nobody.run(query, json!({ "after": after })).await.data()["search"].clone();
    assert_eq!(beyond["nodes"], json!([]));
    assert_eq!(beyond["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn a_cursor_that_was_made_up_or_is_of_another_search_or_viewer_is_refused() {
    let api = api_with(30).await;
    let mut client = api.client(1);
    let profile = client.join("Ada").await;
    let cursor = text(&page(&client, &Value::Null).await["pageInfo"]["endCursor"]);
    let code = async |client: &Client<'_>, change: Value| {
        let mut variables = json!({ "q": "night", "after": cursor });
        variables.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        client.run(PAGE, variables).await.code().to_owned()
    };
    assert_eq!(code(&client, json!({})).await, "none");
    let mut altered = cursor.clone().into_bytes();
    altered[30] = if altered[30] == b'A' { b'B' } else { b'A' };
    let titles = "{ titles(first: 2) { pageInfo { endCursor } } }";
    let titles = client.ask(titles).await["titles"]["pageInfo"]["endCursor"].clone();
    for change in [
        json!({ "after": String::from_utf8(altered).unwrap() }),
        json!({ "after": titles }),
        json!({ "after": "" }),
        json!({ "after": "garbage" }),
        json!({ "after": "\u{0}" }),
        json!({ "after": "A".repeat(9_000) }),
        json!({ "q": "nights" }),
        json!({ "f": { "genres": ["Drama"] } }),
        json!({ "p": profile }),
    ] {
        assert_eq!(code(&client, change.clone()).await, "BAD_CURSOR", "{change:.100}");
    }
    let used = format!("{{ titles(first: 2, after: {cursor:?}) {{ totalCount }} }}");
    let answer = client.run(&used, json!({})).await;
    assert_eq!(answer.code(), "BAD_CURSOR");
    assert_eq!(answer.body["errors"][0]["extensions"]["field"], "after");
}

#[tokio::test]
async fn a_page_size_that_is_left_out_is_the_usual_one() {
    let api = api_with(30).await;
    let mut client = api.client(1);
    let series = json!({ "name": "Series", "type": "SERIES", "maturity": "ALL" });
    let series = text(&client.mutate("addTitle", series, "title { id }").await["title"]["id"]);
    let pilot = json!({
        "name": "Pilot", "type": "EPISODE", "seriesId": series, "season": 1, "episode": 1,
        "credits": [{ "name": "Ada", "role": "ACTOR" }], "maturity": "ALL",
    });
    client.mutate("addTitle", pilot, "title { id }").await;
    let profile = client.join("Ada").await;
    api.searchable().await;
    let nodes = "nodes { __typename }";
    let fields = [
        format!("search(query: \"night\", first: $n) {{ {nodes} }}"),
        "suggest(input: \"n\", first: $n) { text }".to_owned(),
        format!("titles(first: $n) {{ {nodes} }}"),
        format!("newTitles(first: $n) {{ {nodes} }}"),
        format!("trending(first: $n) {{ {nodes} }}"),
        format!("myVideos(first: $n) {{ {nodes} }}"),
        format!("title(id: {series:?}) {{ history(first: $n) {{ {nodes} }} }}"),
        format!("titleHistory(id: {series:?}, first: $n) {{ {nodes} }}"),
        format!("title(id: {series:?}) {{ extras(first: $n) {{ {nodes} }} }}"),
        format!("title(id: {series:?}) {{ trailers(first: $n) {{ {nodes} }} }}"),
        format!("title(id: {series:?}) {{ similar(first: $n) {{ name }} }}"),
        format!("title(id: {series:?}) {{ seasons {{ episodes(first: $n) {{ {nodes} }} }} }}"),
        format!("person(name: \"Ada\") {{ titles(first: $n) {{ {nodes} }} }}"),
        format!("viewer {{ profile {{ history(first: $n) {{ {nodes} }} }} }}"),
        format!("viewer {{ profile {{ continueWatching(first: $n) {{ {nodes} }} }} }}"),
        format!("home(profileId: {profile:?}) {{ rows {{ titles(first: $n) {{ {nodes} }} }} }}"),
        format!(
            "home(profileId: {profile:?}) {{ rows {{ continueWatching(first: $n) {{ {nodes} }} }} }}"
        ),
    ];
    let arguments = playhead_api::sdl().lines().filter(|it| it.contains("first: Int")).count();
    assert_eq!(fields.len(), arguments, "every field that has pages is in here");
    let admin = api.client_as(1, &[Role::Viewer, Role::ContentAdmin, Role::Creator]);
    for field in fields {
        let with = admin.run(&format!("query($n: Int) {{ {field} }}"), json!({})).await;
        let usual = if field.starts_with("suggest") { "10" } else { "20" };
        let plain = format!("{{ {} }}", field.replace("$n", usual));
        assert_eq!(with.data(), admin.ask(&plain).await, "{field}");
    }
}
