//! The numbers of the limits.

use std::num::NonZeroU32;

use super::Limit;

const SECOND_MS: NonZeroU32 = NonZeroU32::new(1_000).unwrap();
const HOUR_MS: NonZeroU32 = NonZeroU32::new(3_600_000).unwrap();

/// How a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many tokens come in a period, evenly.
    pub count: NonZeroU32,
    /// How long the period is, in milliseconds.
    pub period_ms: NonZeroU32,
    /// How many tokens a full bucket holds. Buckets are full at first.
    pub burst: NonZeroU32,
}

impl Rate {
    /// So many in any second, all at once if need be.
    #[must_use]
    pub const fn per_second(count: NonZeroU32) -> Self {
        Self { count, period_ms: SECOND_MS, burst: count }
    }

    /// So many in an hour, all at once if need be.
    #[must_use]
    pub const fn per_hour(count: NonZeroU32) -> Self {
        Self { count, period_ms: HOUR_MS, burst: count }
    }
}

/// The limits; `None` is no limit. The defaults are what the service was specified with, but
/// two choices: a device that runs wild leaves the household two fifths, and tokens are limited far
/// above what apps need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSettings {
    /// Requests of one device: 600 an hour.
    pub api_calls_per_device: Option<Rate>,
    /// Requests of one account: 1,000 an hour.
    pub api_calls_per_user: Option<Rate>,
    /// Starts of one account: 100 an hour.
    pub playback_starts_per_user: Option<Rate>,
    /// Searches from one address: 10 a second.
    pub searches_per_address: Option<Rate>,
    /// Searches of one account: 500 an hour.
    pub searches_per_user: Option<Rate>,
    /// Registrations from one address: 10 an hour.
    pub registrations_per_address: Option<Rate>,
    /// Tries to sign in from one address: 20 an hour.
    pub logins_per_address: Option<Rate>,
    /// Refreshes of one sign-in: 60 an hour, ten times as many as access tokens end.
    pub tokens_per_sign_in: Option<Rate>,
    /// Requests for tokens from one address: 3,600 an hour, as five televisions ask that wait to be
    /// let in.
    pub tokens_per_address: Option<Rate>,
    /// How many accounts, devices or addresses each limit has room for.
    pub keys_max: usize,
}

impl LimitSettings {
    /// The rate of a limit.
    #[must_use]
    pub fn rate(&self, limit: Limit) -> Option<Rate> {
        match limit {
            Limit::ApiCallsPerDevice => self.api_calls_per_device,
            Limit::ApiCallsPerUser => self.api_calls_per_user,
            Limit::PlaybackStartsPerUser => self.playback_starts_per_user,
            Limit::SearchesPerAddress => self.searches_per_address,
            Limit::SearchesPerUser => self.searches_per_user,
            Limit::RegistrationsPerAddress => self.registrations_per_address,
            Limit::LoginsPerAddress => self.logins_per_address,
            Limit::TokensPerSignIn => self.tokens_per_sign_in,
            Limit::TokensPerAddress => self.tokens_per_address,
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        let hourly = |count| NonZeroU32::new(count).map(Rate::per_hour);
        Self {
            api_calls_per_device: hourly(600),
            api_calls_per_user: hourly(1_000),
            playback_starts_per_user: hourly(100),
            searches_per_address: NonZeroU32::new(10).map(Rate::per_second),
            searches_per_user: hourly(500),
            registrations_per_address: hourly(10),
            logins_per_address: hourly(20),
            tokens_per_sign_in: hourly(60),
            tokens_per_address: hourly(3_600),
            keys_max: 262_144,
        }
    }
}
