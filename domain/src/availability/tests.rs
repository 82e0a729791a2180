use super::*;

fn of(code: &str) -> Territory {
    code.parse().unwrap()
}

fn list(codes: &[&str]) -> Vec<Territory> {
    codes.iter().map(|code| of(code)).collect()
}

fn everywhere(from_ms: i64, until_ms: Option<i64>) -> Window {
    Window { territories: None, from_ms, until_ms }
}

fn only(codes: &[&str], from_ms: i64, until_ms: Option<i64>) -> Window {
    Window { territories: Some(list(codes)), from_ms, until_ms }
}

fn schedule(windows: impl IntoIterator<Item = Window>, blocked: &[&str]) -> Availability {
    let blocked_territories = list(blocked);
    Availability { windows: windows.into_iter().collect(), blocked_territories }
}

#[test]
fn a_window_is_open_from_its_first_moment_to_the_one_before_its_end() {
    let title = schedule([everywhere(10, Some(20))], &[]);
    let table = [
        (i64::MIN, Offer::NotYet { from_ms: 10 }),
        (9, Offer::NotYet { from_ms: 10 }),
        (10, Offer::Open),
        (19, Offer::Open),
        (20, Offer::Over),
        (i64::MAX, Offer::Over),
    ];
    for (at_ms, offer) in table {
        assert_eq!(title.at(Some(of("DE")), at_ms), offer, "{at_ms}");
    }
}

#[test]
fn a_window_without_an_end_stays_open() {
    assert_eq!(schedule([everywhere(10, None)], &[]).at(None, i64::MAX), Offer::Open);
}

#[test]
fn between_two_windows_the_next_one_is_awaited() {
    let title =
        schedule([everywhere(50, None), everywhere(10, Some(20)), everywhere(30, Some(40))], &[]);
    assert_eq!(title.at(None, 25), Offer::NotYet { from_ms: 30 });
    assert_eq!(title.at(None, 40), Offer::NotYet { from_ms: 50 });
}

#[test]
fn overlapping_windows_are_open_while_any_of_them_is() {
    let title = schedule([everywhere(10, Some(20)), everywhere(15, Some(30))], &[]);
    assert_eq!(title.at(None, 15), Offer::Open);
    assert_eq!(title.at(None, 25), Offer::Open);
}

#[test]
fn a_window_is_for_the_territories_that_it_lists() {
    let title = schedule([only(&["DE", "AT"], 10, None), only(&["FR"], 30, None)], &[]);
    assert_eq!(title.at(Some(of("AT")), 20), Offer::Open);
    assert_eq!(title.at(Some(of("FR")), 20), Offer::NotYet { from_ms: 30 });
    assert_eq!(title.at(Some(of("CH")), 20), Offer::NotHere);
}

#[test]
fn a_blocked_territory_is_offered_nothing_whatever_the_windows_say() {
    let title = schedule([everywhere(0, None), only(&["DE"], 0, None)], &["DE"]);
    assert_eq!(title.at(Some(of("DE")), 1), Offer::NotHere);
    assert_eq!(title.at(Some(of("AT")), 1), Offer::Open);
}

#[test]
fn an_unknown_territory_is_offered_what_is_offered_everywhere() {
    assert_eq!(schedule([everywhere(0, None)], &[]).at(None, 1), Offer::Open);
    assert_eq!(schedule([only(&["DE"], 0, None)], &[]).at(None, 1), Offer::NotHere);
    assert_eq!(schedule([everywhere(0, None)], &["DE"]).at(None, 1), Offer::NotHere);
}

#[test]
fn a_title_without_windows_is_offered_nowhere() {
    assert_eq!(schedule([], &[]).at(Some(of("DE")), 1), Offer::NotHere);
}

#[test]
fn everywhere_is_everywhere_and_always() {
    for at_ms in [i64::MIN, 0, i64::MAX] {
        for territory in [None, Some(of("DE")), Some(of("NZ"))] {
            assert_eq!(Availability::everywhere().at(territory, at_ms), Offer::Open);
        }
    }
}

#[test]
fn a_schedule_depends_on_the_territory_if_any_is_named() {
    assert!(!Availability::everywhere().depends_on_territory());
    assert!(!schedule([everywhere(1, Some(2))], &[]).depends_on_territory());
    assert!(schedule([everywhere(1, None), only(&["DE"], 1, None)], &[]).depends_on_territory());
    assert!(schedule([everywhere(1, None)], &["DE"]).depends_on_territory());
}

#[test]
fn a_schedule_has_at_most_100_windows() {
    let windows = |count| schedule(vec![everywhere(0, None); count], &[]);
    assert_eq!(windows(100).validate(), Ok(()));
    assert_eq!(windows(101).validate().unwrap_err().field, "windows");
}

#[test]
fn a_schedule_names_each_territory_once_and_only_assigned_ones() {
    let good = [&["DE"][..], &["XK", "AT"]];
    let bad = [&["DE", "DE"][..], &["ZZ"], &["DE", "UK"]];
    for codes in good {
        assert_eq!(schedule([only(codes, 0, None)], codes).validate(), Ok(()), "{codes:?}");
    }
    for codes in bad {
        let window = schedule([only(codes, 0, None)], &[]).validate().unwrap_err();
        assert_eq!(window.field, "windows/territories", "{codes:?}");
        let blocked = schedule([], codes).validate().unwrap_err();
        assert_eq!(blocked.field, "blocked_territories", "{codes:?}");
    }
    let nobody = schedule([only(&[], 0, None)], &[]).validate().unwrap_err();
    assert_eq!(nobody.field, "windows/territories");
}

#[test]
fn a_window_ends_after_it_begins() {
    assert_eq!(schedule([everywhere(5, Some(6))], &[]).validate(), Ok(()));
    for until_ms in [5, 4, i64::MIN] {
        let refused = schedule([everywhere(5, Some(until_ms))], &[]).validate().unwrap_err();
        assert_eq!(refused.field, "windows/until_ms", "{until_ms}");
    }
}

#[test]
fn a_window_that_is_everywhere_and_open_for_ever_is_stored_as_its_beginning() {
    let stored = serde_json::to_value(everywhere(5, None)).unwrap();
    assert_eq!(stored, serde_json::json!({ "from_ms": 5 }));
}
