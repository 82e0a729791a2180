//! The country of an address, from a MaxMind DB.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use maxminddb::{MaxMindDbError, PathElement, Reader, WithinOptions};
use playhead_domain::Territory;

use super::error::Flaw;

/// Where a record of GeoIP2-Country and of all that follow its layout has the country in which the
/// address is used. `registered_country`, in which its owner is registered, may be another one.
const COUNTRY: [PathElement<'static>; 2] =
    [PathElement::Key("country"), PathElement::Key("iso_code")];

/// How many networks are looked at before a database counts as one of something else.
const NETWORKS_TRIED: usize = 10_000;

/// A database of countries.
pub(super) struct Countries {
    reader: Reader<Vec<u8>>,
    /// Whether a damaged record was complained of: once is enough for each file.
    complained: AtomicBool,
}

impl Countries {
    /// Takes a whole file.
    ///
    /// # Errors
    /// It is no MaxMind DB, or one without countries. Not every record is looked at, so damage
    /// deep inside may only be found when an address meets it.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, Flaw> {
        let reader = Reader::from_source(bytes)?;
        for network in reader.networks(WithinOptions::default())?.take(NETWORKS_TRIED) {
            if network?.decode_path::<&str>(&COUNTRY)?.is_some() {
                return Ok(Self { reader, complained: AtomicBool::new(false) });
            }
        }
        Err(Flaw::NoCountries { kind: reader.metadata().database_type.clone() })
    }

    /// The country of an address, if the database says one.
    pub(super) fn of(&self, address: IpAddr) -> Option<Territory> {
        let address = address.to_canonical();
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return None;
        }
        match self.code(address) {
            Ok(code) => code?.parse().ok(),
            Err(error) => {
                if !self.complained.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the database of countries is damaged");
                }
                None
            }
        }
    }

    fn code(&self, address: IpAddr) -> Result<Option<&str>, MaxMindDbError> {
        self.reader.lookup(address)?.decode_path(&COUNTRY)
    }
}
