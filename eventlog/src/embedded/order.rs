//! The order of the events of one segment, over all partitions.

use crate::stream::Partition;

/// An event of a segment: where it begins and which partition it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where its record begins, in bytes from the beginning of the file.
    pub(super) at: u32,
    pub(super) partition: Partition,
}

/// Which offsets of a partition a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    /// The first offset that is not before the segment.
    pub(super) first: u64,
    /// The first offset behind the segment.
    pub(super) next: u64,
}

/// The events of one segment, in the order of recording, and by partition.
#[derive(Debug)]
pub(super) struct Order {
    entries: Vec<Entry>,
    /// For each partition: its first offset here, and which of the entries are its own.
    lanes: Vec<Lane>,
}

#[derive(Debug)]
struct Lane {
    first: u64,
    entries: Vec<u32>,
}

impl Order {
    /// No events, behind those before.
    pub(super) fn new(firsts: impl IntoIterator<Item = u64>, events: usize) -> Self {
        let lane = |first| Lane { first, entries: Vec::new() };
        Self { entries: Vec::with_capacity(events), lanes: firsts.into_iter().map(lane).collect() }
    }

    /// Adds an event; answers its number in the segment.
    pub(super) fn push(&mut self, partition: Partition, at: u32) -> u32 {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry { at, partition });
        if let Some(lane) = self.lanes.get_mut(usize::from(partition.0)) {
            lane.entries.push(number);
        }
        number
    }

    /// The events, in the order of recording.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where the event of a number begins.
    pub(super) fn at(&self, number: u32) -> Option<u32> {
        let number = usize::try_from(number).ok()?;
        self.entries.get(number).map(|entry| entry.at)
    }

    /// The offsets of a partition.
    pub(super) fn span(&self, partition: Partition) -> Span {
        self.lanes.get(usize::from(partition.0)).map_or_else(Span::default, Lane::span)
    }

    /// The offsets of every partition, in their order.
    pub(super) fn spans(&self) -> impl ExactSizeIterator<Item = Span> + '_ {
        self.lanes.iter().map(Lane::span)
    }

    /// Where the events from these offsets on begin, in order; at most `limit`. A partition without
    /// a wanted offset is skipped.
    pub(super) fn behind(&self, wanted: &[Option<u64>], limit: usize) -> Vec<u32> {
        let begin = |(lane, wanted): (&Lane, &Option<u64>)| {
            let skipped = wanted.map(|offset| offset.saturating_sub(lane.first));
            let skipped = skipped.and_then(|skipped| usize::try_from(skipped).ok());
            skipped.and_then(|skipped| lane.entries.get(skipped).copied()).unwrap_or(u32::MAX)
        };
        let begins: Vec<u32> = self.lanes.iter().zip(wanted).map(begin).collect();
        let start = begins.iter().copied().min().unwrap_or(u32::MAX);
        let rest = usize::try_from(start).ok().and_then(|start| self.entries.get(start..));
        let numbered = rest.unwrap_or(&[]).iter().zip(start..);
        let is_wanted = |entry: &Entry, number: u32| {
            begins.get(usize::from(entry.partition.0)).is_some_and(|begin| *begin <= number)
        };
        numbered
            .filter(|(entry, number)| is_wanted(entry, *number))
            .map(|(entry, _)| entry.at)
            .take(limit)
            .collect()
    }
}

impl Lane {
    fn span(&self) -> Span {
        let len = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        Span { first: self.first, next: self.first + len }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Partition 0 begins at offset 5, partition 1 at 0; records every ten bytes.
    fn order() -> Order {
        let mut order = Order::new([5, 0, 0], 0);
        for (partition, at) in [(0, 10), (1, 20), (0, 30), (1, 40), (1, 50), (0, 60)] {
            order.push(Partition(partition), at);
        }
        order
    }

    #[test]
    fn wanted_partitions_come_in_the_order_of_recording() {
        let order = order();
        assert_eq!(order.behind(&[Some(5), Some(0), Some(0)], 9), [10, 20, 30, 40, 50, 60]);
        assert_eq!(order.behind(&[Some(6), Some(2), None], 9), [30, 50, 60]);
        assert_eq!(order.behind(&[None, Some(1), None], 9), [40, 50]);
        assert_eq!(order.behind(&[Some(0), Some(9), None], 2), [10, 30]);
        assert_eq!(order.behind(&[Some(8), Some(3), Some(0)], 9), [0; 0]);
    }

    #[test]
    fn the_spans_of_a_segment_say_where_the_next_one_goes_on() {
        let order = order();
        let spans: Vec<_> = order.spans().map(|span| (span.first, span.next)).collect();
        assert_eq!(spans, [(5, 8), (0, 3), (0, 0)]);
    }
}
