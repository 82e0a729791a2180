use super::*;
use crate::availability::Window;

const NOW: i64 = 1_000;

fn here() -> Territory {
    "DE".parse().unwrap()
}

fn window(code: Option<&str>, from_ms: i64, until_ms: Option<i64>) -> Window {
    let territories = code.map(|code| vec![code.parse().unwrap()]);
    Window { territories, from_ms, until_ms }
}

fn scheduled(window: Window) -> Option<Availability> {
    Some(Availability { windows: vec![window], blocked_territories: vec![] })
}

/// Facts that nothing speaks against.
fn entitled() -> Facts {
    Facts {
        account_active: true,
        email_verified: true,
        plan: Some(Plan::Basic),
        vpn: false,
        viewer: Viewer { territory: Some(here()), maturity_max: Maturity::From13 },
        title: Terms { maturity: Some(Maturity::From7), availability: None },
        pin: Pin::None,
        device: Device::Welcome,
    }
}

/// What sets a reason, and the refusal that it leads to.
type Reason = (fn(&mut Facts), Refusal);

/// Every reason, in the order in which they are given.
const REASONS: [Reason; 13] = [
    (|it| it.account_active = false, Refusal::AccountSuspended),
    (|it| it.device = Device::Removed, Refusal::DeviceRemoved),
    (|it| it.email_verified = false, Refusal::EmailNotVerified),
    (|it| it.plan = None, Refusal::NotSubscribed),
    (|it| it.device = Device::NoRoom { limit: 3 }, Refusal::TooManyDevices { limit: 3 }),
    (|it| it.pin = Pin::Locked { until_ms: 5 }, Refusal::PinLocked { until_ms: 5 }),
    (|it| it.pin = Pin::Missing, Refusal::PinRequired),
    (|it| it.vpn = true, Refusal::VpnRefused),
    (
        |it| it.title.maturity = Some(Maturity::From16),
        Refusal::TooMature { limit: Maturity::From13, rating: Maturity::From16 },
    ),
    (
        |it| {
            it.viewer.territory = None;
            it.title.availability = scheduled(window(Some("DE"), 0, None));
        },
        Refusal::TerritoryUnknown,
    ),
    (|it| it.title.availability = scheduled(window(Some("FR"), 0, None)), Refusal::NotInTerritory),
    (
        |it| it.title.availability = scheduled(window(None, NOW + 1, None)),
        Refusal::NotYetAvailable { from_ms: NOW + 1 },
    ),
    (
        |it| it.title.availability = scheduled(window(None, 0, Some(NOW))),
        Refusal::NoLongerAvailable,
    ),
];

/// Whether two reasons are set by the same fact, so that the later one replaces the earlier.
fn exclude_each_other(one: usize, other: usize) -> bool {
    [[1, 4].as_slice(), &[5, 6], &[9, 10, 11, 12]]
        .iter()
        .any(|group| group.contains(&one) && group.contains(&other))
}

#[test]
fn what_nothing_speaks_against_may_be_played_on_the_plan_that_runs() {
    assert_eq!(entitled().check(NOW), Ok(Plan::Basic));
}

#[test]
fn each_reason_alone_has_its_own_refusal() {
    for (set, refusal) in REASONS {
        let mut facts = entitled();
        set(&mut facts);
        assert_eq!(facts.check(NOW), Err(refusal));
    }
}

#[test]
fn of_any_two_reasons_the_one_that_says_less_is_given() {
    let mut pairs = 0;
    for (first, (set_first, refusal)) in REASONS.iter().enumerate() {
        for (second, (set_second, _)) in REASONS.iter().enumerate().skip(first + 1) {
            if exclude_each_other(first, second) {
                continue;
            }
            for order in [[set_first, set_second], [set_second, set_first]] {
                let mut facts = entitled();
                order.iter().for_each(|set| set(&mut facts));
                assert_eq!(facts.check(NOW), Err(*refusal), "{first} and {second}");
            }
            pairs += 1;
        }
    }
    assert_eq!(pairs, 13 * 12 / 2 - 1 - 1 - 6);
}

#[test]
fn the_refusals_are_thirteen_different_ones() {
    let mut texts: Vec<_> = REASONS.iter().map(|(_, refusal)| refusal.to_string()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), REASONS.len());
}

#[test]
fn a_title_is_visible_unless_a_reason_of_its_own_speaks_against_it() {
    for (number, (set, _)) in REASONS.iter().enumerate() {
        let mut facts = entitled();
        set(&mut facts);
        let visible = is_visible(&facts.title, &facts.viewer, NOW);
        assert_eq!(visible, number < 8, "{number}");
    }
}

#[test]
fn the_limit_itself_may_be_played_and_the_level_above_it_not() {
    for limit in Maturity::LEVELS {
        for rating in Maturity::LEVELS {
            let mut facts = entitled();
            facts.viewer.maturity_max = limit;
            facts.title.maturity = Some(rating);
            assert_eq!(facts.check(NOW).is_ok(), rating <= limit, "{rating} for {limit}");
        }
    }
}

#[test]
fn an_unrated_title_is_for_adults_only() {
    let mut facts = entitled();
    facts.title.maturity = None;
    let (limit, rating) = (Maturity::From13, Maturity::From18);
    assert_eq!(facts.check(NOW), Err(Refusal::TooMature { limit, rating }));
    facts.viewer.maturity_max = Maturity::From18;
    assert_eq!(facts.check(NOW), Ok(Plan::Basic));
}

#[test]
fn a_pin_that_was_given_stands_in_nobodys_way() {
    assert_eq!(Facts { pin: Pin::Given, ..entitled() }.check(NOW), Ok(Plan::Basic));
}

#[test]
fn nobody_need_know_the_territory_for_what_is_offered_everywhere() {
    let mut facts = entitled();
    facts.viewer.territory = None;
    assert_eq!(facts.check(NOW), Ok(Plan::Basic));
    facts.title.availability = scheduled(window(None, 0, None));
    assert_eq!(facts.check(NOW), Ok(Plan::Basic));
}

#[test]
fn a_window_takes_effect_on_time() {
    let mut facts = entitled();
    facts.title.availability = scheduled(window(Some("DE"), NOW, Some(NOW + 10)));
    let answers = [NOW - 1, NOW, NOW + 9, NOW + 10].map(|at_ms| facts.check(at_ms));
    let too_early = Err(Refusal::NotYetAvailable { from_ms: NOW });
    let too_late = Err(Refusal::NoLongerAvailable);
    assert_eq!(answers, [too_early, Ok(Plan::Basic), Ok(Plan::Basic), too_late]);
}
