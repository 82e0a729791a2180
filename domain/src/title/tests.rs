use uuid::Uuid;

use super::*;
use crate::availability::Window;
use crate::decider::harness::given;

const TITLE: TitleId = TitleId(Uuid::from_u128(0xA));
const AT: i64 = 1_000;

fn movie(name: &str) -> Metadata {
    Metadata::new(Kind::Movie, name)
}

fn added(name: &str) -> Event {
    Event::Added(TitleAdded { title_id: TITLE, metadata: movie(name), at_ms: AT })
}

fn edited(name: &str) -> Event {
    Event::Edited(TitleEdited { title_id: TITLE, metadata: movie(name), at_ms: AT })
}

fn withdrawn() -> Event {
    Event::Withdrawn(TitleWithdrawn { title_id: TITLE, at_ms: AT })
}

fn add(name: &str) -> Command {
    Command::Add { title_id: TITLE, metadata: movie(name), at_ms: AT }
}

fn edit(name: &str) -> Command {
    Command::Edit { title_id: TITLE, metadata: movie(name), at_ms: AT }
}

fn withdraw() -> Command {
    Command::Withdraw { title_id: TITLE, at_ms: AT }
}

fn german() -> Availability {
    let window =
        Window { territories: Some(vec!["DE".parse().unwrap()]), from_ms: 5, until_ms: None };
    Availability { windows: vec![window], blocked_territories: vec![] }
}

fn scheduled(availability: Availability) -> Event {
    Event::Scheduled(AvailabilityScheduled { title_id: TITLE, availability, at_ms: AT })
}

fn schedule(availability: Availability) -> Command {
    Command::Schedule { title_id: TITLE, availability, at_ms: AT }
}

fn nameless() -> Refusal {
    InvalidValue { field: "name", rule: "a line of 1 to 500 characters" }.into()
}

#[test]
fn a_title_joins_the_catalogue() {
    given::<Title>([]).when(&add("Heat")).then([added("Heat")]);
}

#[test]
fn an_invalid_title_does_not_join_the_catalogue() {
    given::<Title>([]).when(&add("")).then_refused(nameless());
}

#[test]
fn a_title_that_is_listed_with_the_same_metadata_is_added_already() {
    given::<Title>([added("Heat")]).when(&add("Heat")).then_nothing();
}

#[test]
fn a_listed_title_cannot_be_added_with_other_metadata() {
    given::<Title>([added("Heat")]).when(&add("Ronin")).then_refused(Refusal::AlreadyAdded);
}

#[test]
fn a_listed_title_can_be_edited() {
    given::<Title>([added("Heat")]).when(&edit("Ronin")).then([edited("Ronin")]);
}

#[test]
fn a_title_that_is_so_already_is_not_edited() {
    given::<Title>([added("Heat"), edited("Ronin")]).when(&edit("Ronin")).then_nothing();
}

#[test]
fn a_title_is_not_edited_to_something_invalid() {
    given::<Title>([added("Heat")]).when(&edit("")).then_refused(nameless());
}

#[test]
fn a_title_that_was_never_added_cannot_be_edited() {
    given::<Title>([]).when(&edit("Heat")).then_refused(Refusal::Unknown);
}

#[test]
fn a_listed_title_can_be_withdrawn() {
    given::<Title>([added("Heat")]).when(&withdraw()).then([withdrawn()]);
}

#[test]
fn a_title_that_was_never_added_cannot_be_withdrawn() {
    given::<Title>([]).when(&withdraw()).then_refused(Refusal::Unknown);
}

#[test]
fn a_withdrawn_title_is_withdrawn_already() {
    given::<Title>([added("Heat"), withdrawn()]).when(&withdraw()).then_nothing();
}

#[test]
fn a_withdrawn_title_does_not_come_back() {
    given::<Title>([added("Heat"), withdrawn()])
        .when(&add("Heat"))
        .then_refused(Refusal::Withdrawn);
}

#[test]
fn a_withdrawn_title_cannot_be_edited() {
    given::<Title>([added("Heat"), withdrawn()])
        .when(&edit("Ronin"))
        .then_refused(Refusal::Withdrawn);
}

#[test]
fn a_listed_title_is_scheduled() {
    given::<Title>([added("Heat")]).when(&schedule(german())).then([scheduled(german())]);
}

#[test]
fn a_title_that_is_scheduled_so_already_is_not_scheduled_again() {
    given::<Title>([added("Heat"), scheduled(german()), edited("Ronin")])
        .when(&schedule(german()))
        .then_nothing();
}

#[test]
fn a_schedule_replaces_the_one_before() {
    let everywhere = Availability::everywhere();
    given::<Title>([added("Heat"), scheduled(german())])
        .when(&schedule(everywhere.clone()))
        .then([scheduled(everywhere)]);
}

#[test]
fn a_schedule_that_breaks_a_rule_is_refused() {
    let blocked_territories = vec!["ZZ".parse().unwrap()];
    let rule = "assigned codes of ISO 3166-1 alpha-2";
    given::<Title>([added("Heat")])
        .when(&schedule(Availability { windows: vec![], blocked_territories }))
        .then_refused(InvalidValue { field: "blocked_territories", rule }.into());
}

#[test]
fn a_title_that_was_never_added_cannot_be_scheduled() {
    given::<Title>([]).when(&schedule(german())).then_refused(Refusal::Unknown);
}

#[test]
fn a_withdrawn_title_cannot_be_scheduled() {
    given::<Title>([added("Heat"), withdrawn()])
        .when(&schedule(german()))
        .then_refused(Refusal::Withdrawn);
}

#[test]
fn a_listing_knows_its_terms_whatever_was_edited_since() {
    let rated = Metadata { maturity: Some(Maturity::From16), ..movie("Ronin") };
    let edited = Event::Edited(TitleEdited { title_id: TITLE, metadata: rated, at_ms: AT });
    let state = Title::fold(State::default(), &[added("Heat"), scheduled(german()), edited]);
    let terms = Terms { maturity: Some(Maturity::From16), availability: Some(german()) };
    assert_eq!(state.listing().map(Listing::terms), Some(terms));
}

#[test]
fn only_a_listed_title_shows_its_metadata() {
    assert_eq!(State::Unknown.listed(), None);
    assert_eq!(State::Withdrawn.listed(), None);
    let listing = Listing { metadata: movie("Heat"), availability: None };
    assert_eq!(State::Listed(Box::new(listing)).listed(), Some(&movie("Heat")));
}

#[test]
fn a_kind_is_shown_as_it_is_stored() {
    for kind in [Kind::Movie, Kind::Short, Kind::Series, Kind::Episode, Kind::Special] {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}

/// A field, and a value of it that is set into otherwise good metadata.
type Case = (&'static str, fn(&mut Metadata));

fn lines(count: usize, chars: usize) -> Vec<String> {
    vec!["ü".repeat(chars); count]
}

fn url(chars: usize) -> Option<String> {
    let start = "https://e.example/";
    Some(format!("{start}{}", "a".repeat(chars - start.len())))
}

fn source(catalogue_chars: usize, key_chars: usize) -> Option<Source> {
    Some(Source { catalogue: "ü".repeat(catalogue_chars), key: "ü".repeat(key_chars) })
}

fn pilot() -> Option<EpisodeOf> {
    Some(EpisodeOf { series_id: TITLE, season: 0, number: 1 })
}

/// The last good values on each side of each rule.
const GOOD: &[Case] = &[
    ("name", |it| it.name = "A".to_owned()),
    ("name", |it| it.name = "ü".repeat(500)),
    ("name", |it| it.name = "七人の侍 🎬".to_owned()),
    ("year", |it| it.year = Some(1870)),
    ("year", |it| it.year = Some(2100)),
    ("runtime_ms", |it| it.runtime_ms = Some(1)),
    ("runtime_ms", |it| it.runtime_ms = Some(3_600_000_000)),
    ("credits_start_ms", |it| it.credits_start_ms = Some(0)),
    ("credits_start_ms", |it| it.credits_start_ms = Some(3_600_000_000)),
    ("credits_start_ms", |it| (it.runtime_ms, it.credits_start_ms) = (Some(9), Some(9))),
    ("genres", |it| it.genres = lines(20, 50)),
    ("directors", |it| it.directors = lines(200, 200)),
    ("cast", |it| it.cast = lines(200, 200)),
    ("synopsis", |it| it.synopsis = Some(String::new())),
    ("synopsis", |it| it.synopsis = Some("ü".repeat(5_000))),
    ("synopsis", |it| it.synopsis = Some("One.\r\n\tTwo.\n".to_owned())),
    ("artwork_url", |it| it.artwork_url = url(2_000)),
    ("artwork_url", |it| it.artwork_url = Some("http://a".to_owned())),
    ("episode_of", |it| (it.kind, it.episode_of) = (Kind::Episode, pilot())),
    ("episode_of", |it| (it.kind, it.episode_of) = (Kind::Episode, None)),
    ("source", |it| it.source = source(1, 1)),
    ("source", |it| it.source = source(50, 200)),
];

/// The first bad values on each side of each rule.
const BAD: &[Case] = &[
    ("name", |it| it.name = String::new()),
    ("name", |it| it.name = "ü".repeat(501)),
    ("name", |it| it.name = " A".to_owned()),
    ("name", |it| it.name = "A\u{3000}".to_owned()),
    ("name", |it| it.name = "A\nB".to_owned()),
    ("name", |it| it.name = "A\0".to_owned()),
    ("year", |it| it.year = Some(1869)),
    ("year", |it| it.year = Some(2101)),
    ("runtime_ms", |it| it.runtime_ms = Some(0)),
    ("runtime_ms", |it| it.runtime_ms = Some(3_600_000_001)),
    ("credits_start_ms", |it| it.credits_start_ms = Some(3_600_000_001)),
    ("credits_start_ms", |it| (it.runtime_ms, it.credits_start_ms) = (Some(9), Some(10))),
    ("genres", |it| it.genres = lines(21, 1)),
    ("genres", |it| it.genres = lines(1, 51)),
    ("genres", |it| it.genres = lines(1, 0)),
    ("directors", |it| it.directors = lines(201, 1)),
    ("directors", |it| it.directors = lines(1, 201)),
    ("directors", |it| it.directors = lines(1, 0)),
    ("cast", |it| it.cast = lines(201, 1)),
    ("cast", |it| it.cast = lines(1, 201)),
    ("cast", |it| it.cast = vec!["A\tB".to_owned()]),
    ("synopsis", |it| it.synopsis = Some("ü".repeat(5_001))),
    ("synopsis", |it| it.synopsis = Some("A\0B".to_owned())),
    ("synopsis", |it| it.synopsis = Some("A\u{1b}[1mB".to_owned())),
    ("artwork_url", |it| it.artwork_url = url(2_001)),
    ("artwork_url", |it| it.artwork_url = Some(String::new())),
    ("artwork_url", |it| it.artwork_url = Some("ftp://a".to_owned())),
    ("artwork_url", |it| it.artwork_url = Some("javascript:alert(1)".to_owned())),
    ("artwork_url", |it| it.artwork_url = Some("https://a\nb".to_owned())),
    ("episode_of", |it| it.episode_of = pilot()),
    ("source", |it| it.source = source(0, 1)),
    ("source", |it| it.source = source(51, 1)),
    ("source", |it| it.source = source(1, 0)),
    ("source", |it| it.source = source(1, 201)),
];

#[test]
fn the_last_good_value_of_each_field_is_accepted() {
    for (row, (field, set)) in GOOD.iter().enumerate() {
        let mut metadata = movie("Heat");
        set(&mut metadata);
        assert_eq!(metadata.validate(), Ok(()), "{field}, row {row}");
    }
}

#[test]
fn the_first_bad_value_of_each_field_is_refused_by_name() {
    for (row, (field, set)) in BAD.iter().enumerate() {
        let mut metadata = movie("Heat");
        set(&mut metadata);
        let refused = metadata.validate().map_err(|invalid| invalid.field);
        assert_eq!(refused, Err(*field), "row {row}");
    }
}
