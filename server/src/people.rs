//! Puts together what people do with their accounts.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::Context;
use playhead_commands::Commands;
use playhead_commands::people::{DeviceCodes, Parts, People, Settings, SignIns, SigningKeys};
use playhead_identity::access_token::AccessTokens;
use playhead_identity::oidc::{OutsideAlgorithm, OutsideIssuer, OutsideSettings};
use playhead_identity::password::{PasswordLimits, Passwords};

use crate::config::{Config, OutsideProvider};
use crate::store::Store;
use crate::{keys, mail};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// What is looked up in read models.
pub struct Lookups {
    /// Finds device codes.
    pub device_codes: Arc<dyn DeviceCodes>,
    /// Finds sign-ins.
    pub sign_ins: Arc<dyn SignIns>,
}

/// Makes and reads the access tokens of this service.
#[must_use]
pub fn access_tokens(config: &Config) -> AccessTokens {
    AccessTokens::new(&config.issuer, &config.audience)
}

/// What people do with their accounts, over a log.
///
/// # Errors
/// A setting cannot be used.
pub fn people(
    config: &Config,
    store: &Store,
    commands: Arc<Commands>,
    signing_keys: Arc<SigningKeys>,
    lookups: Lookups,
) -> anyhow::Result<People> {
    Ok(People::new(Parts {
        log: Arc::clone(&store.log),
        commands,
        vault: store.vault.clone(),
        passwords: Passwords::new(password_limits(config))?,
        mailer: mail::mailer(config)?,
        access_tokens: access_tokens(config),
        signing_keys,
        outside_issuers: outside_issuers(config)?,
        device_codes: lookups.device_codes,
        sign_ins: lookups.sign_ins,
        settings: settings(config),
    }))
}

/// Checks what [`people`] needs of the settings, and makes nothing but a mail directory that is not in
/// the data directory.
///
/// # Errors
/// A setting cannot be used.
pub fn check(config: &Config) -> anyhow::Result<()> {
    outside_issuers(config)?;
    config.proxies()?;
    mail::check(config)?;
    keys::master::check(config)
}

fn settings(config: &Config) -> Settings {
    let hours = i64::try_from(config.erasure_delay_hours).unwrap_or(i64::MAX);
    Settings {
        erasure_cooling_off_ms: hours.saturating_mul(HOUR_MS),
        ..Settings::new(config.link_base_url.trim_end_matches('/'))
    }
}

fn password_limits(config: &Config) -> PasswordLimits {
    let usual = PasswordLimits::default();
    let running_max = NonZeroUsize::new(config.passwords_max).unwrap_or(usual.running_max);
    PasswordLimits { running_max, ..usual }
}

fn outside_issuers(config: &Config) -> anyhow::Result<Vec<OutsideIssuer>> {
    config.outside_issuers.iter().map(outside_issuer).collect()
}

fn outside_issuer(provider: &OutsideProvider) -> anyhow::Result<OutsideIssuer> {
    let algorithms = provider.algorithms.iter().filter_map(|name| OutsideAlgorithm::named(name));
    let settings = OutsideSettings {
        client_ids: provider.client_ids.clone(),
        algorithms: algorithms.collect(),
        ..OutsideSettings::new(&provider.issuer, "")
    };
    OutsideIssuer::new(settings)
        .with_context(|| format!("outside_issuers: {} cannot be used", provider.issuer))
}

#[cfg(test)]
pub(crate) mod testing {
    //! People over a store of their own.

    use std::path::Path;

    use async_trait::async_trait;
    use playhead_commands::people::{NoSignIns, PortError};
    use playhead_domain::{DeviceCodeKey, SecretHash};

    use super::*;
    use crate::keys::signing;

    struct NoDeviceCodes;

    #[async_trait]
    impl DeviceCodes for NoDeviceCodes {
        async fn find(&self, _: SecretHash) -> Result<Option<DeviceCodeKey>, PortError> {
            Ok(None)
        }
    }

    /// People in a data directory, and the store to be closed afterwards.
    pub(crate) async fn people_in(config: &Config, data: &Path) -> (People, Store) {
        let config = Config { data: data.to_owned(), ..config.clone() };
        let store = Store::open(&config, "test").await.unwrap();
        let commands = Arc::new(Commands::new(Arc::clone(&store.log)));
        let keys = Arc::new(SigningKeys::new(signing::open(data).unwrap()));
        let lookups =
            Lookups { device_codes: Arc::new(NoDeviceCodes), sign_ins: Arc::new(NoSignIns) };
        (people(&config, &store, commands, keys, lookups).unwrap(), store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_what_people_get() {
        let config = Config {
            link_base_url: "https://play.example/".to_owned(),
            erasure_delay_hours: 48,
            passwords_max: 3,
            ..Config::default()
        };
        let settings = settings(&config);
        assert_eq!(settings.link_base, "https://play.example");
        assert_eq!(settings.erasure_cooling_off_ms, 48 * HOUR_MS);
        assert_eq!(password_limits(&config).running_max.get(), 3);
    }

    #[test]
    fn the_usual_settings_wait_a_week_and_use_every_processor() {
        let config = Config::default();
        let usual = playhead_commands::people::ERASURE_COOLING_OFF_MS;
        assert_eq!(settings(&config).erasure_cooling_off_ms, usual);
        assert_eq!(password_limits(&config), PasswordLimits::default());
    }

    #[test]
    fn a_provider_that_others_could_answer_for_is_refused_by_name() {
        let provider = OutsideProvider {
            issuer: "http://id.example".to_owned(),
            client_ids: vec!["us".to_owned()],
            algorithms: vec!["RS256".to_owned()],
        };
        let config = Config { outside_issuers: vec![provider], ..Config::default() };
        let error = format!("{:#}", outside_issuers(&config).err().unwrap());
        assert!(error.contains("outside_issuers: http://id.example"), "{error}");
        assert!(error.contains("must be an https URL"), "{error}");
    }
}
