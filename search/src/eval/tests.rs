use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const HEADING: &str = "stratum\tkind\tquery\ttarget\trelevant\n";

fn query(kind: &str, text: &str, relevant: &[u32]) -> Query {
    Query {
        line: 2,
        stratum: "popular".to_owned(),
        kind: kind.to_owned(),
        text: text.to_owned(),
        target: relevant[0],
        relevant: relevant.to_vec(),
    }
}

#[test]
fn a_query_is_read_as_it_is_typed() {
    let read = queries(&format!("{HEADING}popular\tprefix4\tthe \t9\t9,3\r\n")).unwrap();
    assert_eq!(read, [Query { relevant: vec![3, 9], ..query("prefix4", "the ", &[9, 3]) }]);
}

#[test]
fn columns_may_stand_in_any_order() {
    let read =
        queries("query\trelevant\ttarget\tnote\tkind\tstratum\nheat\t7\t7\t\texact\tpopular");
    assert_eq!(read.unwrap(), [query("exact", "heat", &[7])]);
}

#[test]
fn what_is_wrong_is_told_with_line_and_column() {
    let cases = [
        ("", "line 1, column stratum: is missing from the heading \"\""),
        ("stratum\tkind\tquery\ttarget\n", "line 1, column relevant: is missing"),
        ("a\tb\tc\t1", "line 2, column relevant: is missing"),
        ("a\tb\tc\tx\t1", "line 2, column target: must be a whole number, not \"x\""),
        ("a\tb\tc\t1\t1\na\tb\tc\t1\t1,", "line 3, column relevant: must be a whole number"),
        ("a\tb\tc\t1\t-1", "line 2, column relevant: must be a whole number"),
        ("a\t\tc\t1\t1", "line 2, column kind: must not be empty"),
        ("a\tb\t \t1\t1", "line 2, column query: must not be empty"),
    ];
    for (rows, told) in cases {
        let text = if rows.is_empty() || rows.starts_with("stratum") {
            rows.to_owned()
        } else {
            format!("{HEADING}{rows}")
        };
        let flaw = queries(&text).unwrap_err().to_string();
        assert!(flaw.starts_with(told), "{rows:?}: {flaw}");
    }
}

#[test]
fn popularity_is_read_by_film() {
    let read = popularity("film\ttitle\tyear\tratings\n136\tHeat\t1995\t2\n7\tUp\t\t30\n").unwrap();
    assert_eq!(read, HashMap::from([(136, 2), (7, 30)]));
    let flaw = popularity("film\tratings\n1\tmany").unwrap_err();
    assert_eq!(flaw.to_string(), "line 2, column ratings: must be a whole number, not \"many\"");
}

#[test]
fn the_rank_is_that_of_the_first_right_answer_of_ten() {
    assert_eq!(rank(&[5, 3, 9], &[9, 3]), Some(2));
    assert_eq!(rank(&[], &[1]), None);
    let eleven: Vec<u32> = (1..=11).collect();
    assert_eq!(rank(&eleven, &[10]), Some(10));
    assert_eq!(rank(&eleven, &[11]), None);
}

#[test]
fn measures_are_told_per_kind_and_stratum_and_for_all() {
    let mut board = Board::default();
    let exact = query("exact", "heat", &[1]);
    let typo = query("typo1", "heaf", &[1]);
    for (query, found) in
        [(&exact, vec![1]), (&exact, vec![2, 1]), (&exact, vec![2]), (&typo, vec![2, 3, 4, 1])]
    {
        board.add(query, &found, Duration::from_micros(10), None);
    }
    let rows = board.rows();
    let kinds: Vec<_> = rows.iter().map(|row| (&*row.kind, &*row.stratum)).collect();
    assert_eq!(kinds, [("exact", "popular"), ("typo1", "popular")]);
    let exact = &rows[0].measures;
    assert_eq!((exact.queries, exact.mrr_at_10, exact.success_at_1), (3, 0.5, 1.0 / 3.0));
    assert_eq!((exact.success_at_5, exact.ceiling), (2.0 / 3.0, None));
    let all = board.all();
    assert_eq!((all.queries, all.mrr_at_10, all.success_at_5), (4, 1.75 / 4.0, 0.75));
}

#[test]
fn without_queries_all_measures_are_0() {
    let all = Board::default().all();
    assert_eq!((all.queries, all.mrr_at_10, all.ceiling), (0, 0.0, None));
    assert_eq!(all.latency, Latency::default());
}

#[test]
fn percentiles_are_the_nearest_ranks() {
    let latency = Latency::of((1..=200).rev().map(Duration::from_micros).collect());
    let told = [latency.p50_us, latency.p99_us, latency.max_us].map(f64::round);
    assert_eq!(told, [100.0, 198.0, 200.0]);
    assert!((latency.mean_us - 100.5).abs() < 1e-6);
    assert!((Latency::of(vec![Duration::from_micros(7)]).p99_us - 7.0).abs() < 1e-6);
}

#[test]
fn only_beginnings_without_typos_have_a_ceiling() {
    assert!(["prefix2", "prefix10"].into_iter().all(is_prefix_kind));
    assert!(!["prefix", "prefix_typo1", "exact", "prefix3x"].into_iter().any(is_prefix_kind));
}

#[test]
fn the_ceiling_orders_all_titles_with_the_prefix_by_popularity() {
    let titles = [(1, "Star Wars"), (2, "Stardust"), (3, "Starman"), (4, "Heat"), (5, "Star")];
    let ceiling = Ceiling::new(titles, HashMap::from([(1, 90), (2, 50), (4, 99), (5, 10)]));
    let earned = |text: &str, relevant: &[u32]| ceiling.of(&query("prefix3", text, relevant));
    assert_eq!(earned("sta", &[1]), 1.0);
    assert_eq!(earned("sta", &[2]), 0.5);
    assert_eq!(earned("STAR", &[3]), 0.25, "a film without ratings comes last");
    assert_eq!(earned("star ", &[1]), 1.0);
    assert_eq!(earned("star ", &[2]), 0.0, "a space ends the word");
    assert_eq!(earned("sta", &[4]), 0.0, "does not begin so");
    assert_eq!(earned("sta", &[2, 5]), 0.5, "the best of the right ones counts");
}

#[test]
fn equally_popular_titles_come_in_any_order() {
    let ceiling = Ceiling::new([(1, "Up"), (2, "Up"), (3, "Upside")], HashMap::from([(3, 1)]));
    let of = |relevant: &[u32]| ceiling.of(&query("prefix2", "up", relevant));
    assert_eq!(of(&[1]), (1.0 / 2.0 + 1.0 / 3.0) / 2.0);
    assert_eq!(of(&[1, 2]), 0.5);
}

proptest! {
    #[test]
    fn a_share_is_never_above_1_and_more_right_answers_never_earn_less(
        votes in proptest::collection::vec(0_u32..3, 1..30), right in 0_usize..30,
    ) {
        let titles: Vec<(u32, String)> = (1..).zip(&votes).map(|(film, _)| (film, "a".into())).collect();
        let popularity = titles.iter().map(|(film, _)| *film).zip(votes.iter().copied()).collect();
        let ceiling = Ceiling::new(titles.iter().map(|(film, title)| (*film, &**title)), popularity);
        let last = u32::try_from(right % votes.len()).unwrap() + 1;
        let one = ceiling.of(&query("prefix1", "a", &[last]));
        let all: Vec<u32> = (1..=last).collect();
        let more = ceiling.of(&query("prefix1", "a", &all));
        prop_assert!(one <= more + 1e-9 && more <= 1.0 + 1e-9);
    }
}
