//! Values that are kept for a while, together no more than so much.

use std::hash::Hash;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Values by key, each good for the time in which it was made, named by its first moment. Those of
/// past times are never found again, and are the first to make room.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    cache: Cache<(i64, K), V, Weight<V>>,
}

#[derive(Debug, Clone)]
struct Weight<V>(fn(&V) -> u64);

impl<K, V> Weighter<K, V> for Weight<V> {
    fn weight(&self, _: &K, value: &V) -> u64 {
        // What weighs nothing would be kept without a limit.
        (self.0)(value).max(1)
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Kept<K, V> {
    /// Keeps values that together weigh no more than that.
    pub(super) fn new(weight_max: u64, weight: fn(&V) -> u64) -> Self {
        let entries = usize::try_from(weight_max).unwrap_or(usize::MAX).min(1_024);
        Self { cache: Cache::with_weighter(entries, weight_max, Weight(weight)) }
    }

    /// The value of a key in the time that began at a moment; it is made if it is not there. Of several that want it at the same time
    /// one makes it, and the others wait for that one.
    ///
    /// # Errors
    /// It could not be made.
    pub(super) async fn get<E>(
        &self,
        key: K,
        since_ms: i64,
        make: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        self.cache.get_or_insert_async(&(since_ms, key), make).await
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn get(kept: &Kept<u32, u32>, key: u32, since_ms: i64, value: u32) -> u32 {
        kept.get(key, since_ms, async { Ok::<_, Infallible>(value) }).await.unwrap()
    }

    #[tokio::test]
    async fn a_value_is_kept_for_its_time_only() {
        let kept = Kept::new(100, |_| 1);
        assert_eq!(get(&kept, 7, 10, 1).await, 1);
        assert_eq!(get(&kept, 7, 10, 2).await, 1);
        assert_eq!(get(&kept, 8, 10, 3).await, 3);
        assert_eq!(get(&kept, 7, 11, 4).await, 4);
    }

    #[tokio::test]
    async fn values_weigh_no_more_than_they_may() {
        let kept = Kept::new(100, |value| u64::from(*value));
        for key in 0..1_000 {
            get(&kept, key, 0, key % 10).await;
        }
        assert!(kept.cache.weight() <= 100, "{}", kept.cache.weight());
    }

    #[tokio::test]
    async fn of_many_that_want_the_same_one_makes_it() {
        let (kept, made) = (Kept::new(100, |_: &u32| 1), AtomicU32::new(0));
        let make = || async {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(made.fetch_add(1, Ordering::Relaxed))
        };
        let all = (0..50).map(|_| kept.get(1, 0, make()));
        let all = futures::future::join_all(all).await;
        assert!(all.iter().all(|found| *found == Ok(0)));
        assert_eq!(made.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_could_not_be_made_is_tried_again() {
        let kept: Kept<u32, u32> = Kept::new(100, |_| 1);
        assert_eq!(kept.get(1, 0, async { Err("broken") }).await, Err("broken"));
        assert_eq!(get(&kept, 1, 0, 5).await, 5);
    }
}
