//! Whatever is typed or sent: an answer, or an error that names the field and the rule.

use std::time::{Duration, Instant};

use axum::body::Body;

use super::*;

const SEARCH: &str = "query($q: String!, $f: SearchFilter, $first: Int, $after: String) { \
    search(query: $q, filter: $f, first: $first, after: $after) { totalCount didYouMean \
    edges { match node { name } highlights { text ranges { start end } } } \
    facets { genres { value count } } } }";
const SUGGEST: &str = "query($i: String!, $first: Int) { suggest(input: $i, first: $first) { \
    text type matched { start end } title { name } } }";

/// The slowest answer so far: shown, not judged, since machines differ.
#[derive(Default)]
struct Slowest(Duration, String);

impl Slowest {
    async fn timed(
        &mut self,
        label: &str,
        answer: impl Future<Output = crate::harness::Answer>,
    ) -> crate::harness::Answer {
        let begun = Instant::now();
        let answer = answer.await;
        let took = begun.elapsed();
        if took > self.0 {
            *self = Self(took, label.chars().take(60).collect());
        }
        answer
    }

    fn print(&self) {
        println!("the slowest answer took {:?}: {:?}", self.0, self.1);
    }
}

#[tokio::test]
async fn whatever_is_typed_is_answered() {
    let api = TestApi::with_films().await;
    let (nobody, mut slowest) = (api.nobody(), Slowest::default());
    let combining = format!("e{}", "\u{301}".repeat(198));
    for typed in [
        "",
        "   ",
        "\t\r\n",
        "\u{0}",
        "\u{0}\u{1}\u{7f}\u{200b}\u{202e}\u{feff}",
        "the of and",
        "\"the matrix",
        "'\"“„(((",
        "AND OR NOT ((( title:* -x +y ~2 ^3 [a TO b] {",
        "*?%_\\",
        "'; DROP TABLE titles; --",
        "🎬🍿",
        "👩‍👩‍👧‍👦",
        "مرحبا بالعالم",
        "שלום",
        "\u{202e}dedaoler xirtam\u{202c}",
        "ｆｕｌｌ ｗｉｄｔｈ",
        "ﷺﷺﷺ",
        "0",
        "1999",
        "99999999999999999999999999",
        "a",
        &"a ".repeat(100),
        &"x".repeat(200),
        &"🎬".repeat(200),
        &combining,
        &format!("{}the matrix", " ".repeat(1_000)),
    ] {
        let answer = nobody.run(SEARCH, json!({ "q": typed }));
        let answer = slowest.timed(typed, answer).await;
        assert_eq!(answer.code(), "none", "search {typed:?}: {}", answer.body);
        let input: String = typed.chars().take(100).collect();
        let answer = nobody.run(SUGGEST, json!({ "i": input }));
        let answer = slowest.timed(typed, answer).await;
        assert_eq!(answer.code(), "none", "suggest {typed:?}: {}", answer.body);
    }
    for nothing in ["", "   ", "\t\r\n", "\u{0}", "'\"“„(((", "*?%_\\"] {
        let found = found(&nobody, nothing).await;
        assert_eq!(found, json!({ "totalCount": 0, "didYouMean": null, "edges": [] }));
        assert_eq!(suggested(&nobody, nothing).await, [""; 0], "{nothing:?}");
    }
    for whole in ["\"the matrix reloaded", "the\u{0} matrix\u{7} reloaded", "THE  MATRIX\tRELOADED"]
    {
        assert_eq!(names(&nobody, whole).await[0], "The Matrix Reloaded", "{whole:?}");
    }
    assert_eq!(names(&nobody, "the").await[0], "The Matrix Reloaded", "only a stop word");
    slowest.print();
}

/// The code, field and message of an error.
fn refusal(answer: &crate::harness::Answer) -> [String; 3] {
    let error = &answer.body["errors"][0];
    let field = error["extensions"]["field"].as_str().unwrap_or_default();
    [answer.code().to_owned(), field.to_owned(), text(&error["message"])]
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_by_field() {
    let api = TestApi::with_films().await;
    let (nobody, mut slowest) = (api.nobody(), Slowest::default());
    let many: Vec<String> = (0..51).map(|it| it.to_string()).collect();
    for (variables, field, rule) in [
        (json!({ "q": "x".repeat(201) }), "query", "at most 200 characters"),
        (json!({ "q": "x".repeat(10_000) }), "query", "at most 200 characters"),
        (json!({ "q": "\u{301}".repeat(40_000) }), "query", "at most 200 characters"),
        (json!({ "q": " ".repeat(10_000) }), "query", "at most 200 characters"),
        (json!({ "f": { "genres": many } }), "filter.genres", "at most 50 values"),
        (json!({ "f": { "languages": many } }), "filter.languages", "at most 50 values"),
        (json!({ "f": { "types": vec!["MOVIE"; 51] } }), "filter.types", "at most 50 values"),
        (
            json!({ "f": { "yearFrom": 2000, "yearTo": 1999 } }),
            "filter.yearFrom",
            "from an earlier to a later year",
        ),
        (
            json!({ "f": { "decade": 1995 } }),
            "filter.decade",
            "first years of decades, such as 1990",
        ),
        (json!({ "f": { "decade": 0 } }), "filter.decade", "from 1 to 65535"),
        (json!({ "f": { "yearFrom": -1 } }), "filter.yearFrom", "from 1 to 65535"),
        (json!({ "f": { "yearTo": 70_000 } }), "filter.yearTo", "from 1 to 65535"),
        (json!({ "f": { "yearTo": 0 } }), "filter.yearTo", "from 1 to 65535"),
        (json!({ "f": { "ratingMin": -0.1 } }), "filter.ratingMin", "from 0 to 10"),
        (json!({ "f": { "ratingMin": 10.1 } }), "filter.ratingMin", "from 0 to 10"),
        (json!({ "f": { "ratingMin": 1e300 } }), "filter.ratingMin", "from 0 to 10"),
    ] {
        let mut all = json!({ "q": "matrix" });
        all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
        let answer = slowest.timed(field, nobody.run(SEARCH, all)).await;
        let expected = ["INVALID_INPUT", field, &format!("{field}: {rule}")];
        assert_eq!(refusal(&answer), expected);
    }
    for input in ["x".repeat(101), "x".repeat(10_000)] {
        let answer = slowest.timed("input", nobody.run(SUGGEST, json!({ "i": input }))).await;
        assert_eq!(refusal(&answer), ["INVALID_INPUT", "input", "input: at most 100 characters"]);
    }
    // What does not fit the schema is refused with the place.
    for (filter, place) in [
        (json!({ "decade": 1e10 }), "filter.decade"),
        (json!({ "types": ["NOVEL"] }), "filter.types.0"),
        (json!({ "genres": [null] }), "filter.genres.0"),
        (json!({ "nowhere": 1 }), "unknown field \"nowhere\""),
    ] {
        let answer = nobody.run(SEARCH, json!({ "q": "matrix", "f": filter }));
        let answer = slowest.timed("filter", answer).await;
        let [code, _, message] = refusal(&answer);
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED");
        assert!(message.contains(place), "{message}");
    }
    slowest.print();
}

#[tokio::test]
async fn a_filter_of_a_million_values_is_refused_before_it_is_read() {
    let api = TestApi::with_films().await;
    let (nobody, mut slowest) = (api.nobody(), Slowest::default());
    let genres = vec!["Drama"; 1_000_000];
    let variables = json!({ "q": "matrix", "f": { "genres": genres } });
    let answer = slowest.timed("a million", nobody.run(SEARCH, variables)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (413, "BODY_TOO_LARGE"));
    assert_eq!(refusal(&answer)[2], "the body is larger than 131072 bytes");
    // As many as there is room for.
    let variables = json!({ "q": "matrix", "f": { "genres": vec!["x"; 30_000] } });
    let answer = slowest.timed("30,000", nobody.run(SEARCH, variables)).await;
    let expected = ["INVALID_INPUT", "filter.genres", "filter.genres: at most 50 values"];
    assert_eq!(refusal(&answer), expected);
    let body = format!(
        "{{\"query\":\"{{search(query:\\\"{}\\\"){{totalCount}}}}\"}}",
        "a".repeat(120_000)
    );
    let request = nobody.request("/graphql").body(Body::from(body)).unwrap();
    let answer = slowest.timed("a literal", api.send(request)).await;
    let expected = ["INVALID_INPUT", "query", "query: at most 200 characters"];
    assert_eq!(refusal(&answer), expected);
    slowest.print();
}

#[tokio::test]
async fn a_page_is_kept_within_its_bounds() {
    let api = TestApi::start().await;
    for number in 0..110 {
        api.add(number, film(&format!("Night {number:03}"), "Drama")).await;
    }
    api.searchable().await;
    let nobody = api.nobody();
    for (first, titles, suggestions) in
        [(0, 1, 1), (-1, 1, 1), (i32::MIN, 1, 1), (101, 100, 10), (1_000_000_000, 100, 10)]
    {
        let found = nobody.run(SEARCH, json!({ "q": "night", "first": first })).await.data();
        assert_eq!(found["search"]["edges"].as_array().unwrap().len(), titles, "{first}");
        let found = nobody.run(SUGGEST, json!({ "i": "nig", "first": first })).await.data();
        assert_eq!(found["suggest"].as_array().unwrap().len(), suggestions, "{first}");
    }
    let beyond = nobody.run(SEARCH, json!({ "q": "night", "first": 10_000_000_000_i64 })).await;
    assert!(refusal(&beyond)[2].contains("from -2147483648 to 2147483647"), "{}", beyond.body);
}
