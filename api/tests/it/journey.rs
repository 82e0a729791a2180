//! What a household does, from joining to going on tomorrow.

use serde_json::{Value, json};

use crate::harness::{TestApi, text};

#[tokio::test]
async fn a_household_joins_watches_and_goes_on_tomorrow() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    assert_eq!(client.ask("{ viewer { account { id } } }").await, json!({ "viewer": null }));

    let profile = client.join("Ada").await;
    let film = client.film("Metropolis").await;
    let refused = client.start(&profile, &film, "TV").await;
    assert_eq!(refused["errors"][0]["code"], "NOT_SUBSCRIBED");

    let fields = "account { plan streamsMax subscriptionEndsAt }";
    let subscribed = client.mutate("subscribe", json!({ "plan": "STANDARD" }), fields).await;
    let expected = json!({ "plan": "STANDARD", "streamsMax": 2, "subscriptionEndsAt": null });
    assert_eq!(subscribed["account"], expected);

    let started = client.start(&profile, &film, "TV").await;
    let playback = &started["playback"];
    assert_eq!(started["errors"], json!([]));
    assert_eq!(playback["resumeMs"], 0);
    assert_eq!(playback["heartbeatIntervalMs"], 30_000);
    assert_eq!(playback["startedAt"], "2027-01-15T08:00:00.000Z");
    assert_eq!(playback["expiresAt"], "2027-01-15T14:00:00.000Z");

    api.clock.advance(60_000);
    let token = text(&playback["token"]);
    let beat = json!({ "token": token, "sequence": 1, "positionMs": 60_000 });
    let answer = client.heartbeat(beat).await;
    assert_eq!((answer.status.as_u16(), &answer.body["accepted"]), (200, &json!(1)));

    let playing = "{ viewer { account { playing { device title { name } profile { name } } } } }";
    let playing = client.ask(playing).await["viewer"]["account"]["playing"].clone();
    let on_tv = json!([{ "device": "TV", "title": { "name": "Metropolis" }, "profile": { "name": "Ada" } }]);
    assert_eq!(playing, on_tv);

    api.clock.advance(1_440_000);
    let input = json!({ "playbackToken": token, "positionMs": 1_500_000 });
    let stopped = client.mutate("stopPlayback", input, "sessionId").await;
    assert_eq!(stopped["sessionId"], playback["sessionId"]);

    let query = "{ viewer { account { playing { device } } profile {
        continueWatching { nodes { title { name } positionMs durationMs progress reason } }
        history { nodes { sessionId title { name } device startedAt endedAt positionMs finished } }
    } } }";
    let viewer = client.ask(query).await["viewer"].clone();
    assert_eq!(viewer["account"]["playing"], json!([]));
    let row = json!([{
        "title": { "name": "Metropolis" }, "positionMs": 1_500_000, "durationMs": 6_000_000,
        "progress": 0.25, "reason": "IN_PROGRESS",
    }]);
    assert_eq!(viewer["profile"]["continueWatching"]["nodes"], row);
    let seen = &viewer["profile"]["history"]["nodes"][0];
    assert_eq!(seen["sessionId"], playback["sessionId"]);
    assert_eq!(seen["endedAt"], "2027-01-15T08:25:00.000Z");

    let again = client.start(&profile, &film, "Phone").await;
    assert_eq!(again["playback"]["resumeMs"], 1_500_000);

    let input = json!({ "profileId": profile, "titleId": film });
    client.mutate("dismissTitle", input, "titleId").await;
    let viewer = client.ask(query).await["viewer"].clone();
    assert_eq!(viewer["profile"]["continueWatching"]["nodes"], json!([]));
}

#[tokio::test]
async fn a_finished_film_begins_anew() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let profile = client.join("Ada").await;
    let film = client.film("Metropolis").await;
    client.mutate("subscribe", json!({ "plan": "BASIC" }), "account { id }").await;
    let token = text(&client.start(&profile, &film, "TV").await["playback"]["token"]);
    let input = json!({ "playbackToken": token, "positionMs": 5_990_000 });
    client.mutate("stopPlayback", input, "sessionId").await;
    client.ask("{ viewer { profile { history { nodes { finished } } } } }").await;
    let again = client.start(&profile, &film, "TV").await;
    assert_eq!(again["playback"]["resumeMs"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_starts_at_once_exactly_two_succeed() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let profile = client.join("Ada").await;
    let film = client.film("Metropolis").await;
    client.mutate("subscribe", json!({ "plan": "STANDARD" }), "account { id }").await;
    let starts = (0..100).map(|n| {
        let (mut client, profile, film) = (client.clone(), profile.clone(), film.clone());
        async move { client.start(&profile, &film, &format!("Device {n}")).await }
    });
    let payloads = futures::future::join_all(starts).await;
    let (started, refused): (Vec<_>, Vec<_>) =
        payloads.into_iter().partition(|payload| payload["playback"].is_object());
    assert_eq!((started.len(), refused.len()), (2, 98));
    for payload in refused {
        let error = &payload["errors"][0];
        assert_eq!(error["__typename"], "TooManyStreams");
        assert_eq!((&error["code"], &error["limit"]), (&json!("TOO_MANY_STREAMS"), &json!(2)));
        let playing = error["playing"].as_array().unwrap();
        assert_eq!(playing.len(), 2);
        for stream in playing {
            assert!(text(&stream["device"]).starts_with("Device "));
            assert_eq!(stream["title"]["name"], "Metropolis");
            assert_eq!(stream["profile"]["name"], "Ada");
        }
    }
}

#[tokio::test]
async fn a_command_sent_again_is_done_once() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    client.join("Ada").await;
    let subscribe = json!({ "plan": "BASIC", "idempotencyKey": "s1" });
    for _ in 0..2 {
        let payload = client.mutate("subscribe", subscribe.clone(), "account { plan }").await;
        assert_eq!(
            (&payload["account"]["plan"], &payload["errors"]),
            (&json!("BASIC"), &json!([]))
        );
        assert!(payload["position"].is_string());
    }
    let other = json!({ "plan": "BASIC", "idempotencyKey": "s2" });
    let payload = client.mutate("subscribe", other, "account { plan }").await;
    assert_eq!(payload["errors"][0]["code"], "ALREADY_SUBSCRIBED");

    let add = json!({ "name": "Ben", "idempotencyKey": "p1" });
    let first = client.mutate("addProfile", add.clone(), "profile { id }").await;
    let again = client.mutate("addProfile", add, "profile { id }").await;
    assert_eq!(first["profile"], again["profile"]);
    assert_eq!(again["errors"], json!([]));

    let profile = text(&first["profile"]["id"]);
    let film = client.film("Metropolis").await;
    let start = json!({
        "profileId": profile, "titleId": film, "device": "TV", "idempotencyKey": "x",
    });
    let first = client.mutate("startPlayback", start.clone(), "playback { sessionId }").await;
    let again = client.mutate("startPlayback", start, "playback { sessionId }").await;
    assert_eq!(first["playback"], again["playback"]);
}

#[tokio::test]
async fn a_cancelled_plan_runs_for_thirty_days() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    client.join("Ada").await;
    client.mutate("subscribe", json!({ "plan": "PREMIUM" }), "account { id }").await;
    let fields = "account { plan subscriptionEndsAt streamsMax }";
    let payload = client.mutate("cancelSubscription", Value::Null, fields).await;
    let expected = json!({
        "plan": "PREMIUM", "subscriptionEndsAt": "2027-02-14T08:00:00.000Z", "streamsMax": 4,
    });
    assert_eq!(payload["account"], expected);
    api.clock.advance(30 * 24 * 3_600_000);
    let client = api.client(1);
    let account = client.ask("{ viewer { account { plan subscriptionEndsAt streamsMax } } }").await;
    let expected = json!({ "plan": null, "subscriptionEndsAt": null, "streamsMax": 0 });
    assert_eq!(account["viewer"]["account"], expected);
}

#[tokio::test]
async fn the_catalogue_is_paged_filtered_and_edited() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    for name in ["Casablanca", "Alien", "Brazil"] {
        client.film(name).await;
    }
    let query = "query($after: String, $filter: TitleFilter) {
        titles(first: 2, after: $after, filter: $filter) {
            totalCount nodes { id name } pageInfo { hasNextPage hasPreviousPage endCursor }
        } }";
    let page = client.run(query, json!({})).await.data()["titles"].clone();
    let names = |page: &Value| {
        let nodes = page["nodes"].as_array().unwrap();
        nodes.iter().map(|node| text(&node["name"])).collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&page), &page["totalCount"]),
        (vec!["Alien".into(), "Brazil".into()], &json!(3))
    );
    let after = page["pageInfo"]["endCursor"].clone();
    let next = client.run(query, json!({ "after": after })).await.data()["titles"].clone();
    assert_eq!(names(&next), ["Casablanca"]);
    assert_eq!(next["pageInfo"]["hasNextPage"], false);
    assert_eq!(next["pageInfo"]["hasPreviousPage"], true);

    let filter = json!({ "genre": "Drama", "year": 1999, "type": "MOVIE" });
    let other = client.run(query, json!({ "after": after, "filter": filter })).await;
    assert_eq!(other.code(), "BAD_CURSOR");
    let drama = client.run(query, json!({ "filter": filter })).await.data()["titles"].clone();
    assert_eq!(drama["totalCount"], 3);
    let none = client.run(query, json!({ "filter": { "year": -7 } })).await.data();
    assert_eq!(none["titles"]["totalCount"], 0);

    let id = text(&page["nodes"][0]["id"]);
    let series =
        client.mutate("addTitle", json!({ "name": "S", "type": "SERIES" }), "title { id }").await;
    let edit = json!({
        "titleId": id, "name": "Aliens", "type": "EPISODE", "seriesId": series["title"]["id"],
        "season": 1, "episode": 2,
    });
    let edited = client.mutate("editTitle", edit, "title { name season episode }").await;
    assert_eq!(edited["title"], json!({ "name": "Aliens", "season": 1, "episode": 2 }));
    let title = "query($id: ID!) { title(id: $id) { name type series { name series { name } } } }";
    let read = client.run(title, json!({ "id": id })).await.data();
    let expected =
        json!({ "name": "Aliens", "type": "EPISODE", "series": { "name": "S", "series": null } });
    assert_eq!(read["title"], expected);
    client.mutate("withdrawTitle", json!({ "titleId": id }), "titleId").await;
    assert_eq!(client.run(title, json!({ "id": id })).await.data()["title"], Value::Null);
}

#[tokio::test]
async fn refusals_name_their_field_and_rule() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let payload = client.mutate("addProfile", json!({ "name": "Ada" }), "profile { id }").await;
    assert_eq!(payload["errors"][0]["code"], "ACCOUNT_NOT_OPEN");
    assert_eq!(payload["position"], Value::Null);
    let profile = client.join("Ada").await;
    let payload = client.mutate("addProfile", json!({ "name": " " }), "profile { id }").await;
    assert_eq!(payload["errors"][0]["field"], "name");
    assert_eq!(
        payload["errors"][0]["rule"],
        "a line of 1 to 40 characters, none of them invisible"
    );
    let bad = json!({ "name": "x", "type": "MOVIE", "artworkUrl": "javascript:x" });
    let payload = client.mutate("addTitle", bad, "title { id }").await;
    assert_eq!(payload["errors"][0]["field"], "artworkUrl");
    let bad = json!({ "name": "x", "type": "EPISODE", "season": 1 });
    let payload = client.mutate("addTitle", bad, "title { id }").await;
    assert_eq!(payload["errors"][0]["field"], "seriesId");
    let change = json!({ "profileId": profile, "kids": true });
    let payload = client.mutate("changeProfile", change, "profile { name kids language }").await;
    assert_eq!(payload["profile"], json!({ "name": "Ada", "kids": true, "language": "en" }));
    let forged = json!({ "playbackToken": "x" });
    let payload = client.mutate("stopPlayback", forged, "sessionId").await;
    assert_eq!(payload["errors"][0]["code"], "PLAYBACK_TOKEN_INVALID");
}

#[tokio::test]
async fn an_episode_belongs_to_a_series_of_the_catalogue() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let film = client.film("Metropolis").await;
    for series in [film.as_str(), "VGl0bGU6MDE5", ""] {
        let input = json!({
            "name": "Pilot", "type": "EPISODE", "seriesId": series, "season": 1, "episode": 1,
        });
        let payload = client.mutate("addTitle", input, "title { id }").await;
        assert_eq!(payload["errors"][0]["code"], "INVALID_INPUT", "{series:?}");
        assert_eq!(payload["errors"][0]["field"], "seriesId", "{series:?}");
    }
}
