//! Where a viewer is, and whether they hide it.
//!
//! Two files, both optional and both read again when they change: a MaxMind DB with the country of
//! each address (GeoLite2-Country, GeoIP2-City, DB-IP and others have the same layout), and a list of
//! the ranges of known VPNs. Replace them by renaming a new file over the old one. A new file that
//! cannot be used is reported, and the one before it stays in use.
//!
//! What it does *not* do: fetch anything, or keep where somebody was.

mod countries;
mod error;
mod networks;
mod watched;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use playhead_domain::Territory;
use tokio_util::sync::CancellationToken;

pub use error::{Flaw, TerritoryError};
pub use networks::{Networks, RANGES_MAX};

use countries::Countries;
use watched::Watched;

/// The largest database that is read, in bytes. The largest that MaxMind sells with countries,
/// GeoIP2-Enterprise, has about 400 MB.
const DATABASE_BYTES_MAX: u64 = 1 << 30;
/// The largest list of VPNs that is read, in bytes: its most ranges with the longest addresses.
const LIST_BYTES_MAX: u64 = 64 << 20;

/// Which files there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TerritorySettings {
    /// A MaxMind DB with `country.iso_code`. Without it, addresses say nothing.
    pub countries: Option<PathBuf>,
    /// A text file with a network or an address on each line. Without it, no VPN is known.
    pub vpns: Option<PathBuf>,
}

/// What is known about where somebody is; each may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clues {
    /// The country of the billing address.
    pub billing: Option<Territory>,
    /// The country in which the device says that it is.
    pub device: Option<Territory>,
    /// The address that the request comes from.
    pub address: Option<IpAddr>,
    /// The country that is set for those of whom nothing else is known.
    pub settings: Option<Territory>,
}

/// Countries of addresses, and VPNs.
pub struct Territories {
    countries: Option<Watched<Countries>>,
    vpns: Option<Watched<Networks>>,
}

impl Territories {
    /// Reads the files. Blocks: a large database takes a second.
    ///
    /// # Errors
    /// A file that was named cannot be read or used. A server should not start then: without the
    /// list it would let through what it must refuse.
    pub fn open(settings: TerritorySettings) -> Result<Self, TerritoryError> {
        let countries = |path| Watched::open(path, DATABASE_BYTES_MAX, Countries::parse);
        let vpns = |path| Watched::open(path, LIST_BYTES_MAX, Networks::parse);
        Ok(Self {
            countries: settings.countries.map(countries).transpose()?,
            vpns: settings.vpns.map(vpns).transpose()?,
        })
    }

    /// Where somebody is: what the billing address says, or else the device, or else the network
    /// address, or else the settings. The address of a VPN says nothing, and neither does a code
    /// that is not assigned. `None` if nothing is known.
    #[must_use]
    pub fn of(&self, clues: &Clues) -> Option<Territory> {
        let assigned = |territory: &Territory| territory.is_assigned();
        let by_address = || clues.address.and_then(|address| self.of_address(address));
        let claimed = clues.billing.filter(assigned).or_else(|| clues.device.filter(assigned));
        claimed.or_else(by_address).or_else(|| clues.settings.filter(assigned))
    }

    /// Whether an address belongs to a known VPN.
    #[must_use]
    pub fn is_vpn(&self, address: IpAddr) -> bool {
        self.vpns.as_ref().is_some_and(|vpns| vpns.now().contains(address))
    }

    fn of_address(&self, address: IpAddr) -> Option<Territory> {
        if self.is_vpn(address) {
            return None;
        }
        self.countries.as_ref()?.now().of(address).filter(|territory| territory.is_assigned())
    }

    /// Reads again which files have changed. Blocks like [`Self::open`]; requests go on meanwhile
    /// with what was read before. Answers what went wrong, once for each change.
    pub fn refresh(&self) -> Vec<TerritoryError> {
        let countries = self.countries.as_ref().map(Watched::refresh);
        let vpns = self.vpns.as_ref().map(Watched::refresh);
        [countries, vpns].into_iter().flatten().filter_map(Result::err).collect()
    }

    /// Looks every so often whether the files have changed, until it is stopped. What goes wrong is
    /// logged.
    pub async fn follow(self: Arc<Self>, every: Duration, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            let territories = Arc::clone(&self);
            let refreshed = tokio::task::spawn_blocking(move || territories.refresh()).await;
            for error in refreshed.unwrap_or_default() {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "a file of territories is not used; the last one is");
            }
        }
    }
}

#[cfg(test)]
mod tests;
