//! Where requests come from, by the files that the settings name.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use playhead_api::{Place, PlaceClues, Places};
use playhead_domain::Territory;

use crate::config::Config;
use crate::failure::Advise;
use crate::territory::{Clues, Territories, TerritorySettings};

/// Where addresses are, and where people are of whom nothing tells it.
pub struct Whereabouts {
    territories: Arc<Territories>,
    default: Option<Territory>,
}

impl Whereabouts {
    /// Reads the files.
    ///
    /// # Errors
    /// A file that the settings name cannot be read or used.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let named = |path: &Path| (!path.as_os_str().is_empty()).then(|| path.to_owned());
        let settings = TerritorySettings {
            countries: named(&config.territory_database),
            vpns: named(&config.vpn_ranges),
        };
        let opened = tokio::task::spawn_blocking(move || Territories::open(settings)).await?;
        let territories = opened
            .context("a file named by territory_database or vpn_ranges cannot be used")
            .advise(|| {
                "mend the file or unset it; without it, everybody is where default_territory says, \
                 or nobody is known to use a VPN"
                    .to_owned()
            })?;
        let default = config.default_territory.parse().ok();
        Ok(Self { territories: Arc::new(territories), default })
    }

    /// The files, to be read again when they change.
    #[must_use]
    pub fn territories(&self) -> Arc<Territories> {
        Arc::clone(&self.territories)
    }
}

impl Places for Whereabouts {
    fn place_of(&self, clues: &PlaceClues) -> Place {
        let PlaceClues { billing, device, address } = *clues;
        let clues = Clues { billing, device, address, settings: self.default };
        Place {
            territory: self.territories.of(&clues),
            vpn: address.is_some_and(|address| self.territories.is_vpn(address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_of_a_vpn_is_told_and_others_are_where_the_settings_say() {
        let dir = tempfile::tempdir().unwrap();
        let vpn_ranges = dir.path().join("vpn.txt");
        std::fs::write(&vpn_ranges, "192.0.2.0/24\n").unwrap();
        let config = Config { vpn_ranges, default_territory: "DE".to_owned(), ..Config::default() };
        let whereabouts = Whereabouts::open(&config).await.unwrap();
        let clues =
            |address: &str| PlaceClues { address: address.parse().ok(), ..PlaceClues::default() };
        let place = |address: &str| whereabouts.place_of(&clues(address));
        assert!(place("192.0.2.7").vpn);
        assert_eq!(place("198.51.100.7"), Place { territory: "DE".parse().ok(), vpn: false });
        let nowhere = Whereabouts::open(&Config::default()).await.unwrap();
        assert_eq!(nowhere.place_of(&PlaceClues::default()), Place::default());
        let billed = PlaceClues { billing: "AT".parse().ok(), ..clues("198.51.100.7") };
        assert_eq!(whereabouts.place_of(&billed).territory, "AT".parse().ok());
        let located = PlaceClues { device: "FR".parse().ok(), ..clues("198.51.100.7") };
        assert_eq!(whereabouts.place_of(&located).territory, "FR".parse().ok());
        let both = PlaceClues { device: "FR".parse().ok(), ..billed };
        assert_eq!(whereabouts.place_of(&both).territory, "AT".parse().ok());
    }

    #[tokio::test]
    async fn a_file_that_is_named_must_be_there() {
        let config = Config { vpn_ranges: "/nowhere/vpn.txt".into(), ..Config::default() };
        let error = format!("{:#}", Whereabouts::open(&config).await.err().unwrap());
        assert!(error.contains("vpn_ranges") && error.contains("/nowhere/vpn.txt"), "{error}");
    }
}
