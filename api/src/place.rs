//! Where a request comes from, as far as it matters for what may be played.

use std::net::IpAddr;

use playhead_domain::Territory;

use crate::caller::Caller;
use crate::limits::ClientIp;

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The territory, if it is known. Behind a VPN it is not.
    pub territory: Option<Territory>,
    /// Whether the address is one of a known VPN.
    pub vpn: bool,
}

/// Port: where addresses are.
pub trait Places: Send + Sync + 'static {
    /// Where an address is; `None` is a request whose address is not known, as in a test without a
    /// network. Asked for every request, so it must answer from memory.
    fn place_of(&self, address: Option<IpAddr>) -> Place;
}

/// Knows no address: what is not offered everywhere is offered to nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPlaces;

impl Places for NoPlaces {
    fn place_of(&self, _: Option<IpAddr>) -> Place {
        Place::default()
    }
}

impl Caller {
    /// Where the request comes from. A VPN tells nothing of where the viewer is, whatever its
    /// address says.
    pub(crate) fn place(&self) -> Place {
        let place = self.services.places.place_of(self.address.map(ClientIp::address));
        if place.vpn { Place { territory: None, ..place } } else { place }
    }
}
