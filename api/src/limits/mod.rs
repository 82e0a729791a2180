//! How often somebody may do something: token buckets for each account, device and address.
//!
//! [`Limits::check`] takes a token from every limit on an act that applies to who acts, and answers
//! [`Decision::Refused`] with the wait when one has none. A key's allowance in any span of time is
//! its burst and its rate times the span, and never more; see [`LimitSettings`] for the numbers.
//!
//! **Memory.** Each limit has room for [`LimitSettings::keys_max`] keys in at most 18 bytes each, 21
//! with what an allocator adds: by default 5.4 MB, and 49 MB for all nine limits, however many
//! addresses call. `examples/limits.rs` measured it with a million addresses on each of three limits
//! (a check took 0.11 to 0.14 µs). What happens beyond is said in `table`: somebody may be refused
//! early, nobody is forgiven. An IPv6 address counts as its /64, which is what one customer gets at
//! least.
//!
//! **Why not `governor`** (0.10): its keyed state is a map that only grows. `retain_recent` drops
//! keys that owe nothing, so a flood of new addresses grows the map for as long as their buckets
//! take to fill, here an hour (its issue 171 says so and leaves the bound to the caller), and a
//! wrapper that drops keys forgives them. The arithmetic that remains is the dozen lines of `pace`.
//!
//! Buckets are in memory: a restart forgets what was taken, and each of several processes counts on
//! its own.

mod client_ip;
mod forwarded;
mod pace;
mod refused;
mod settings;
mod table;

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use playhead_domain::{AccountId, DeviceId, SignInId};

pub use client_ip::{BadProxy, ClientIp, Proxies, ProxyHeader};
pub use refused::{RATE_LIMITED, Refused};
pub use settings::{LimitSettings, Rate};

use pace::Pace;
use table::Table;

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Any request.
    ApiCall,
    /// Starts to play something.
    PlaybackStart,
    /// Searches the catalogue.
    Search,
    /// Registers an account.
    Registration,
    /// Tries to sign in.
    Login,
    /// Asks for tokens with a device code or a refresh token.
    Token,
}

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Requests of one device.
    ApiCallsPerDevice,
    /// Requests of one account.
    ApiCallsPerUser,
    /// Starts of one account.
    PlaybackStartsPerUser,
    /// Searches from one address.
    SearchesPerAddress,
    /// Searches of one account.
    SearchesPerUser,
    /// Registrations from one address.
    RegistrationsPerAddress,
    /// Tries to sign in from one address.
    LoginsPerAddress,
    /// Refreshes of one sign-in.
    TokensPerSignIn,
    /// Requests for tokens, by device code or refresh token, from one address.
    TokensPerAddress,
}

/// Whose tokens are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Account(AccountId),
    Device(DeviceId),
    SignIn(SignInId),
    Address(IpAddr),
}

impl Limit {
    /// Every limit, in the order in which they are asked. Of two on one act the one that fills
    /// faster comes first, so that what it refuses costs nothing of the other.
    pub const ALL: [Self; 9] = [
        Self::ApiCallsPerDevice,
        Self::ApiCallsPerUser,
        Self::PlaybackStartsPerUser,
        Self::SearchesPerAddress,
        Self::SearchesPerUser,
        Self::RegistrationsPerAddress,
        Self::LoginsPerAddress,
        Self::TokensPerSignIn,
        Self::TokensPerAddress,
    ];

    /// The name that clients see. Stable.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ApiCallsPerDevice => "api_calls_per_device",
            Self::ApiCallsPerUser => "api_calls_per_user",
            Self::PlaybackStartsPerUser => "playback_starts_per_user",
            Self::SearchesPerAddress => "searches_per_address",
            Self::SearchesPerUser => "searches_per_user",
            Self::RegistrationsPerAddress => "registrations_per_address",
            Self::LoginsPerAddress => "logins_per_address",
            Self::TokensPerSignIn => "tokens_per_sign_in",
            Self::TokensPerAddress => "tokens_per_address",
        }
    }

    fn act(self) -> Act {
        match self {
            Self::ApiCallsPerDevice | Self::ApiCallsPerUser => Act::ApiCall,
            Self::PlaybackStartsPerUser => Act::PlaybackStart,
            Self::SearchesPerAddress | Self::SearchesPerUser => Act::Search,
            Self::RegistrationsPerAddress => Act::Registration,
            Self::LoginsPerAddress => Act::Login,
            Self::TokensPerSignIn | Self::TokensPerAddress => Act::Token,
        }
    }

    /// Whose tokens it counts; nobody's if that is not known of the caller.
    fn subject(self, who: &Who) -> Option<Subject> {
        match self {
            Self::ApiCallsPerDevice => who.device.map(Subject::Device),
            Self::ApiCallsPerUser | Self::PlaybackStartsPerUser | Self::SearchesPerUser => {
                who.account.map(Subject::Account)
            }
            Self::TokensPerSignIn => who.sign_in.map(Subject::SignIn),
            Self::SearchesPerAddress
            | Self::RegistrationsPerAddress
            | Self::LoginsPerAddress
            | Self::TokensPerAddress => {
                who.address.map(|address| Subject::Address(address.network()))
            }
        }
    }
}

/// Who acts, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Who {
    /// The account that was proven.
    pub account: Option<AccountId>,
    /// The device in the access token.
    pub device: Option<DeviceId>,
    /// The sign-in that a refresh token names. Whoever does not know its id cannot use it up.
    pub sign_in: Option<SignInId>,
    /// Where the request comes from.
    pub address: Option<ClientIp>,
}

/// Whether somebody may act now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// They may, and it is counted.
    Allowed,
    /// They may not.
    Refused(Refused),
}

/// The buckets of every limit.
pub struct Limits {
    buckets: Vec<Buckets>,
    hashing: RandomState,
}

struct Buckets {
    limit: Limit,
    pace: Pace,
    table: Table,
}

impl Limits {
    /// Full buckets for everybody. The hashing must be of this process alone, so that nobody can
    /// choose accounts or addresses that share a set: `RandomState::new()`.
    #[must_use]
    pub fn new(settings: &LimitSettings, hashing: RandomState) -> Self {
        let buckets = |limit| {
            let pace = Pace::new(settings.rate(limit)?);
            Some(Buckets { limit, pace, table: Table::new(settings.keys_max) })
        };
        Self { buckets: Limit::ALL.into_iter().filter_map(buckets).collect(), hashing }
    }

    /// Takes a token from each limit on the act that applies to the caller; stops at the first that
    /// has none. What was taken from the limits before it stays taken.
    pub fn check(&self, act: Act, who: &Who, now_ms: i64) -> Decision {
        let now_ns = pace::nanoseconds(now_ms);
        for Buckets { limit, pace, table } in &self.buckets {
            if limit.act() != act {
                continue;
            }
            let Some(subject) = limit.subject(who) else { continue };
            let tag = self.hashing.hash_one(subject);
            if let Some(wait_ns) = table.take(tag, *pace, now_ns) {
                let retry_after_ms = pace::milliseconds(wait_ns);
                return Decision::Refused(Refused { limit: *limit, retry_after_ms });
            }
        }
        Decision::Allowed
    }

    /// What all buckets take in memory now, in bytes, without what the allocator adds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.buckets.iter().map(|buckets| buckets.table.bytes()).sum()
    }
}

#[cfg(test)]
mod tests;
