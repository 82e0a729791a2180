//! Searching, completing what is typed, and what is alike, as clients meet them.

mod bad_input;
mod hidden;
mod pages;

use playhead_api::Role;
use playhead_domain::codec::StoredEvent;
use playhead_domain::title::{
    AudienceRating, Credit, CreditRole, Event, Kind, Localized, Metadata, TitleAdded,
};
use playhead_domain::{Maturity, TitleId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{BEGIN_MS, Client, TestApi, global, text};

const FOUND: &str = "query($q: String!, $f: SearchFilter, $p: ID) { \
    search(query: $q, filter: $f, profileId: $p, first: 100) { totalCount didYouMean \
    edges { match node { name } highlights { field text ranges { start end } } } } }";

fn id(number: u64) -> TitleId {
    TitleId(Uuid::from_u64_pair(3, number))
}

fn global_id(number: u64) -> String {
    global(&format!("Title:{}", id(number)))
}

fn film(name: &str, genre: &str) -> Metadata {
    let mut film = Metadata::new(Kind::Movie, name);
    film.genres = vec![genre.to_owned()];
    film.maturity = Some(Maturity::All);
    film
}

fn with_actors(mut film: Metadata, actors: &[&str]) -> Metadata {
    let actor = |name: &&str| Credit {
        name: (*name).to_owned(),
        role: CreditRole::Actor,
        character: None,
        key: None,
    };
    film.credits = actors.iter().map(actor).collect();
    film
}

impl TestApi {
    async fn tell(&self, of: TitleId, event: &Event) {
        let (kind, payload) = (event.event_type(), event.to_json().unwrap());
        self.record(&format!("title-{of}"), kind.name, kind.version, payload).await;
    }

    async fn add(&self, number: u64, metadata: Metadata) {
        let (title_id, owner, draft) = (id(number), None, false);
        let added = TitleAdded { title_id, metadata, owner, draft, at_ms: BEGIN_MS };
        self.tell(title_id, &Event::Added(added)).await;
    }

    /// Films that every kind of query has something to find in.
    async fn with_films() -> Self {
        let api = Self::start().await;
        let mut matrix = with_actors(
            film("The Matrix Reloaded", "Action"),
            &["Keanu Reeves", "Laurence Fishburne"],
        );
        matrix.year = Some(2003);
        matrix.synopsis = Some("Six months later, Neo has taken greater control.".to_owned());
        matrix.rating = Some(AudienceRating { average_tenths: 72, votes: 600_000 });
        let german = Localized { name: Some("Spiel ohne Grenzen".into()), ..Localized::default() };
        matrix.localized = [("de".parse().unwrap(), german)].into();
        let mut speed = with_actors(film("Speed", "Action"), &["Keanu Reeves", "Sandra Bullock"]);
        speed.year = Some(1994);
        speed.rating = Some(AudienceRating { average_tenths: 70, votes: 400_000 });
        let mut ghosts = with_actors(film("Ghostbusters", "Comedy"), &["Bill Murray"]);
        ghosts.year = Some(1984);
        ghosts.rating = Some(AudienceRating { average_tenths: 69, votes: 300_000 });
        let mut series = film("Speedway Stories", "Comedy");
        series.kind = Kind::Series;
        for (number, title) in (1..).zip([matrix, speed, ghosts, series]) {
            api.add(number, title).await;
        }
        api.searchable().await;
        api
    }
}

async fn found(client: &Client<'_>, query: &str) -> Value {
    client.run(FOUND, json!({ "q": query })).await.data()["search"].clone()
}

fn names_in(found: &Value) -> Vec<String> {
    found["edges"].as_array().unwrap().iter().map(|edge| text(&edge["node"]["name"])).collect()
}

async fn names(client: &Client<'_>, query: &str) -> Vec<String> {
    names_in(&found(client, query).await)
}

async fn suggested(client: &Client<'_>, input: &str) -> Vec<String> {
    let query = "query($i: String!) { suggest(input: $i) { text } }";
    let answer = client.run(query, json!({ "i": input })).await.data();
    answer["suggest"].as_array().unwrap().iter().map(|it| text(&it["text"])).collect()
}

#[tokio::test]
async fn a_title_is_found_by_its_names_misspelt_or_joined_and_by_its_people() {
    let api = TestApi::with_films().await;
    let nobody = api.nobody();
    for (query, name, kind, meant) in [
        ("the matrix reloaded", "The Matrix Reloaded", "WHOLE_NAME", None),
        ("thematrixreloaded", "The Matrix Reloaded", "WHOLE_NAME", None),
        ("Spiel ohne Grenzen", "The Matrix Reloaded", "WHOLE_NAME", None),
        ("the matr", "The Matrix Reloaded", "NAME_PREFIX", None),
        ("reloaded", "The Matrix Reloaded", "NAME", None),
        ("matrix keanu reeves", "The Matrix Reloaded", "PEOPLE", None),
        ("fishburne", "The Matrix Reloaded", "PEOPLE", None),
        ("neo control", "The Matrix Reloaded", "WORDS", None),
        ("the matrix relaoded", "The Matrix Reloaded", "MISSPELT", Some("The Matrix Reloaded")),
        ("spiel one grenzen", "The Matrix Reloaded", "MISSPELT", Some("Spiel ohne Grenzen")),
        ("ghozdbusders", "Ghostbusters", "SIMILAR", Some("Ghostbusters")),
        ("matrix unheardof", "The Matrix Reloaded", "SOME_WORDS", None),
    ] {
        let found = found(&nobody, query).await;
        let first = &found["edges"][0];
        assert_eq!((&first["node"]["name"], &first["match"]), (&json!(name), &json!(kind)));
        assert_eq!(found["didYouMean"], json!(meant), "{query}");
    }
    assert_eq!(names(&nobody, "keanu reeves").await, ["The Matrix Reloaded", "Speed"]);
    assert_eq!(names(&nobody, "xylophone quartet").await, [""; 0]);
}

#[tokio::test]
async fn what_was_searched_is_marked_where_it_is_found() {
    let api = TestApi::with_films().await;
    let mut film = film("🎬 Grüße aus Ömsk", "Drama");
    film.synopsis = Some("Viele Grusse.".to_owned());
    api.add(9, film).await;
    api.searchable().await;
    let marked = found(&api.nobody(), "matrix keanu").await["edges"][0]["highlights"].clone();
    let range = |start: u32, end: u32| json!([{ "start": start, "end": end }]);
    let mark = |field: &str, text: &str, ranges: Value| json!({ "field": field, "text": text, "ranges": ranges });
    let expected = json!([
        mark("NAME", "The Matrix Reloaded", range(4, 10)),
        mark("PERSON", "Keanu Reeves", range(0, 5)),
    ]);
    assert_eq!(marked, expected);
    let marked = found(&api.nobody(), "grusse omsk").await["edges"][0]["highlights"].clone();
    // The clapper takes two UTF-16 units.
    let name = json!([{ "start": 3, "end": 8 }, { "start": 13, "end": 17 }]);
    assert_eq!(marked[0], mark("NAME", "🎬 Grüße aus Ömsk", name));
    assert_eq!(marked[1], mark("SYNOPSIS", "Viele Grusse.", range(6, 12)));
}

#[tokio::test]
async fn filters_hold_before_titles_are_counted_and_cut_into_pages() {
    let api = TestApi::start().await;
    for number in 0..60 {
        let genre = ["Action", "Comedy", "Drama"][usize::try_from(number % 3).unwrap()];
        let mut title = film(&format!("Night {number:02}"), genre);
        title.year = (number >= 6).then(|| 1970 + u16::try_from(number % 30).unwrap());
        title.kind = if number % 4 == 0 { Kind::Documentary } else { Kind::Movie };
        let average_tenths = u8::try_from(number).unwrap();
        title.rating = (number % 5 > 0).then_some(AudienceRating { average_tenths, votes: 1 });
        let language = ["de", "pt-BR"][usize::try_from(number % 2).unwrap()];
        let known = Localized { name: Some(format!("x{number}")), ..Localized::default() };
        title.localized = [(language.parse().unwrap(), known)].into();
        api.add(number, title).await;
    }
    api.searchable().await;
    let nobody = api.nobody();
    let query = "query($f: SearchFilter) { search(query: \"night\", filter: $f, first: 3) { \
        totalCount nodes { name } facets { genres { value count } decades { value count } \
        types { value count } languages { value count } } } }";
    let year = |number: &u64| 1970 + number % 30;
    type Fits<'a> = &'a dyn Fn(&u64) -> bool;
    let cases: [(Value, Fits<'_>); 11] = [
        (json!({}), &|_| true),
        (json!({ "genres": ["COMEDY"] }), &|it| it % 3 == 1),
        (json!({ "genres": ["comedy", "Drama"] }), &|it| it % 3 > 0),
        (json!({ "genres": ["Nowhere"] }), &|_| false),
        (json!({ "types": ["DOCUMENTARY"] }), &|it| it % 4 == 0),
        (json!({ "yearFrom": 1990 }), &|it| *it >= 6 && year(it) >= 1990),
        (json!({ "yearTo": 1975 }), &|it| *it >= 6 && year(it) <= 1975),
        (json!({ "yearFrom": 1980, "yearTo": 1980 }), &|it| *it >= 6 && year(it) == 1980),
        (json!({ "decade": 1980 }), &|it| *it >= 6 && year(it) / 10 == 198),
        (json!({ "ratingMin": 5.05 }), &|it| it % 5 > 0 && *it >= 51),
        (json!({ "languages": ["PT"], "genres": ["Action"] }), &|it| it % 2 == 1 && it % 3 == 0),
    ];
    for (filter, fits) in cases {
        let found = nobody.run(query, json!({ "f": filter })).await.data()["search"].clone();
        let fitting: Vec<u64> = (0..60).filter(fits).collect();
        assert_eq!(found["totalCount"], fitting.len(), "{filter}");
        let names: Vec<_> =
            found["nodes"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        let allowed = |name: &&Value| fitting.iter().any(|it| format!("Night {it:02}") == **name);
        assert_eq!(names.iter().filter(|it| allowed(it)).count(), fitting.len().min(3), "{filter}");
        for facet in ["types", "genres", "languages"] {
            let counts = found["facets"][facet].as_array().unwrap().iter();
            let sum: u64 = counts.map(|it| it["count"].as_u64().unwrap()).sum();
            assert_eq!(sum, u64::try_from(fitting.len()).unwrap(), "{facet} {filter}");
        }
    }
    let all = nobody.run(query, json!({})).await.data()["search"]["facets"].clone();
    let facet = |value: &str, count: u32| json!({ "value": value, "count": count });
    let genres = json!([facet("Action", 20), facet("Comedy", 20), facet("Drama", 20)]);
    assert_eq!(all["genres"], genres);
    assert_eq!(all["types"], json!([facet("MOVIE", 45), facet("DOCUMENTARY", 15)]));
    let decade = |value: u16, count: u32| json!({ "value": value, "count": count });
    // The first six have no year.
    let decades = json!([decade(1980, 20), decade(1990, 20), decade(1970, 14)]);
    assert_eq!(all["decades"], decades);
}

#[tokio::test]
async fn an_edit_is_found_by_its_new_name_only() {
    let api = TestApi::start().await;
    let mut admin = api.client(1);
    let film = admin.film("Umbrella").await;
    assert_eq!(names(&admin, "umbrella").await, ["Umbrella"], "who wrote it reads it at once");
    let edit = json!({ "titleId": film, "name": "Parasol", "type": "MOVIE", "maturity": "ALL" });
    admin.mutate("editTitle", edit, "title { id }").await;
    assert_eq!(names(&admin, "parasol").await, ["Parasol"]);
    assert_eq!(names(&admin, "umbrella").await, [""; 0]);
    api.searchable().await;
    assert_eq!(suggested(&api.nobody(), "par").await, ["Parasol"]);
    assert_eq!(suggested(&api.nobody(), "umb").await, [""; 0]);
}

#[tokio::test]
async fn what_a_profile_watched_comes_earlier_but_behind_what_is_called_so() {
    let api = TestApi::start().await;
    let mut client = api.client(1);
    let profile = client.join("Ada").await;
    client.mutate("subscribe", json!({ "plan": "BASIC" }), "account { id }").await;
    for (number, name, genre, votes) in [
        (1, "Harbour", "Drama", 10),
        (2, "Harbour Lights", "Drama", 1_000),
        (3, "Harbour Nights", "Drama", 900),
        (4, "Harbour Laughs", "Comedy", 5),
        (5, "Clowns", "Comedy", 1),
        (6, "Jesters", "Comedy", 1),
    ] {
        let rating = Some(AudienceRating { average_tenths: 50, votes });
        api.add(number, Metadata { rating, ..film(name, genre) }).await;
    }
    api.searchable().await;
    let search = async |client: &Client<'_>, profile: Option<&str>| {
        let answer = client.run(FOUND, json!({ "q": "harbour", "p": profile })).await;
        names_in(&answer.data()["search"])
    };
    let plain = search(&client, Some(&profile)).await;
    assert_eq!(plain[3], "Harbour Laughs", "{plain:?}");
    for number in [5, 6] {
        let started = client.start(&profile, &global_id(number), "TV").await;
        assert_eq!(started["errors"], json!([]));
        let token = started["playback"]["token"].clone();
        api.clock.advance(600_000);
        let stop = json!({ "playbackToken": token, "positionMs": 300_000 });
        client.mutate("stopPlayback", stop, "sessionId").await;
    }
    api.settled().await;
    let tasted = search(&client, Some(&profile)).await;
    assert_eq!(tasted[..2], ["Harbour", "Harbour Laughs"], "{tasted:?}");
    assert_eq!(search(&api.nobody(), None).await, plain, "nobody else's order changes");
}

#[tokio::test]
async fn typing_is_completed_with_titles_people_and_genres() {
    let api = TestApi::with_films().await;
    let query = "query($i: String!) { suggest(input: $i) { text type isCorrected year \
        matched { start end } title { id } } }";
    let suggest = async |input: &str| {
        api.nobody().run(query, json!({ "i": input })).await.data()["suggest"].clone()
    };
    let ghosts = |end: u32, is_corrected: bool| {
        json!({
            "text": "Ghostbusters", "type": "TITLE", "isCorrected": is_corrected, "year": 1984,
            "matched": { "start": 0, "end": end }, "title": { "id": global_id(3) },
        })
    };
    assert_eq!(suggest("ghost").await, json!([ghosts(5, false)]));
    assert_eq!(suggest("gohst").await, json!([ghosts(5, true)]));
    let murray = json!({
        "text": "Bill Murray", "type": "PERSON", "isCorrected": false, "year": null,
        "matched": { "start": 5, "end": 8 }, "title": null,
    });
    assert_eq!(suggest("mur").await, json!([murray]));
    let comedy = suggest("com").await[0].clone();
    assert_eq!((&comedy["text"], &comedy["type"]), (&json!("Comedy"), &json!("GENRE")));
    assert_eq!(suggest("").await, json!([]));
}
