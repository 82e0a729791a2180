//! The rules that a type cannot tell.

use std::collections::BTreeSet;

use playhead_domain::Territory;
use playhead_eventlog::PartitionCount;
use playhead_identity::mail::Sender;
use playhead_identity::oidc::OutsideAlgorithm;
use playhead_vault::MasterKey;
use reqwest::Url;
use tracing_subscriber::filter::Targets;

use super::people::OutsideProvider;
use super::{Config, Key};

/// The name that people see as the sender of a mail.
pub(crate) const MAIL_NAME: &str = "Playhead";
/// The longest name of an issuer or an audience.
const NAME_CHARS_MAX: usize = 200;

/// Whether the value of a setting holds its rule.
pub(super) fn hold(name: &str, config: &Config) -> bool {
    match name {
        "listen" => is_address(&config.listen),
        "partitions" => PartitionCount::new(config.partitions).is_some(),
        "data" => !config.data.as_os_str().is_empty(),
        "log" => config.log.parse::<Targets>().is_ok(),
        "issuer" => is_name(&config.issuer),
        "audience" => is_name(&config.audience),
        "link_base_url" => config.link_base_url.is_empty() || is_site(&config.link_base_url),
        "smtp_url" => is_mail_server(config.smtp_url.reveal()),
        "mail_from" => Sender::new(MAIL_NAME, &config.mail_from).is_ok(),
        "outside_issuers" => are_providers(&config.outside_issuers),
        "master_key" => {
            config.master_key.is_empty() || MasterKey::from_hex(config.master_key.reveal()).is_ok()
        }
        "trusted_proxies" => config.proxies().is_ok(),
        "default_territory" => {
            let territory = &config.default_territory;
            territory.is_empty() || territory.parse::<Territory>().is_ok()
        }
        _ => true,
    }
}

/// An address to listen on that was given as a flag.
///
/// # Errors
/// What it must be.
pub fn address(text: &str) -> Result<String, String> {
    if is_address(text) {
        return Ok(text.to_owned());
    }
    let rule = Key::named("listen").map_or("an address with a port", |key| key.rule);
    Err(format!("must be {rule}"))
}

fn is_address(text: &str) -> bool {
    let host_and_port = text.rsplit_once(':');
    host_and_port.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    (1..=NAME_CHARS_MAX).contains(&text.chars().count()) && text.chars().all(plain)
}

fn is_site(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

/// The mailer knows the rest of the rule and is made when a server starts.
fn is_mail_server(text: &str) -> bool {
    text.is_empty() || text.starts_with("smtp://") || text.starts_with("smtps://")
}

fn are_providers(providers: &[OutsideProvider]) -> bool {
    let names: BTreeSet<&str> = providers.iter().map(|provider| &*provider.issuer).collect();
    names.len() == providers.len() && providers.iter().all(is_provider)
}

/// The issuer itself is checked once more, and more strictly, when a server starts.
fn is_provider(provider: &OutsideProvider) -> bool {
    let known = |name: &String| OutsideAlgorithm::named(name).is_some();
    is_site(&provider.issuer)
        && !provider.client_ids.is_empty()
        && provider.client_ids.iter().all(|id| !id.is_empty())
        && !provider.algorithms.is_empty()
        && provider.algorithms.iter().all(known)
}
