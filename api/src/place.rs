//! Where a request comes from, as far as it matters for what may be played.

use std::net::IpAddr;

use axum::http::HeaderMap;
use playhead_domain::Territory;

use crate::caller::Caller;
use crate::errors::{Code, Fault};
use crate::limits::ClientIp;
use crate::schema::account_state;

/// The request header in which an app says in which country its device is, as its positioning or its
/// mobile network tells: a code of two letters (ISO 3166-1 alpha-2), such as `AT`. It counts less
/// than the billing address and more than the network address; behind a VPN nothing counts.
pub(crate) const DEVICE_COUNTRY: &str = "playhead-device-country";

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
    /// The country in which the device says that it is.
    pub device: Option<Territory>,
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
        let address = self.address.map(ClientIp::address);
        let clues = PlaceClues { billing, device: self.device_country, address };
        let place = self.services.places.place_of(&clues);
        Ok(if place.vpn { Place { territory: None, ..place } } else { place })
    }
}

/// Where the device says that it is, if it says so.
///
/// # Errors
/// What it says is no code of a country.
pub(crate) fn device_country(headers: &HeaderMap) -> Result<Option<Territory>, Fault> {
    let Some(value) = headers.get(DEVICE_COUNTRY) else { return Ok(None) };
    let country = value.to_str().ok().and_then(|text| text.parse::<Territory>().ok());
    let country = country.filter(|country| country.is_assigned()).ok_or_else(|| {
        let message = "the header Playhead-Device-Country must be a code of ISO 3166-1 alpha-2";
        Fault::new(Code::BadRequest, message)
    });
    country.map(Some)
}
