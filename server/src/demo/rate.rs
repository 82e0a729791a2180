//! How fast a number grows.

use std::collections::VecDeque;
use std::time::Duration;

/// How far back it looks.
const WINDOW: Duration = Duration::from_secs(5);

/// A number that grows, as it was seen in the last seconds.
#[derive(Debug, Default)]
pub(super) struct Rate {
    seen: VecDeque<(Duration, u64)>,
}

impl Rate {
    /// The number at a moment; moments come in order. Answers how much it grew per second lately.
    pub(super) fn at(&mut self, moment: Duration, number: u64) -> u64 {
        let begin = moment.saturating_sub(WINDOW);
        while self.seen.len() > 1 && self.seen.get(1).is_some_and(|(at, _)| *at <= begin) {
            self.seen.pop_front();
        }
        self.seen.push_back((moment, number));
        let (since, before) = self.seen.front().copied().unwrap_or((moment, number));
        let elapsed_ms =
            u64::try_from(moment.saturating_sub(since).as_millis()).unwrap_or(u64::MAX);
        match elapsed_ms {
            0 => 0,
            elapsed_ms => number.saturating_sub(before).saturating_mul(1_000) / elapsed_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_seconds_count() {
        let mut rate = Rate::default();
        let mut at = |second, number| rate.at(Duration::from_secs(second), number);
        assert_eq!(at(0, 1_000), 0);
        assert_eq!(at(2, 1_400), 200);
        assert_eq!((3..=10).map(|second| at(second, 1_400)).last(), Some(0));
    }

    #[test]
    fn memory_has_a_limit() {
        let mut rate = Rate::default();
        for tick in 0..10_000 {
            rate.at(Duration::from_millis(tick * 250), tick);
        }
        assert!(rate.seen.len() < 30);
    }
}
