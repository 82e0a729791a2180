use uuid::Uuid;

use super::*;
use crate::availability::Window;
use crate::decider::harness::given;
use crate::maturity::Maturity;

const TITLE: TitleId = TitleId(Uuid::from_u128(0xA));
const MINE: AccountId = AccountId(Uuid::from_u128(0xB));
const THEIRS: AccountId = AccountId(Uuid::from_u128(0xC));
const AT: i64 = 1_000;

fn movie(name: &str) -> Metadata {
    Metadata::new(Kind::Movie, name)
}

fn added(name: &str) -> Event {
    joined(name, None, false)
}

fn joined(name: &str, owner: Option<AccountId>, draft: bool) -> Event {
    let metadata = movie(name);
    Event::Added(TitleAdded { title_id: TITLE, metadata, owner, draft, at_ms: AT })
}

fn draft(name: &str) -> Event {
    joined(name, None, true)
}

fn published() -> Event {
    Event::Published(TitlePublished { title_id: TITLE, at_ms: AT })
}

fn edited(name: &str) -> Event {
    Event::Edited(TitleEdited { title_id: TITLE, metadata: movie(name), at_ms: AT })
}

fn withdrawn() -> Event {
    Event::Withdrawn(TitleWithdrawn { title_id: TITLE, at_ms: AT })
}

fn add(name: &str) -> Command {
    add_as(name, None, false)
}

fn add_as(name: &str, owner: Option<AccountId>, draft: bool) -> Command {
    Command::Add { title_id: TITLE, metadata: movie(name), owner, draft, at_ms: AT }
}

fn edit(name: &str) -> Command {
    edit_by(By::Catalogue, name)
}

fn edit_by(by: By, name: &str) -> Command {
    Command::Edit { title_id: TITLE, metadata: movie(name), by, at_ms: AT }
}

fn withdraw() -> Command {
    withdraw_by(By::Catalogue)
}

fn withdraw_by(by: By) -> Command {
    Command::Withdraw { title_id: TITLE, by, at_ms: AT }
}

fn publish() -> Command {
    publish_by(By::Catalogue)
}

fn publish_by(by: By) -> Command {
    Command::Publish { title_id: TITLE, by, at_ms: AT }
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
    schedule_by(By::Catalogue, availability)
}

fn schedule_by(by: By, availability: Availability) -> Command {
    Command::Schedule { title_id: TITLE, availability, by, at_ms: AT }
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
    assert_eq!(State::Withdrawn { owner: None }.listed(), None);
    let listing = Listing { metadata: movie("Heat"), availability: None, owner: None };
    assert_eq!(State::Draft(Box::new(listing.clone())).listed(), None);
    assert_eq!(State::Listed(Box::new(listing)).listed(), Some(&movie("Heat")));
}

#[test]
fn a_draft_is_prepared() {
    given::<Title>([]).when(&add_as("Heat", Some(MINE), true)).then([joined(
        "Heat",
        Some(MINE),
        true,
    )]);
}

#[test]
fn a_draft_that_is_so_already_is_not_added_again() {
    given::<Title>([draft("Heat")]).when(&add_as("Heat", None, true)).then_nothing();
}

#[test]
fn a_draft_is_not_listed_by_adding_it() {
    given::<Title>([draft("Heat")]).when(&add("Heat")).then_refused(Refusal::AlreadyAdded);
}

#[test]
fn a_title_does_not_get_another_owner_by_adding_it() {
    given::<Title>([added("Heat")])
        .when(&add_as("Heat", Some(MINE), false))
        .then_refused(Refusal::AlreadyAdded);
}

#[test]
fn a_draft_is_edited_scheduled_and_withdrawn_like_a_listed_title() {
    given::<Title>([draft("Heat")]).when(&edit("Ronin")).then([edited("Ronin")]);
    given::<Title>([draft("Heat")]).when(&schedule(german())).then([scheduled(german())]);
    given::<Title>([draft("Heat")]).when(&withdraw()).then([withdrawn()]);
}

#[test]
fn a_draft_is_published() {
    given::<Title>([draft("Heat"), edited("Ronin")]).when(&publish()).then([published()]);
}

#[test]
fn a_listed_title_is_published_already() {
    given::<Title>([added("Heat")]).when(&publish()).then_nothing();
    given::<Title>([draft("Heat"), published()]).when(&publish()).then_nothing();
}

#[test]
fn a_title_that_was_never_added_cannot_be_published() {
    given::<Title>([]).when(&publish()).then_refused(Refusal::Unknown);
}

#[test]
fn a_withdrawn_draft_cannot_be_published() {
    given::<Title>([draft("Heat"), withdrawn()]).when(&publish()).then_refused(Refusal::Withdrawn);
}

#[test]
fn a_draft_is_no_listing_until_it_is_published_and_keeps_what_was_said_of_it() {
    let past = [joined("Heat", Some(MINE), true), scheduled(german()), edited("Ronin")];
    let state = Title::fold(State::default(), &past);
    assert_eq!(state.listing(), None);
    let metadata = movie("Ronin");
    let listing = Listing { metadata, availability: Some(german()), owner: Some(MINE) };
    assert_eq!(state.listing_or_draft(), Some(&listing));
    let state = Title::evolve(state, &published());
    assert_eq!(state.listing(), Some(&listing));
}

#[test]
fn an_owner_changes_only_their_own_videos() {
    let (mine, theirs) = (By::Owner(MINE), By::Owner(THEIRS));
    let commands =
        |by| [edit_by(by, "Ronin"), publish_by(by), withdraw_by(by), schedule_by(by, german())];
    for draft in [false, true] {
        for command in commands(mine) {
            let outcome = given::<Title>([joined("Heat", Some(MINE), draft)]).when(&command);
            match command {
                Command::Publish { .. } if !draft => outcome.then_nothing(),
                Command::Publish { .. } => outcome.then([published()]),
                Command::Edit { .. } => outcome.then([edited("Ronin")]),
                Command::Withdraw { .. } => outcome.then([withdrawn()]),
                _ => outcome.then([scheduled(german())]),
            }
        }
        for command in commands(theirs) {
            given::<Title>([joined("Heat", Some(MINE), draft)])
                .when(&command)
                .then_refused(Refusal::Unknown);
            given::<Title>([joined("Heat", None, draft)])
                .when(&command)
                .then_refused(Refusal::Unknown);
        }
    }
}

#[test]
fn a_withdrawn_video_is_withdrawn_for_its_owner_and_unknown_to_others() {
    let past = || [joined("Heat", Some(MINE), false), withdrawn()];
    given::<Title>(past()).when(&withdraw_by(By::Owner(MINE))).then_nothing();
    given::<Title>(past())
        .when(&edit_by(By::Owner(MINE), "Ronin"))
        .then_refused(Refusal::Withdrawn);
    given::<Title>(past()).when(&withdraw_by(By::Owner(THEIRS))).then_refused(Refusal::Unknown);
}
