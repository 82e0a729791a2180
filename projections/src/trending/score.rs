//! How much a title was played lately, as one number.
//!
//! A play of day *d* weighs 2^(*d*/7), and the plays of a title are summed up. Because every weight
//! would shrink by the same factor with each day, the order of two sums never depends on now. The
//! sum grows without bound, so what is kept is where its highest bit is, and the bits behind that:
//! a floating-point number of our own, made of whole numbers only. Sums of real floating-point
//! numbers would depend on the machine.

use super::HALF_LIFE_DAYS;

/// 2^(r/7) in units of 2^-48, rounded down.
const WEIGHTS: [u64; 7] = [
    281_474_976_710_656,
    310_773_570_147_815,
    343_121_839_927_176,
    378_837_225_376_059,
    418_270_207_926_990,
    461_807_750_454_355,
    509_877_094_609_946,
];
/// How many bits are kept behind the highest one: two sums are told apart if they differ by one in
/// 10^12.
const FRACTION_BITS: u32 = 40;

/// The score of a title that was played on these days; of no plays, the least there is.
pub(super) fn score(days: &[(i64, u64)]) -> i64 {
    let Some(newest) = days.iter().map(|(day, _)| weeks(*day)).max() else { return i64::MIN };
    let sum = days.iter().fold(0_u128, |sum, (day, plays)| {
        let age = u32::try_from(newest.saturating_sub(weeks(*day))).unwrap_or(u32::MAX);
        let weight = weight(*day).checked_shr(age).unwrap_or(0);
        sum.saturating_add(u128::from(weight).saturating_mul(u128::from(*plays)))
    });
    let Some(highest) = sum.checked_ilog2() else { return i64::MIN };
    // The highest bit goes out at the top; the next ones become the fraction.
    let behind = sum.checked_shl(128 - highest).unwrap_or(0);
    let fraction = i64::try_from(behind >> (128 - FRACTION_BITS)).unwrap_or(0);
    let exponent = newest.saturating_add(i64::from(highest));
    exponent.saturating_mul(1 << FRACTION_BITS).saturating_add(fraction)
}

fn weeks(day: i64) -> i64 {
    day.div_euclid(HALF_LIFE_DAYS)
}

fn weight(day: i64) -> u64 {
    let rest = usize::try_from(day.rem_euclid(HALF_LIFE_DAYS)).unwrap_or(0);
    WEIGHTS.get(rest).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TODAY: i64 = 20_777;

    #[test]
    fn a_week_later_half_as_many_plays_are_worth_the_same() {
        for day in TODAY..TODAY + 8 {
            for plays in [1, 3, 1_000_000] {
                assert_eq!(score(&[(day, plays * 2)]), score(&[(day + 7, plays)]), "{day}");
            }
        }
    }

    #[test]
    fn more_plays_and_later_plays_score_higher() {
        let ordered = [
            vec![],
            vec![(TODAY - 89, 5)],
            vec![(TODAY - 7, 19)],
            vec![(TODAY, 10)],
            vec![(TODAY - 89, 5), (TODAY, 10)],
            vec![(TODAY - 7, 19), (TODAY, 10)],
            vec![(TODAY, 20)],
            vec![(TODAY, 1_000_000)],
            vec![(TODAY, 1_000_001)],
            vec![(TODAY + 1, 1_000_001)],
        ];
        let scores: Vec<_> = ordered.iter().map(|days| score(days)).collect();
        assert!(scores.is_sorted_by(|one, next| one < next), "{scores:?}");
    }

    #[test]
    fn no_day_and_no_number_is_too_large() {
        let of = |day| score(&[(day, u64::MAX), (0, u64::MAX), (day, 1)]);
        let scores = [i64::MIN, -1, 0, 1, i64::MAX].map(of);
        assert!(scores.is_sorted(), "{scores:?}");
    }

    proptest! {
        #[test]
        fn the_order_does_not_depend_on_when_it_is_asked(
            one in proptest::collection::vec((0i64..60, 1u64..1_000), 1..9),
            other in proptest::collection::vec((0i64..60, 1u64..1_000), 1..9),
            weeks in 0i64..100,
        ) {
            let later = |days: &[(i64, u64)]| -> Vec<_> {
                days.iter().map(|(day, plays)| (day + weeks * 7, *plays)).collect()
            };
            let now = score(&one).cmp(&score(&other));
            prop_assert_eq!(now, score(&later(&one)).cmp(&score(&later(&other))));
        }

        #[test]
        fn a_score_is_near_the_sum_that_it_stands_for(
            days in proptest::collection::vec((0i64..90, 1u64..1_000_000), 1..90),
        ) {
            let sum: f64 = days
                .iter()
                .map(|(day, plays)| {
                    f64::from(u32::try_from(*plays).unwrap())
                        * (f64::from(i32::try_from(*day).unwrap()) / 7.0).exp2()
                })
                .sum();
            let found = score(&days);
            let (exponent, fraction) = (found >> FRACTION_BITS, found & ((1 << FRACTION_BITS) - 1));
            let fraction = f64::from(u32::try_from(fraction >> 8).unwrap()) / f64::from(1 << 16) / 65_536.0;
            let stands_for = (1.0 + fraction) * f64::from(i32::try_from(exponent - 48).unwrap()).exp2();
            prop_assert!((stands_for / sum - 1.0).abs() < 1e-6, "{} {}", stands_for, sum);
        }
    }
}
