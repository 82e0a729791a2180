//! The best of a range: which of the neighbouring places has the lowest rank, among those that a
//! viewer of some maturity may see.

use playhead_domain::Maturity;

/// How many places are looked at one by one. Fewer cost memory, more cost time; at 32 a look-up
/// takes about 100 ns over 400,000 places (measured).
const BLOCK: usize = 32;
/// No rank is as high.
const NOTHING: u32 = u32::MAX;

/// What stands at a place: how well it ranks, of what class it is and from what level on it is seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Lower is better; each place has one of its own, from 0 to the number of places.
    pub(super) rank: u32,
    /// Below the number of classes.
    pub(super) class: u8,
    /// The level from which it is seen.
    pub(super) level: Maturity,
}

/// Finds the best in any range of places.
#[derive(Debug)]
pub(super) struct Best {
    places: Vec<Place>,
    /// Which place has a rank.
    by_rank: Vec<u32>,
    /// For each class and level a tree of minima over blocks of places.
    trees: Vec<Tree>,
}

/// The minima of blocks and, above them, of pairs of nodes: node `n` has the children `2n` and
/// `2n + 1`, and block `b` is node `blocks + b`.
#[derive(Debug)]
struct Tree {
    nodes: Vec<u32>,
}

impl Best {
    /// Over places in their order. The ranks must be all numbers from 0 on, each once.
    pub(super) fn new(places: Vec<Place>, classes: u8) -> Self {
        let mut by_rank = vec![NOTHING; places.len()];
        for (index, place) in (0..).zip(&places) {
            if let Some(slot) = by_rank.get_mut(size(place.rank)) {
                *slot = index;
            }
        }
        let kinds = (0..classes).flat_map(|class| Maturity::LEVELS.map(|level| (class, level)));
        let trees = kinds.map(|(class, level)| Tree::new(&places, class, level)).collect();
        Self { places, by_rank, trees }
    }

    /// The best of the places `from..until` of a class that is seen at a level: its rank.
    pub(super) fn of(&self, from: u32, until: u32, class: u8, level: Maturity) -> Option<u32> {
        let (from, until) = (size(from), size(until).min(self.places.len()));
        let (first, last) = (from.div_ceil(BLOCK), until / BLOCK);
        let rank = if first >= last {
            self.scan(from, until, class, level)
        } else {
            let tree = usize::from(class) * Maturity::LEVELS.len() + level_number(level);
            let inner = self.trees.get(tree).map_or(NOTHING, |tree| tree.min(first, last));
            let left = self.scan(from, first * BLOCK, class, level);
            inner.min(left).min(self.scan(last * BLOCK, until, class, level))
        };
        (rank != NOTHING).then_some(rank)
    }

    /// The place that has a rank.
    pub(super) fn place(&self, rank: u32) -> Option<u32> {
        self.by_rank.get(size(rank)).copied()
    }

    /// How many bytes it takes.
    pub(super) fn size_bytes(&self) -> usize {
        let trees: usize = self.trees.iter().map(|tree| tree.nodes.len()).sum();
        self.places.len() * size_of::<Place>() + (self.by_rank.len() + trees) * size_of::<u32>()
    }

    fn scan(&self, from: usize, until: usize, class: u8, level: Maturity) -> u32 {
        let places = self.places.get(from..until).unwrap_or_default();
        min(places, class, level)
    }
}

impl Tree {
    fn new(places: &[Place], class: u8, level: Maturity) -> Self {
        let blocks = places.chunks(BLOCK).map(|block| min(block, class, level));
        let blocks: Vec<u32> = blocks.collect();
        let mut nodes = vec![NOTHING; blocks.len()];
        nodes.extend(blocks);
        for node in (1..nodes.len() / 2).rev() {
            let children = nodes.get(2 * node..2 * node + 2).unwrap_or_default();
            let least = children.iter().copied().min().unwrap_or(NOTHING);
            if let Some(slot) = nodes.get_mut(node) {
                *slot = least;
            }
        }
        Self { nodes }
    }

    /// The minimum of the blocks `first..last`.
    fn min(&self, first: usize, last: usize) -> u32 {
        let blocks = self.nodes.len() / 2;
        let (mut first, mut last) = (first + blocks, last + blocks);
        let at = |node: usize| self.nodes.get(node).copied().unwrap_or(NOTHING);
        let mut least = NOTHING;
        while first < last {
            if first % 2 == 1 {
                least = least.min(at(first));
                first += 1;
            }
            if last % 2 == 1 {
                last -= 1;
                least = least.min(at(last));
            }
            first /= 2;
            last /= 2;
        }
        least
    }
}

fn min(places: &[Place], class: u8, level: Maturity) -> u32 {
    let seen = places.iter().filter(|place| place.class == class && place.level <= level);
    seen.map(|place| place.rank).min().unwrap_or(NOTHING)
}

fn level_number(level: Maturity) -> usize {
    Maturity::LEVELS.iter().take_while(|it| **it < level).count()
}

/// A place or rank as an index.
pub(super) fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_best_is_what_looking_at_all_finds(
            drawn in proptest::collection::vec((any::<u32>(), 0_u8..2, 0_usize..5), 0..400),
            from in 0_u32..400, until in 0_u32..420, class in 0_u8..2, level in 0_usize..5,
        ) {
            let mut order: Vec<usize> = (0..drawn.len()).collect();
            order.sort_by_key(|index| (drawn[*index].0, *index));
            let mut places: Vec<Place> = drawn
                .iter()
                .map(|(_, class, level)| Place { rank: 0, class: *class, level: Maturity::LEVELS[*level] })
                .collect();
            for (rank, index) in (0..).zip(order) {
                places[index].rank = rank;
            }
            let level = Maturity::LEVELS[level];
            let until_in = size(until).min(places.len());
            let within = places.get(size(from)..until_in).unwrap_or_default();
            let expected = within
                .iter()
                .filter(|place| place.class == class && place.level <= level)
                .map(|place| place.rank)
                .min();
            let best = Best::new(places.clone(), 2);
            prop_assert_eq!(best.of(from, until, class, level), expected);
            if let Some(rank) = expected {
                prop_assert_eq!(places[size(best.place(rank).unwrap())].rank, rank);
            }
        }
    }
}
