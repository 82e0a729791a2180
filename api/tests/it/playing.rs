//! Who may play what, as clients meet it: limits of profiles, PINs, schedules, places and devices.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playhead_api::Role;
use playhead_domain::identity::Ask;
use playhead_domain::{AccountId, Personal};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Client, TestApi, global, text};

async fn household(api: &TestApi) -> (Client<'_>, String) {
    let mut client = api.client(1);
    let profile = client.join("Ada").await;
    client.mutate("subscribe", json!({ "plan": "BASIC" }), "account { id }").await;
    (client, profile)
}

fn code(payload: &Value) -> &str {
    payload["errors"][0]["code"].as_str().unwrap_or("none")
}

#[tokio::test]
async fn a_kids_profile_does_not_find_is_not_offered_and_does_not_play_what_it_may_not() {
    let api = TestApi::start().await;
    let (mut client, adult) = household(&api).await;
    let input = json!({ "name": "Horror", "type": "MOVIE", "maturity": "FROM_18" });
    let horror = text(&client.mutate("addTitle", input, "title { id }").await["title"]["id"]);
    let fable = client.film("Fable").await;
    let add = json!({ "name": "Kid", "kids": true });
    let kid = client.mutate("addProfile", add, "profile { id maturityMax }").await;
    assert_eq!(kid["profile"]["maturityMax"], "FROM_7");
    let kid = text(&kid["profile"]["id"]);
    let seen = "query($p: ID, $t: ID!) { titles(profileId: $p) { totalCount nodes { id } } \
                title(id: $t, profileId: $p) { id } node(id: $t, profileId: $p) { id } }";
    let by = async |client: &Client<'_>, profile: Value| {
        client.run(seen, json!({ "p": profile, "t": horror })).await.data()
    };
    let hidden = json!({ "titles": { "totalCount": 1, "nodes": [{ "id": fable }] }, "title": null, "node": null });
    assert_eq!(by(&client, json!(kid)).await, hidden);
    assert_eq!(by(&client, json!(adult)).await["titles"]["totalCount"], 2);
    let mut viewer = api.client_as(1, &[Role::Viewer]);
    viewer.positions = client.positions.clone();
    assert_eq!(by(&viewer, Value::Null).await, hidden, "the most limited profile counts");
    assert_eq!(by(&api.nobody(), Value::Null).await, hidden);

    let refused = client.start(&kid, &horror, "TV").await;
    assert_eq!(code(&refused), "TOO_MATURE");
    assert_eq!(refused["errors"][0]["rating"], "FROM_18");
    assert_eq!(refused["errors"][0]["maturityLimit"], "FROM_7");
    let started = client.start(&adult, &horror, "TV").await;
    assert_eq!(code(&started), "none");
    let input = json!({ "playbackToken": started["playback"]["token"], "positionMs": 1_000 });
    client.mutate("stopPlayback", input, "sessionId").await;
    assert_eq!(code(&client.start(&kid, &fable, "TV").await), "none");
}

#[tokio::test]
async fn a_pin_is_asked_for_counted_and_locked() {
    let api = TestApi::start().await;
    let (mut client, profile) = household(&api).await;
    let film = client.film("Metropolis").await;
    let set = json!({ "profileId": profile, "pin": "4711" });
    let payload = client.mutate("setProfilePin", set, "profile { hasPin }").await;
    assert_eq!(payload["profile"]["hasPin"], true);
    assert_eq!(code(&client.start(&profile, &film, "TV").await), "PIN_REQUIRED");
    let with =
        |pin: &str| json!({ "profileId": profile, "titleId": film, "device": "TV", "pin": pin });
    for left in [4, 3, 2, 1, 0] {
        let payload = client.mutate("startPlayback", with("0000"), "playback { token }").await;
        assert_eq!(code(&payload), "WRONG_PIN", "{payload}");
        assert_eq!(payload["errors"][0]["triesLeft"], left);
    }
    let locked = client.mutate("startPlayback", with("4711"), "playback { token }").await;
    assert_eq!(code(&locked), "PIN_LOCKED");
    assert_eq!(locked["errors"][0]["until"], "2027-01-15T08:15:00.000Z");
    let message = "the PIN was wrong too often; try again at 2027-01-15T08:15:00.000Z";
    assert_eq!(locked["errors"][0]["message"], message);
    api.clock.advance(15 * 60_000);
    let started = client.mutate("startPlayback", with("4711"), "playback { token }").await;
    assert_eq!(code(&started), "none");

    let mut child = api.signed_in(1, 7, 3_600_000).await;
    let remove = json!({ "profileId": profile });
    let refused = child.mutate("removeProfilePin", remove.clone(), "profile { hasPin }").await;
    assert_eq!(code(&refused), "ACCOUNT_RIGHT_NEEDED");
    let mut parent = api.signed_in(1, 7, 60_000).await;
    let removed = parent.mutate("removeProfilePin", remove, "profile { hasPin }").await;
    assert_eq!(removed["profile"]["hasPin"], false);
}

#[tokio::test]
async fn a_title_is_played_where_and_when_it_is_offered() {
    let api = TestApi::start().await;
    let (mut client, profile) = household(&api).await;
    let film = client.film("Metropolis").await;
    let window = json!({
        "territories": ["AT"], "from": "2027-01-15T09:00:00Z", "until": "2027-01-15T10:00:00Z",
    });
    let schedule = json!({ "titleId": film, "windows": [window] });
    let scheduled = client.mutate("scheduleAvailability", schedule, "title { id }").await;
    assert_eq!(code(&scheduled), "none");
    let mut at = async |place: Option<&str>, vpn: bool| {
        api.places.move_to(place, vpn);
        let payload = client.start(&profile, &film, "TV").await;
        (code(&payload).to_owned(), payload["errors"][0]["from"].clone())
    };
    assert_eq!(at(Some("AT"), true).await.0, "VPN_REFUSED");
    assert_eq!(at(None, false).await.0, "TERRITORY_UNKNOWN");
    assert_eq!(at(Some("DE"), false).await.0, "NOT_IN_TERRITORY");
    let early = ("NOT_YET_AVAILABLE".to_owned(), json!("2027-01-15T09:00:00.000Z"));
    assert_eq!(at(Some("AT"), false).await, early);
    api.clock.advance(3_600_000 - 1);
    let mut client = api.client(1);
    assert_eq!(code(&client.start(&profile, &film, "TV").await), "NOT_YET_AVAILABLE");
    api.clock.advance(1);
    assert_eq!(code(&client.start(&profile, &film, "TV").await), "none");
    api.clock.advance(3_599_999);
    let mut client = api.client(1);
    api.clock.advance(1);
    assert_eq!(code(&client.start(&profile, &film, "TV").await), "NO_LONGER_AVAILABLE");
}

#[tokio::test]
async fn a_session_is_taken_over_and_a_title_marked() {
    let api = TestApi::start().await;
    let (mut client, profile) = household(&api).await;
    let film = client.film("Metropolis").await;
    let first = client.start(&profile, &film, "TV").await;
    assert_eq!(code(&client.start(&profile, &film, "Phone").await), "TOO_MANY_STREAMS");
    let take = json!({
        "profileId": profile, "titleId": film, "device": "Phone",
        "takeOver": first["playback"]["sessionId"],
    });
    let second = client.mutate("startPlayback", take, "playback { token }").await;
    assert_eq!(code(&second), "none");
    let input = json!({ "profileId": profile, "titleId": film });
    client.mutate("markWatched", input.clone(), "titleId").await;
    let progress = format!(
        "{{ viewer {{ profile {{ progress(titleId: {film:?}) {{ finished watchCount }} }} }} }}"
    );
    let marked = client.ask(&progress).await["viewer"]["profile"]["progress"].clone();
    assert_eq!(marked, json!({ "finished": true, "watchCount": 1 }));
    client.mutate("markUnwatched", input, "titleId").await;
    let marked = client.ask(&progress).await["viewer"]["profile"]["progress"].clone();
    assert_eq!(marked, json!({ "finished": false, "watchCount": 0 }));
}

#[tokio::test]
async fn only_what_a_profile_sees_is_marked_or_dismissed() {
    let api = TestApi::start().await;
    let (mut client, adult) = household(&api).await;
    let input = json!({ "name": "Horror", "type": "MOVIE", "maturity": "FROM_18" });
    let horror = text(&client.mutate("addTitle", input, "title { id }").await["title"]["id"]);
    let add = json!({ "name": "Kid", "kids": true });
    let kid = client.mutate("addProfile", add, "profile { id }").await;
    let kid = text(&kid["profile"]["id"]);
    let nowhere = global(&format!("Title:{}", Uuid::from_u128(9)));
    for mutation in ["markWatched", "dismissTitle"] {
        for (profile, title, expected) in [
            (&adult, &horror, "none"),
            (&kid, &horror, "UNKNOWN_TITLE"),
            (&adult, &nowhere, "UNKNOWN_TITLE"),
        ] {
            let input = json!({ "profileId": profile, "titleId": title });
            let said = client.mutate(mutation, input, "titleId").await;
            assert_eq!(code(&said), expected, "{mutation}");
        }
    }
    for mutation in ["markUnwatched", "restoreTitle", "removeFromHistory"] {
        let input = json!({ "profileId": adult, "titleId": nowhere });
        let said = client.mutate(mutation, input, "titleId").await;
        assert_eq!(code(&said), "none", "{mutation} takes only away");
    }
    client.mutate("withdrawTitle", json!({ "titleId": horror }), "titleId").await;
    for (profile, expected) in [(&adult, "none"), (&kid, "UNKNOWN_TITLE")] {
        let input = json!({ "profileId": profile, "titleId": horror });
        assert_eq!(code(&client.mutate("dismissTitle", input, "titleId").await), expected);
    }
}

#[tokio::test]
async fn what_was_watched_to_the_end_stays_so_and_nothing_moves_behind_a_stop() {
    let api = TestApi::start().await;
    let (mut client, profile) = household(&api).await;
    let film = client.film("Metropolis").await;
    let token = text(&client.start(&profile, &film, "TV").await["playback"]["token"]);
    let progress = format!(
        "{{ viewer {{ profile {{ progress(titleId: {film:?}) {{ positionMs watchCount }} }} }} }}"
    );
    let beat = |sequence: u32, position_ms: u64| json!({ "token": token, "sequence": sequence, "positionMs": position_ms });
    let stop = json!({ "playbackToken": token, "positionMs": 5_991_000, "sequence": 3 });
    for (step, position_ms) in [
        (beat(1, 5_990_000), 5_990_000),
        (beat(2, 30_000), 30_000),
        (stop, 5_991_000),
        (beat(4, 40_000), 5_991_000),
    ] {
        if step["playbackToken"].is_string() {
            client.mutate("stopPlayback", step, "sessionId").await;
        } else {
            assert_eq!(client.heartbeat(step).await.status, 200);
        }
        let found = client.ask(&progress).await["viewer"]["profile"]["progress"].clone();
        assert_eq!(found, json!({ "positionMs": position_ms, "watchCount": 1 }));
    }
}

/// Plays for a moment.
async fn play(client: &mut Client<'_>, profile: &str, film: &str, device: &str) -> Value {
    let started = client.start(profile, film, device).await;
    if let Some(token) = started["playback"]["token"].as_str() {
        client.mutate("stopPlayback", json!({ "playbackToken": token }), "sessionId").await;
    }
    started
}

#[tokio::test]
async fn as_many_devices_play_as_the_plan_allows_and_none_that_was_removed() {
    let api = TestApi::start().await;
    let (mut client, profile) = household(&api).await;
    let film = client.film("Metropolis").await;
    for device in ["TV", "Phone", "Laptop", "TV"] {
        assert_eq!(code(&play(&mut client, &profile, &film, device).await), "none", "{device}");
    }
    let refused = play(&mut client, &profile, &film, "Tablet").await;
    assert_eq!(code(&refused), "TOO_MANY_DEVICES");
    assert_eq!(refused["errors"][0]["limit"], 3);
    let devices = refused["errors"][0]["devices"].as_array().unwrap();
    let mut names: Vec<_> = devices.iter().map(|device| text(&device["name"])).collect();
    names.sort_unstable();
    assert_eq!(names, ["Laptop", "Phone", "TV"]);
    let phone = devices.iter().find(|device| device["name"] == "Phone").unwrap();
    client.mutate("removeDevice", json!({ "deviceId": phone["id"] }), "deviceId").await;
    let removed = play(&mut client, &profile, &film, "Phone").await;
    assert_eq!(code(&removed), "DEVICE_REMOVED");
    assert_eq!(code(&play(&mut client, &profile, &film, "Tablet").await), "none");
}

#[tokio::test]
async fn an_account_that_is_suspended_does_not_play() {
    let api = TestApi::start().await;
    let (mut client, profile) = household(&api).await;
    let film = client.film("Metropolis").await;
    let account_id = AccountId(Uuid::from_u128(1));
    let reason = Personal::Known("fraud".to_owned());
    api.identify(account_id, Ask::Suspend { reason }).await;
    // A token as young as the suspension is not void: the start itself must refuse.
    let refused = client.start(&profile, &film, "TV").await;
    assert_eq!(code(&refused), "ACCOUNT_SUSPENDED");
    api.identify(account_id, Ask::Reinstate).await;
    api.clock.advance(1_000);
    assert_eq!(code(&api.client(1).start(&profile, &film, "TV").await), "none");
}

#[tokio::test]
async fn an_account_whose_address_is_not_verified_does_not_play() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    client.mutate("openAccount", json!({}), "account { id }").await;
    let film = client.film("Metropolis").await;
    let profile = format!("Profile:{}.{}", Uuid::from_u128(1), Uuid::from_u128(2));
    let profile = URL_SAFE_NO_PAD.encode(profile);
    assert_eq!(code(&client.start(&profile, &film, "TV").await), "EMAIL_NOT_VERIFIED");
}

#[tokio::test]
async fn an_app_says_in_which_country_its_device_is() {
    let api = TestApi::start().await;
    let (mut client, profile) = household(&api).await;
    let film = client.film("Metropolis").await;
    let window = json!({ "territories": ["AT"], "from": "2027-01-15T08:00:00Z" });
    let schedule = json!({ "titleId": film, "windows": [window] });
    client.mutate("scheduleAvailability", schedule, "title { id }").await;
    let query = "query($t: ID!, $p: ID!) { title(id: $t, profileId: $p) { id } }";
    let body = json!({ "query": query, "variables": { "t": film, "p": profile } }).to_string();
    let in_country = async |country: &str| {
        let request = client.request("/graphql").header("playhead-device-country", country);
        api.send(request.body(Body::from(body.clone())).unwrap()).await
    };
    assert_eq!(in_country("AT").await.data()["title"]["id"], json!(film));
    assert_eq!(in_country("DE").await.data()["title"], Value::Null);
    api.places.move_to(Some("AT"), true);
    assert_eq!(in_country("AT").await.data()["title"], Value::Null, "a VPN hides the country");
    for wrong in ["Austria", "XX", "Ö"] {
        let answer = in_country(wrong).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "BAD_REQUEST"), "{wrong}");
    }
}

#[tokio::test]
async fn a_window_opens_and_closes_at_once_on_lists_that_many_share() {
    let api = TestApi::start().await;
    let (mut client, profile) = household(&api).await;
    let film = client.film("Metropolis").await;
    let window = json!({ "from": "2027-01-15T08:00:02Z", "until": "2027-01-15T08:00:04Z" });
    let schedule = json!({ "titleId": film, "windows": [window] });
    client.mutate("scheduleAvailability", schedule, "title { id }").await;
    api.settled().await;
    let query = format!("{{ home(profileId: {profile:?}) {{ rows {{ id }} }} }}");
    let mut shown = vec![];
    for _ in 0..6 {
        let home = client.ask(&query).await["home"].clone();
        shown.push(home["rows"] != json!([]));
        api.clock.advance(1_000);
    }
    assert_eq!(shown, [false, false, true, true, false, false]);
}
