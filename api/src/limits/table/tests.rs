use std::collections::HashMap;
use std::num::NonZeroU32;

use proptest::prelude::*;

use super::super::{Rate, pace};
use super::*;

fn rate(count: u32, period_ms: u32, burst: u32) -> Rate {
    let number = |number| NonZeroU32::new(number).unwrap();
    Rate { count: number(count), period_ms: number(period_ms), burst: number(burst) }
}

/// Calls as (milliseconds since the last one, key), as (moment in milliseconds, key).
fn at(calls: &[(u32, u64)]) -> Vec<(i64, u64)> {
    let mut now_ms = 1_800_000_000_000;
    let moment = |&(wait_ms, key): &(u32, u64)| {
        now_ms += i64::from(wait_ms);
        (now_ms, key)
    };
    calls.iter().map(moment).collect()
}

fn allowed(table: &Table, rate: Rate, now_ms: i64, key: u64) -> bool {
    table.take(key, Pace::new(rate), pace::nanoseconds(now_ms)).is_none()
}

prop_compose! {
    fn any_rate()(count in 1_u32..50, period_ms in 1_u32..10_000, burst in 1_u32..20) -> Rate {
        rate(count, period_ms, burst)
    }
}

fn any_calls(keys: u64) -> impl Strategy<Value = Vec<(u32, u64)>> {
    prop::collection::vec((prop_oneof![Just(0_u32), 0_u32..50, 0_u32..2_000], 0..keys), 1..300)
}

/// A bucket as one would draw it: tokens, in nanotokens times the period, and a time of the last
/// refill.
struct Drawn {
    rate: Rate,
    tokens: HashMap<u64, (i128, i64)>,
}

impl Drawn {
    fn allows(&mut self, now_ms: i64, key: u64) -> bool {
        let period = i128::from(self.rate.period_ms.get());
        let full = i128::from(self.rate.burst.get()) * period;
        let (tokens, last_ms) = self.tokens.entry(key).or_insert((full, now_ms));
        let elapsed = i128::from(now_ms - *last_ms);
        *tokens = full.min(*tokens + elapsed * i128::from(self.rate.count.get()));
        *last_ms = now_ms;
        let allows = *tokens >= period;
        *tokens -= if allows { period } else { 0 };
        allows
    }
}

proptest! {
    #[test]
    fn no_key_ever_gets_more_than_its_burst_and_its_rate_even_if_the_table_is_far_too_small(
        rate in any_rate(), calls in any_calls(60),
    ) {
        let table = Table::new(WAYS);
        let mut moments: HashMap<u64, Vec<i64>> = HashMap::new();
        for (now_ms, key) in at(&calls) {
            if allowed(&table, rate, now_ms, key) {
                moments.entry(key).or_default().push(now_ms);
            }
        }
        let (count, period) = (i64::from(rate.count.get()), i64::from(rate.period_ms.get()));
        for moments in moments.values() {
            for (first, from) in moments.iter().enumerate() {
                for (last, to) in moments.iter().enumerate().skip(first) {
                    let taken = i64::try_from(last - first + 1).unwrap();
                    let over = taken - i64::from(rate.burst.get());
                    prop_assert!(over * period <= count * (to - from), "{taken} in {from}..={to}");
                }
            }
        }
    }

    #[test]
    fn keys_that_fit_are_counted_as_if_each_were_alone(
        rate in any_rate(), calls in any_calls(16),
    ) {
        let together = Table::new(WAYS);
        let alone: HashMap<u64, Table> = (0..16).map(|key| (key, Table::new(1))).collect();
        for (now_ms, key) in at(&calls) {
            let expected = allowed(&alone[&key], rate, now_ms, key);
            prop_assert_eq!(allowed(&together, rate, now_ms, key), expected);
        }
    }

    #[test]
    fn a_bucket_allows_what_a_count_with_refills_allows(
        // Periods that a count divides: nothing is rounded.
        count in prop::sample::select(vec![1_u32, 2, 4, 5, 10]),
        burst in 1_u32..20,
        calls in any_calls(3),
    ) {
        let rate = rate(count, 1_000, burst);
        let table = Table::new(WAYS);
        let mut drawn = Drawn { rate, tokens: HashMap::new() };
        for (now_ms, key) in at(&calls) {
            prop_assert_eq!(allowed(&table, rate, now_ms, key), drawn.allows(now_ms, key));
        }
    }

    #[test]
    fn who_waits_as_told_is_allowed_and_who_waits_a_nanosecond_less_is_not(
        rate in any_rate(), calls in any_calls(40), key in 0_u64..40,
    ) {
        let pace = Pace::new(rate);
        let made = || {
            let table = Table::new(WAYS);
            let mut now_ns = 0;
            for (now_ms, key) in at(&calls) {
                now_ns = pace::nanoseconds(now_ms);
                table.take(key, pace, now_ns);
            }
            (table, now_ns)
        };
        let (table, now_ns) = made();
        if let Some(wait_ns) = table.take(key, pace, now_ns) {
            prop_assert!(table.take(key, pace, now_ns + wait_ns - 1).is_some());
            prop_assert_eq!(table.take(key, pace, now_ns + wait_ns), None);
        }
    }
}

#[test]
fn a_refused_stranger_takes_no_slot_from_who_has_one() {
    let (table, rate) = (Table::new(WAYS), rate(1, 1_000, 1));
    for key in 0..16 {
        assert!(allowed(&table, rate, 0, key));
    }
    assert!(!allowed(&table, rate, 0, 99));
    // Had the stranger taken the slot of key 0, a bucket would be found full here by nobody.
    assert!((0..16).all(|key| allowed(&table, rate, 1_000, key)));
}

#[test]
fn memory_is_bounded_whatever_calls() {
    let (table, rate) = (Table::new(1_024), rate(1, 1_000, 10));
    for key in 0..100_000 {
        allowed(&table, rate, 0, key);
    }
    assert!(table.bytes() <= 1_024 * 18, "{}", table.bytes());
}

#[test]
fn a_clock_that_is_set_back_costs_no_more_than_one_empty_bucket() {
    let (table, rate) = (Table::new(WAYS), rate(1, 1_000, 3));
    let day_ms = 86_400_000;
    while allowed(&table, rate, day_ms, 1) {}
    assert!(!allowed(&table, rate, 0, 1));
    assert!(allowed(&table, rate, 1_000, 1));
    assert!(allowed(&table, rate, 2_000, 1));
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    let (table, rate) = (Table::new(WAYS), rate(1, u32::MAX, u32::MAX));
    for now_ms in [i64::MIN, -1, 0, i64::MAX, i64::MAX] {
        assert!(allowed(&table, rate, now_ms, u64::MAX));
    }
}
