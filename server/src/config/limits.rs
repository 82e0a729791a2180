//! What the settings come to for requests: whom to believe, and how much is too much.

use std::num::NonZeroU32;

use playhead_api::limits::{BadProxy, LimitSettings, Proxies, ProxyHeader, Rate};

use super::{Config, ForwardHeader};

impl Config {
    /// The limits of requests.
    #[must_use]
    pub fn limits(&self) -> LimitSettings {
        let hourly = |count| NonZeroU32::new(count).map(Rate::per_hour);
        LimitSettings {
            api_calls_per_device: hourly(self.api_calls_per_device),
            api_calls_per_user: hourly(self.api_calls_per_user),
            playback_starts_per_user: hourly(self.playback_starts_per_user),
            searches_per_address: NonZeroU32::new(self.searches_per_address).map(Rate::per_second),
            searches_per_user: hourly(self.searches_per_user),
            registrations_per_address: hourly(self.registrations_per_address),
            logins_per_address: hourly(self.logins_per_address),
            tokens_per_sign_in: hourly(self.tokens_per_sign_in),
            tokens_per_address: hourly(self.tokens_per_address),
            keys_max: self.limit_keys_max,
        }
    }

    /// The same settings without limits of requests, for simulations.
    #[must_use]
    pub fn unlimited(self) -> Self {
        Self {
            api_calls_per_device: 0,
            api_calls_per_user: 0,
            playback_starts_per_user: 0,
            searches_per_address: 0,
            searches_per_user: 0,
            registrations_per_address: 0,
            logins_per_address: 0,
            tokens_per_sign_in: 0,
            tokens_per_address: 0,
            ..self
        }
    }

    /// The proxies that are believed.
    ///
    /// # Errors
    /// One of them is no network.
    pub fn proxies(&self) -> Result<Proxies, BadProxy> {
        let header = match self.proxy_header {
            ForwardHeader::XForwardedFor => ProxyHeader::XForwardedFor,
            ForwardHeader::Forwarded => ProxyHeader::Forwarded,
        };
        Proxies::new(&self.trusted_proxies, header)
    }
}

#[cfg(test)]
mod tests {
    use playhead_api::limits::Limit;

    use super::*;

    #[test]
    fn the_limits_that_nobody_sets_are_those_of_the_service() {
        assert_eq!(Config::default().limits(), LimitSettings::default());
    }

    #[test]
    fn a_simulation_has_no_limit() {
        let limits = Config::default().unlimited().limits();
        assert!(Limit::ALL.iter().all(|limit| limits.rate(*limit).is_none()));
    }
}
