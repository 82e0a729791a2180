//! The states in which a crash can leave a disk: all of them where they are few, many of them where
//! they are not.

use std::collections::HashSet;

use super::durability::Durability;
use super::op::Op;
use super::outcome::{Outcome, outcomes};
use super::tree::Tree;
use crate::dice::Dice;

/// One outcome for each undecided change, by number.
type Plan = Vec<usize>;

/// The crash states behind each operation of a history.
#[derive(Debug)]
pub(crate) struct Crashes<'a> {
    ops: &'a [Op],
    done: usize,
    durability: Durability,
}

/// A disk after a crash.
#[derive(Debug)]
pub(crate) struct CrashState {
    /// Which of the states of its step it is.
    pub(crate) number: usize,
    pub(crate) tree: Tree,
    /// What became of each undecided change.
    pub(crate) story: Vec<(usize, Outcome)>,
}

impl<'a> Crashes<'a> {
    pub(crate) fn new(start: &Tree, ops: &'a [Op]) -> Self {
        Self { ops, done: 0, durability: Durability::new(start.clone()) }
    }

    /// The states of a crash behind `step` operations: every combination of outcomes if there are
    /// at most `budget`, otherwise the extremes and random ones. Steps only go forward.
    pub(crate) fn after(
        &mut self,
        step: usize,
        budget: usize,
        seed: u64,
    ) -> impl Iterator<Item = CrashState> + use<'_> {
        while self.done < step {
            self.durability.advance(self.done, &self.ops[self.done]);
            self.done += 1;
        }
        let undecided = self.durability.undecided();
        let free: Vec<(usize, Vec<Outcome>)> =
            undecided.iter().map(|change| (change.at, outcomes(&change.op))).collect();
        let counts: Vec<usize> = free.iter().map(|(_, outcomes)| outcomes.len()).collect();
        let plans = plans(&counts, budget, &mut Dice::of(seed, step as u64));
        let durability = &self.durability;
        plans.into_iter().enumerate().map(move |(number, plan)| {
            let story: Vec<(usize, Outcome)> =
                free.iter().zip(&plan).map(|((at, all), chosen)| (*at, all[*chosen])).collect();
            let tree = durability.settle(|change| {
                let chosen = story.iter().find(|(at, _)| *at == change.at);
                chosen.map_or(Outcome::Kept, |(_, outcome)| *outcome)
            });
            CrashState { number, tree, story }
        })
    }
}

/// What to try, each combination once. `counts` says how many outcomes each change has, the oldest
/// first; outcome 0 is *kept* and 1 is *lost*.
fn plans(counts: &[usize], budget: usize, dice: &mut Dice) -> Vec<Plan> {
    let product = counts.iter().try_fold(1usize, |product, count| product.checked_mul(*count));
    if product.is_some_and(|product| product <= budget) {
        return every(counts);
    }
    let mut plans = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |plan: Plan| {
        if plans.len() < budget && seen.insert(plan.clone()) {
            plans.push(plan);
        }
        plans.len() < budget
    };
    for others in [0, 1] {
        add(vec![others; counts.len()]);
    }
    // One change alone, the others kept or lost; the newest first, as it matters most.
    for (changed, count) in counts.iter().enumerate().rev() {
        for chosen in extremes(*count, budget / 4, dice) {
            for others in [0, 1] {
                let mut plan = vec![others; counts.len()];
                plan[changed] = chosen;
                add(plan);
            }
        }
    }
    for _ in 0..budget * 2 {
        if !add(counts.iter().map(|count| skewed(*count, dice)).collect()) {
            break;
        }
    }
    plans
}

/// All combinations, like the numbers of a counter whose wheels have these many positions.
fn every(counts: &[usize]) -> Vec<Plan> {
    let mut plans = vec![Vec::new()];
    for count in counts {
        let longer = |plan: &Plan| {
            let plan = plan.clone();
            (0..*count).map(move |chosen| plan.iter().copied().chain([chosen]).collect())
        };
        plans = plans.iter().flat_map(longer).collect();
    }
    plans
}

/// All outcomes of a change, or some of them if they are many.
fn extremes(count: usize, most: usize, dice: &mut Dice) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|_| dice.below(count)).collect()
}

/// Kept, lost and torn equally often.
fn skewed(count: usize, dice: &mut Dice) -> usize {
    match dice.below(3) {
        0 => 0,
        1 => 1.min(count - 1),
        _ => dice.below(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_combinations_are_all_tried_once() {
        let plans = plans(&[2, 3, 4], 24, &mut Dice::new(1));
        assert_eq!(plans.len(), 24);
        assert_eq!(plans.iter().collect::<HashSet<_>>().len(), 24);
    }

    #[test]
    fn of_many_combinations_the_extremes_are_tried_and_no_more_than_asked() {
        let plans = plans(&[2; 40], 100, &mut Dice::new(1));
        assert_eq!(plans.len(), 100);
        for others in [0, 1] {
            assert!(plans.contains(&vec![others; 40]));
            let mut last = vec![others; 40];
            last[39] = 1 - others;
            assert!(plans.contains(&last));
        }
    }

    #[test]
    fn nothing_undecided_leaves_one_state() {
        assert_eq!(plans(&[], 10, &mut Dice::new(1)), [Vec::<usize>::new()]);
    }
}
