//! Where a request comes from, as far as it matters for what may be played.

use std::net::IpAddr;

use playhead_domain::Territory;

use crate::caller::Caller;
use crate::errors::Fault;
use crate::limits::ClientIp;
use crate::schema::account_state;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The territory, if it is known. Behind a VPN it is not.
    pub territory: Option<Territory>,
    /// Whether the address is one of a known VPN.
    pub vpn: bool,
}

/// What is known about where somebody is; each may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlaceClues {
    /// The country of the household's billing address.
    pub billing: Option<Territory>,
    /// The address that the request comes from.
    pub address: Option<IpAddr>,
}

/// Port: where somebody is.
pub trait Places: Send + Sync + 'static {
    /// Where somebody is of whom this is known. Asked for most requests, so it must answer from
    /// memory.
    fn place_of(&self, clues: &PlaceClues) -> Place;
}

/// Knows no place: what is not offered everywhere is offered to nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPlaces;

impl Places for NoPlaces {
    fn place_of(&self, _: &PlaceClues) -> Place {
        Place::default()
    }
}

impl Caller {
    /// Where the request comes from. Through a VPN nothing is known of where the viewer is, whatever
    /// else is said.
    ///
    /// # Errors
    /// The account cannot be read.
    pub(crate) async fn place(&self) -> Result<Place, Fault> {
        let billing = match self.account_id() {
            Ok(account_id) => {
                let state = account_state(self, account_id).await?;
                state.billing_address.as_ref().map(|address| address.country)
            }
            Err(_) => None,
        };
        let clues = PlaceClues { billing, address: self.address.map(ClientIp::address) };
        let place = self.services.places.place_of(&clues);
        Ok(if place.vpn { Place { territory: None, ..place } } else { place })
    }
}
