//! How long answers took.

use std::time::Duration;

/// Times of many answers, the shortest first.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl FromIterator<Duration> for Latencies {
    fn from_iter<T: IntoIterator<Item = Duration>>(times: T) -> Self {
        let mut times: Vec<Duration> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

impl Latencies {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time within which so many of a thousand are answered, in milliseconds.
    fn per_mille(&self, share: usize) -> f64 {
        let at = (self.0.len() * share).div_ceil(1_000).saturating_sub(1);
        self.0.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
    }

    /// In milliseconds: p50, p99 and the longest.
    pub(crate) fn summary(&self) -> String {
        let [p50, p99, worst] = [500, 990, 1_000].map(|share| self.per_mille(share));
        format!("p50 {p50:>7.2}  p99 {p99:>7.2}  worst {worst:>7.2} ms")
    }
}

/// Prints both sides of the same requests.
pub(crate) fn report(what: &str, client: &Latencies, server: &Latencies) {
    assert_eq!(client.len(), server.len(), "each request is in the server's log once");
    println!("{what:<46} in the server  {}", server.summary());
    println!("{:<46} at the client  {} ({} requests)", "", client.summary(), client.len());
}
