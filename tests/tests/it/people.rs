//! People through the real server: what a new user does with an app, races, and restarts.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use playhead_tests::{
    Client, Mailbox, Node, Person, REGISTER, Server, code_in, film, film_ids, registration, run,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const RACERS: usize = 100;

/// Lets people do in a test what they may do in many hours.
const UNLIMITED: &str = "registrations_per_address = 0\nlogins_per_address = 0\n";

/// A data directory with a film and these settings.
fn data(dir: &TempDir, settings: &str) -> PathBuf {
    let data = dir.path().join("data");
    film(&data);
    fs::write(data.join("playhead.toml"), settings).unwrap();
    data
}

/// Every recorded event of a type.
fn events(data: &Path, event_type: &str) -> Vec<Value> {
    let read = run(data, &["log", "read", "--type", event_type, "--limit", "100000", "--json"]);
    read.ok().stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_registers_plays_and_is_forgotten_with_urql() {
    let dir = TempDir::new().unwrap();
    let data = data(&dir, "default_territory = \"AT\"\nerasure_delay_hours = 0\n");
    let mut server = Server::serve(&data);
    let title = film_ids(&server.url, &data).await.remove(0);
    let mail = data.join("mail");
    let app = Node::run("flow.mjs", &[&server.url, mail.to_str().unwrap(), &title]);
    let told = tokio::task::spawn_blocking(|| app.end()).await.unwrap();
    let left: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    let text = |field: &str| left[field].as_str().unwrap().to_owned();

    // Everybody whose day has come is forgotten when a server starts.
    server.terminate();
    let server = Server::serve(&data);
    crate::erasure::wait_until_erased(&data, 1).await;
    let query = "{ me { status email } viewer { profiles { name } } }";
    for token in [text("accessToken"), text("removed")] {
        let answer = Client::with_token(&server.url, &token).ask(query, json!({})).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
    }
    let refresh = "mutation($token: String!) { refreshSignIn(input: {refreshToken: $token}) {
        tokens { accountId } errors { code } } }";
    let nobody = Client::anonymous(&server.url);
    let answer = nobody.ask(refresh, json!({"token": text("refreshToken")})).await;
    assert!(answer["data"]["refreshSignIn"]["tokens"].is_null(), "{answer}");
    let gone =
        Person { account_id: String::new(), email: text("email"), password: text("password") };
    let device = "0198c5a0-7d1e-7c44-8a51-2f9d3c1b6e07";
    let answer = gone.try_sign_in(&server.url, device).await;
    assert_eq!(answer["errors"][0]["code"], "WRONG_CREDENTIALS", "{answer}");
    // The address is free again, for an account that knows nothing of the former one.
    let person = Person::register(&server.url, &data, &gone.email).await;
    let mut again = person.sign_in(&server.url, device).await;
    let me = again.client.data(query, json!({})).await;
    assert_eq!(me["me"]["email"], gone.email, "{me}");
    assert_eq!(me["viewer"]["profiles"], json!([]), "{me}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_racing_registrations_of_one_address_one_becomes_an_account() {
    let dir = TempDir::new().unwrap();
    let data = data(&dir, UNLIMITED);
    let mut server = Server::serve(&data);
    let barrier = Arc::new(Barrier::new(RACERS));
    let mut racers = JoinSet::new();
    for number in 0..RACERS {
        let (barrier, url) = (Arc::clone(&barrier), server.url.clone());
        // However it is spelled, it is one address.
        let email = if number % 2 == 0 { "race@example.org" } else { "Race@Example.ORG" };
        racers.spawn(async move {
            let client = Client::anonymous(&url);
            barrier.wait().await;
            client.ask(REGISTER, registration(email)).await
        });
    }
    let answers = racers.join_all().await;
    let refused = answers.iter().filter(|answer| answer["data"]["register"].is_null()).count();
    for answer in answers.iter().filter(|answer| answer["data"]["register"].is_object()) {
        assert_eq!(answer["data"]["register"]["errors"], json!([]), "{answer}");
    }
    assert!(refused < RACERS, "some are let in");
    // A server that ends first does what it has begun to do behind its answers.
    assert_eq!(server.terminate().code(), Some(0));
    let mails = Mailbox::of(&data).mails();
    let codes: Vec<String> = mails.iter().filter_map(|mail| code_in(mail)).collect();
    // Whoever was decided on before the first was recorded has a code of their own, up to the limit
    // at which codes end; the same password again needs none.
    assert!((1..10).contains(&codes.len()), "{} codes", codes.len());
    assert_eq!(events(&data, "EmailClaimed").len(), 1);
    assert_eq!(events(&data, "AccountRegistered").len(), 1);
    let server = Server::serve(&data);
    let person =
        Person::verify(&Client::anonymous(&server.url), "race@example.org", &codes[0]).await;
    let device = "0198c5a0-7d1e-7c44-8a51-2f9d3c1b6e08";
    assert!(!person.sign_in(&server.url, device).await.is_out().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_racing_fifth_profiles_one_is_added() {
    let dir = TempDir::new().unwrap();
    let data = data(&dir, UNLIMITED);
    let server = Server::serve(&data);
    let person = Person::register(&server.url, &data, "ada@example.org").await;
    let mut ada = person.sign_in(&server.url, "0198c5a0-7d1e-7c44-8a51-2f9d3c1b6e09").await;
    let add = "mutation($name: String!) { addProfile(input: {name: $name}) {
        profile { id } position errors { code } } }";
    for number in 1..=4 {
        ada.client.data(add, json!({"name": format!("Profile {number}")})).await;
    }
    let barrier = Arc::new(Barrier::new(RACERS));
    let mut racers = JoinSet::new();
    for number in 0..RACERS {
        let (barrier, client) = (Arc::clone(&barrier), ada.client.clone());
        racers.spawn(async move {
            barrier.wait().await;
            client.ask(add, json!({"name": format!("Racer {number}")})).await
        });
    }
    let mut outcomes = BTreeMap::new();
    for answer in racers.join_all().await {
        let payload = &answer["data"]["addProfile"];
        let outcome = match payload["profile"].is_object() {
            true => "ADDED".to_owned(),
            false => payload["errors"][0]["code"].as_str().unwrap_or("FAILED").to_owned(),
        };
        ada.client.see(payload);
        *outcomes.entry(outcome).or_insert(0) += 1;
    }
    let wanted = BTreeMap::from([("ADDED".to_owned(), 1), ("TOO_MANY_PROFILES".to_owned(), 99)]);
    assert_eq!(outcomes, wanted);
    let viewer = ada.client.data("{ viewer { profiles { id } } }", json!({})).await;
    assert_eq!(viewer["viewer"]["profiles"].as_array().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_what_was_ended_outlive_a_kill() {
    let dir = TempDir::new().unwrap();
    let data = data(&dir, UNLIMITED);
    let server = Server::serve(&data);
    let mode = std::fs::metadata(data.join("read")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}: what is about people is its owner's only");
    let title = film_ids(&server.url, &data).await.remove(0);
    let person = Person::register(&server.url, &data, "ada@example.org").await;
    let mut devices = Vec::new();
    for number in 0..3 {
        let device = format!("0198c5a0-7d1e-7c44-8a51-2f9d3c1b6e1{number}");
        devices.push(person.sign_in(&server.url, &device).await);
    }
    let [mut stays, mut removed, left] = <[_; 3]>::try_from(devices).unwrap();
    let begin = r#"mutation { addProfile(input: {name: "Ada"}) { profile { id } errors { code } }
        subscribe(input: {plan: STANDARD}) { position errors { code } } }"#;
    let profile = stays.client.data(begin, json!({})).await["addProfile"]["profile"]["id"].clone();
    let start = "mutation($input: StartPlaybackInput!) { startPlayback(input: $input) {
        playback { token } position errors { code message } } }";
    let input = json!({"profileId": profile, "titleId": title, "device": "TV"});
    let started = removed.client.data(start, json!({"input": input})).await;
    assert!(started["startPlayback"]["playback"].is_object(), "{started}");
    let remove =
        "mutation($id: ID!) { removeDevice(input: {deviceId: $id}) { position errors { code } } }";
    let gone = stays.client.data(remove, json!({"id": removed.device_id})).await;
    assert_eq!(gone["removeDevice"]["errors"], json!([]), "{gone}");
    let out = left.client.ask("mutation { signOut { signInId errors { code } } }", json!({})).await;
    assert_eq!(out["data"]["signOut"]["errors"], json!([]), "{out}");

    server.kill();
    let server = Server::serve(&data);
    stays.client = stays.client.moved_to(&server.url);
    assert!(!stays.is_out().await, "its token still stands");
    for ended in [&removed, &left] {
        let mut ended = ended.clone();
        ended.client = ended.client.moved_to(&server.url);
        assert!(ended.is_out().await, "what was ended stays ended");
        let refused = ended.try_refresh(&server.url).await;
        assert!(refused["tokens"].is_null(), "{refused}");
    }
    assert!(!stays.refresh(&server.url).await.is_out().await);
    let back = person.try_sign_in(&server.url, &removed.device_id).await;
    assert_eq!(back["errors"][0]["code"], "DEVICE_REMOVED", "{back}");
}
