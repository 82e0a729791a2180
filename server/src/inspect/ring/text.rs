//! The ring as tables.

use std::collections::BTreeMap;

use super::{Answer, Changed, Reweighted, Row};
use crate::output::{count, counted, table};

/// Lists of partitions are folded to lines of this width; with the names before them they fit a
/// terminal of 100 columns.
const FOLD_WIDTH: usize = 64;

pub(super) fn of(answer: &Answer) -> String {
    let mut text = format!(
        "{} on {}, {} of each, by {} with {}",
        counted(answer.partition_count.into(), "partition"),
        counted(answer.now.len().try_into().unwrap_or(u64::MAX), "shard"),
        counted(answer.replicas.try_into().unwrap_or(u64::MAX), "replica"),
        answer.rule,
        counted(answer.vnodes.into(), "point"),
    );
    let replicated = answer.replicas > 1;
    let mut add = |paragraph: String| {
        text.push_str("\n\n");
        text.push_str(&paragraph);
    };
    add(spread(&answer.now));
    add(placement(&answer.now, replicated));
    if let Some(plan) = &answer.plan {
        add(summary(plan, replicated));
        if !plan.moves.is_empty() || !plan.handovers.is_empty() {
            add(steps(plan));
        }
        add("Afterwards".to_owned());
        add(spread(&plan.afterwards));
        add(placement(&plan.afterwards, replicated));
    }
    text
}

fn spread(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        vec![
            row.shard.clone(),
            count(row.weight.into()),
            count(row.vnodes),
            row.capacity.map_or_else(String::new, |capacity| count(capacity.into())),
            count(row.primary_of.len().try_into().unwrap_or(u64::MAX)),
            count(row.held.into()),
            format!("{:>6}", percent(row.keys_ppm)),
            format!("{:>6}", percent(row.share_ppm)),
            format!("{:>6}", percent(row.fair_ppm)),
            format!("{:>8}", signed_percent(row.deviation_ppm)),
        ]
    });
    let names = ["shard", "weight", "points", "capacity", "primary of", "keeps"];
    // The tables set only whole numbers to the right; percentages bring their own space.
    let shares = ["  keys", " share", "  fair", "  off by"];
    let heading: Vec<&str> = names.into_iter().chain(shares).collect();
    let fullest = rows.iter().max_by_key(|row| row.deviation_ppm);
    let fullest = fullest.map_or_else(String::new, |row| {
        let hundredths = (row.deviation_ppm + 1_000_000 + 5_000) / 10_000;
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        format!("\nThe fullest, {}, keeps {whole}.{rest:02} times its fair share.", row.shard)
    });
    table(&heading, &cells.collect::<Vec<_>>()) + &fullest
}

fn placement(rows: &[Row], replicated: bool) -> String {
    let mut cells = Vec::new();
    for row in rows {
        let lists = [("primary", &row.primary_of), ("replica", &row.replica_of)];
        let mut name = row.shard.clone();
        for (role, partitions) in lists.into_iter().take(if replicated { 2 } else { 1 }) {
            let mut role = role.to_owned();
            for line in fold(partitions) {
                cells.push(vec![std::mem::take(&mut name), std::mem::take(&mut role), line]);
            }
        }
    }
    table(&["shard", "as", "partitions"], &cells)
}

fn summary(plan: &Changed, replicated: bool) -> String {
    let changes: Vec<_> = plan.changes.iter().map(change).collect();
    let changes = if changes.is_empty() { "nothing".to_owned() } else { changes.join(", ") };
    let moves = plan.moves.len().try_into().unwrap_or(u64::MAX);
    let verb = if moves == 1 { "moves" } else { "move" };
    let keys = if replicated { "all replicas of all keys" } else { "all keys" };
    let mut text = format!(
        "Plan: {changes}\n{} of {} {verb}; such a change moves at most {}.\n{} of {keys} move; {} \
         would have to if weights were met exactly.",
        count(moves),
        counted(plan.replicas.into(), "replica"),
        count(plan.moves_max.into()),
        percent(plan.moved_keys_ppm),
        percent(plan.least_ppm),
    );
    if !plan.handovers.is_empty() {
        let handovers = plan.handovers.len().try_into().unwrap_or(u64::MAX);
        let get = if handovers == 1 { "gets" } else { "get" };
        text.push_str(&format!(
            "\n{} {get} a primary that has kept it before; nothing is copied for that.",
            counted(handovers, "partition")
        ));
    }
    text
}

fn change(change: &Reweighted) -> String {
    let Reweighted { shard, weight_before, weight_after } = change;
    match (weight_before, weight_after) {
        (Some(before), Some(after)) => format!("{shard} from weight {before} to {after}"),
        (None, Some(after)) => format!("{shard} joins with weight {after}"),
        (_, None) => format!("{shard} leaves"),
    }
}

fn steps(plan: &Changed) -> String {
    let mut groups: BTreeMap<(&str, &str, &str), Vec<u16>> = BTreeMap::new();
    for step in &plan.moves {
        let role = if step.replica == 0 { "primary" } else { "replica" };
        groups.entry((&step.from, &step.to, role)).or_default().push(step.partition);
    }
    for step in &plan.handovers {
        groups.entry((&step.from, &step.to, "takes over")).or_default().push(step.partition);
    }
    let mut cells = Vec::new();
    for ((from, to, role), partitions) in groups {
        let number = count(partitions.len().try_into().unwrap_or(u64::MAX));
        let mut head = [from, to, role, &number].map(str::to_owned);
        for line in fold(&partitions) {
            cells.push(std::mem::take(&mut head).into_iter().chain([line]).collect());
        }
    }
    table(&["from", "to", "as", "number", "partitions"], &cells)
}

/// Partitions in order as ranges, in lines: `0-3 7 9-10`; a dash for none.
fn fold(partitions: &[u16]) -> Vec<String> {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for partition in partitions {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*partition) => *last = *partition,
            _ => ranges.push((*partition, *partition)),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for (first, last) in ranges {
        let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
        match lines.last_mut() {
            Some(line) if line.len() + 1 + range.len() <= FOLD_WIDTH => {
                line.push(' ');
                line.push_str(&range);
            }
            _ => lines.push(range),
        }
    }
    if lines.is_empty() {
        lines.push("-".to_owned());
    }
    lines
}

/// Millionths as a percentage with one decimal, rounded to the nearest: `12.5%`.
fn percent(ppm: u32) -> String {
    let tenths = (u64::from(ppm) + 500) / 1_000;
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// The same of what may be negative: `+12.5%`.
fn signed_percent(ppm: i64) -> String {
    let sign = if ppm < 0 { '-' } else { '+' };
    let size = u32::try_from(ppm.unsigned_abs()).unwrap_or(u32::MAX);
    format!("{sign}{}", percent(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_ranges_and_long_lists_lines() {
        assert_eq!(fold(&[0, 1, 2, 3, 7, 9, 10]), ["0-3 7 9-10"]);
        assert_eq!(fold(&[]), ["-"]);
        assert_eq!(fold(&[65_534, 65_535]), ["65534-65535"]);
        let lines = fold(&(0..200).step_by(2).collect::<Vec<_>>());
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= FOLD_WIDTH), "{lines:?}");
        assert_eq!(lines.join(" ").split(' ').count(), 100);
    }

    #[test]
    fn percentages_are_rounded_and_signed() {
        assert_eq!([percent(0), percent(333_333), percent(1_000_000)], ["0.0%", "33.3%", "100.0%"]);
        assert_eq!(percent(999_950), "100.0%");
        assert_eq!([signed_percent(-128_000), signed_percent(0)], ["-12.8%", "+0.0%"]);
    }
}
