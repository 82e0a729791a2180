//! A thousand people with strings of their own in every personal field are forgotten, by a server
//! that is killed over and over meanwhile; then every byte of the data directory is looked at.
//!
//! Each string has two halves that nothing else contains, so that one half is found whole even where
//! a page of a database ends within it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use playhead_tests::{
    Client, Mailbox, Person, REGISTER, Server, code_in, film, film_ids, minted, registration, run,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

const PEOPLE: usize = 1_000;
/// How many register or write at once.
const AT_ONCE: usize = 40;
/// How many have a PIN: comparing and hashing are made to be slow.
const WITH_PIN: usize = 50;
/// How often it is looked whether something happened, and how often at most.
const LOOK_EVERY: Duration = Duration::from_millis(2);
const LOOKS_MAX: usize = 60_000;

/// Segments that are sealed and compressed, and no waiting.
const SETTINGS: &str = "segment_kib = 64\ncompress = true\nerasure_delay_hours = 0\n\
    registrations_per_address = 0\nlogins_per_address = 0\nlog = \"error\"\n";

/// What no file and no answer may hold once everybody is forgotten.
const CANARY: [&str; 2] = ["canary", "kestrel"];
/// How password and PIN hashes begin.
const HASH: &str = "$argon2";

/// What stands in a personal field of somebody.
fn canary(field: &str, number: usize) -> String {
    format!("{}{}{field}{number}", CANARY[0], CANARY[1])
}

fn address(number: usize) -> String {
    format!("{}@{}.example", canary("mail", number), canary("host", number))
}

/// How many people are forgotten, as the log says.
fn erased(data: &Path) -> usize {
    let read = ["log", "read", "--type", "AccountErased", "--limit", "100000", "--json"];
    run(data, &read).ok().stdout.lines().count()
}

/// The accounts whose erasure has begun and is not done.
fn noted(data: &Path) -> usize {
    fs::read_dir(data.join("erasing")).map_or(0, Iterator::count)
}

/// Looks over and over.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    for _ in 0..LOOKS_MAX {
        ticks.tick().await;
        if holds() {
            return;
        }
    }
    panic!("it never came: {what}")
}

/// Waits until so many people are forgotten, and nothing of it is left to do.
pub(crate) async fn wait_until_erased(data: &Path, count: usize) {
    until("the erasure is recorded", || erased(data) == count).await;
    until("the erasure is done", || noted(data) == 0).await;
}

/// Does something for everybody, some at once.
async fn everybody<F: Future<Output = ()> + Send + 'static>(does: impl Fn(usize) -> F) {
    let mut tasks = JoinSet::new();
    for number in 0..PEOPLE {
        if tasks.len() == AT_ONCE {
            tasks.join_next().await.unwrap().unwrap();
        }
        tasks.spawn(does(number));
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Registers everybody; answers the accounts in the order of their numbers.
async fn register(nobody: &Client, data: &Path) -> Vec<String> {
    everybody(|number| {
        let nobody = nobody.clone();
        async move {
            let input = registration(&address(number));
            let mut answer = nobody.ask(REGISTER, input.clone()).await;
            // The work behind an answer is limited, too.
            let mut ticks = tokio::time::interval(LOOK_EVERY);
            while answer["errors"][0]["extensions"]["code"] == "OVERLOADED" {
                ticks.tick().await;
                answer = nobody.ask(REGISTER, input.clone()).await;
            }
            assert_eq!(answer["data"]["register"]["errors"], json!([]), "{answer}");
        }
    })
    .await;
    let mails = Mailbox::of(data).wait_for(PEOPLE).await;
    let mut accounts = vec![String::new(); PEOPLE];
    let mut verified = JoinSet::new();
    for mail in mails {
        let to = mail.lines().find(|line| line.starts_with("To:")).unwrap();
        let host = to.rsplit("host").next().unwrap();
        let number: usize = host.split('.').next().unwrap().parse().unwrap();
        let (nobody, code) = (nobody.clone(), code_in(&mail).unwrap());
        verified.spawn(async move {
            let person = Person::verify(&nobody, &address(number), &code).await;
            (number, person.account_id)
        });
        if verified.len() == AT_ONCE {
            let (number, account_id) = verified.join_next().await.unwrap().unwrap();
            accounts[number] = account_id;
        }
    }
    for (number, account_id) in verified.join_all().await {
        accounts[number] = account_id;
    }
    accounts
}

const SETTLE: &str = "mutation($profile: AddProfileInput!, $address: SetBillingAddressInput!) {
    addProfile(input: $profile) { profile { id } errors { code message } }
    setBillingAddress(input: $address) { errors { code message } }
    subscribe(input: {plan: STANDARD}) { errors { code message } } }";
const PLAY: &str = "mutation($start: StartPlaybackInput!) {
    startPlayback(input: $start) { playback { sessionId token } errors { code message } } }";
const PIN: &str = "mutation($id: ID!) {
    setProfilePin(input: {profileId: $id, pin: \"4071\"}) { errors { code message } } }";
const LEAVE: &str = "mutation { eraseMe { errors { code message } } }";

fn undisturbed(answer: &Value) {
    let text = answer.to_string();
    assert!(!text.contains("\"code\""), "{answer:#}");
}

/// Lets somebody write into every personal field there is.
async fn live(client: &Client, number: usize, title: &str) {
    let profile =
        json!({"name": canary("profile", number), "idempotencyKey": canary("key", number)});
    let lines: Vec<String> = (0..3).map(|line| canary(&format!("line{line}x"), number)).collect();
    let billing = json!({"country": "AT", "lines": lines});
    let settled = client.ask(SETTLE, json!({"profile": profile, "address": billing})).await;
    undisturbed(&settled);
    let id = settled["data"]["addProfile"]["profile"]["id"].clone();
    let start = json!({"profileId": id, "titleId": title, "device": canary("device", number)});
    undisturbed(&client.ask(PLAY, json!({"start": start})).await);
    if number < WITH_PIN {
        undisturbed(&client.ask(PIN, json!({"id": id})).await);
    }
}

/// Everything that answers something about a person.
async fn answers(url: &str, client: &Client, number: usize) -> String {
    let query = "{ me { email newEmail status devices { name } billingAddress { lines } }
        viewer { account { playing { device } } profiles { name history { nodes { device } } } } }";
    let mine = client.ask(query, json!({})).await;
    let (_, export) = client.get("/me/export").await;
    let nobody = Person {
        account_id: String::new(),
        email: address(number),
        password: "a lighthouse keeper's lunch".to_owned(),
    };
    let refused = nobody.try_sign_in(url, "0198c5a0-7d1e-7c44-8a51-2f9d3c1b6e17").await;
    format!("{mine}\n{export}\n{refused}")
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// What of these needles stands in the bytes, as it is, in capitals, in UTF-16 or in base64.
fn found_in(bytes: &[u8], needles: &[Vec<u8>]) -> bool {
    needles.iter().any(|needle| memchr::memmem::find(bytes, needle).is_some())
}

/// The forms in which a text may hide.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let capitals = text.to_uppercase().into_bytes();
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let hex = text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
    let mut forms = vec![text.as_bytes().to_vec(), capitals, utf16, hex];
    for shift in 0..3 {
        // Whole groups of three bytes look the same wherever they stand.
        let whole = &text.as_bytes()[shift..];
        let whole = &whole[..whole.len() / 3 * 3];
        if whole.len() >= 6 || shift == 0 {
            forms.push(base64(whole));
        }
    }
    forms
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| DIGITS[bits >> shift & 63])
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

/// Every frame of Zstandard in the bytes (RFC 8878), decompressed as far as it can be.
fn unpacked(bytes: &[u8]) -> Vec<Vec<u8>> {
    let frames = memchr::memmem::find_iter(bytes, &[0x28, 0xB5, 0x2F, 0xFD]);
    let unpack = |at: usize| {
        let mut text = vec![];
        let decoder = zstd::stream::read::Decoder::new(&bytes[at..]).ok()?.single_frame();
        // A frame may end anywhere, or only look like one.
        let _whole = decoder.take(1 << 26).read_to_end(&mut text);
        (!text.is_empty()).then_some(text)
    };
    frames.filter_map(unpack).collect()
}

/// The files that hold one of the texts, and how many frames were decompressed.
fn search(data: &Path, texts: &[&str]) -> (BTreeSet<PathBuf>, usize) {
    let needles: Vec<Vec<u8>> = texts.iter().flat_map(|text| forms(text)).collect();
    let (mut holders, mut frames) = (BTreeSet::new(), 0);
    for path in files(data) {
        let bytes = fs::read(&path).unwrap();
        let unpacked = unpacked(&bytes);
        frames += unpacked.len();
        let name = path.to_string_lossy().into_owned();
        let holds = unpacked.iter().any(|text| found_in(text, &needles));
        if holds || found_in(&bytes, &needles) || found_in(name.as_bytes(), &needles) {
            holders.insert(path.strip_prefix(data).unwrap().to_owned());
        }
    }
    (holders, frames)
}

/// Serves until everybody is forgotten. Every other server is killed in the middle of what it has
/// begun, and the next one must end that. Answers how many were killed so.
async fn forget_under_kills(data: &Path) -> usize {
    let mut caught = 0;
    loop {
        let (begun, done) = (noted(data), erased(data));
        if begun == 0 && done == PEOPLE {
            return caught;
        }
        let server = Server::serve(data);
        if begun > 0 {
            until("what was begun is done", || noted(data) == 0).await;
            server.kill();
            continue;
        }
        // Now after the first, now when most of a round is recorded.
        let enough = (1 + caught * 37 % 90).min(PEOPLE - done);
        until("the next round begins", || noted(data) >= enough).await;
        server.kill();
        caught += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_people_are_forgotten_to_the_last_byte() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("playhead.toml"), SETTINGS).unwrap();
    film(&data);
    let server = Server::serve(&data);
    let nobody = Client::anonymous(&server.url);
    let title = film_ids(&server.url, &data).await.remove(0);
    let stayer = Person::register(&server.url, &data, "stayer@example.org").await;
    let mailed = Mailbox::of(&data).mails().len();
    assert_eq!(mailed, 1);
    fs::remove_dir_all(data.join("mail")).unwrap();
    fs::create_dir(data.join("mail")).unwrap();
    let accounts = register(&nobody, &data).await;
    let tokens: Vec<String> = accounts.iter().map(|account_id| minted(&data, account_id)).collect();
    everybody(|number| {
        let client = nobody.bearing(&tokens[number]);
        let title = title.clone();
        async move { live(&client, number, &title).await }
    })
    .await;
    let stays = Client::with_token(&server.url, &minted(&data, &stayer.account_id));
    let before = "{ me { email } viewer { profiles { name } } }";
    let kept = stays.ask(before, json!({})).await;
    assert_eq!(kept["data"]["me"]["email"], "stayer@example.org");
    let first = Client::with_token(&server.url, &tokens[0]);
    assert!(answers(&server.url, &first, 0).await.contains(CANARY[0]), "so it can be found");
    everybody(|number| {
        let client = nobody.bearing(&tokens[number]);
        async move { undisturbed(&client.ask(LEAVE, json!({})).await) }
    })
    .await;
    server.kill();
    let (holders, _) = search(&data, &CANARY);
    assert!(!holders.is_empty(), "the search finds what is there");
    let log = holders.iter().find(|path| path.starts_with("journal"));
    assert_eq!(log, None, "the log never holds anything personal in clear");

    let caught = forget_under_kills(&data).await;
    assert!(caught > 0, "no server was killed in the middle of an erasure");
    assert_eq!(erased(&data), PEOPLE);
    // What docs/people.md says about mails: they are copies for whoever delivers them.
    fs::remove_dir_all(data.join("mail")).unwrap();
    let (holders, frames) = search(&data, &[CANARY[0], CANARY[1], HASH]);
    assert_eq!(holders, BTreeSet::new());
    assert!(frames > 0, "no segment was compressed");

    let server = Server::serve(&data);
    for number in [0, 1, PEOPLE / 2, PEOPLE - 1] {
        let client = Client::with_token(&server.url, &tokens[number]);
        let told = answers(&server.url, &client, number).await;
        assert!(!CANARY.iter().any(|half| told.contains(half)), "{told}");
        assert!(told.contains("UNAUTHENTICATED") && told.contains("WRONG_CREDENTIALS"), "{told}");
    }
    let stays = stays.moved_to(&server.url);
    assert_eq!(stays.ask(before, json!({})).await["data"], kept["data"]);
    drop(server);
    run(&data, &["log", "verify"]).ok();
    for model in ["catalog", "continue_watching", "access", "trending"] {
        let rebuilt = run(&data, &["replay", "rebuild", model, "--json"]).ok().json();
        assert_eq!(rebuilt["equal"], true, "{model}: {rebuilt:#}");
    }
    assert_eq!(search(&data, &[CANARY[0], CANARY[1], HASH]).0, BTreeSet::new());
}
