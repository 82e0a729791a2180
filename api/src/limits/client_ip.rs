//! Which address a request comes from, when there may be proxies between.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use thiserror::Error;

use super::forwarded;

/// More hops than a request has: a header with more is as good as malformed.
const HOPS_MAX: usize = 64;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of a client. An IPv4 address is never written as IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientIp(IpAddr);

impl ClientIp {
    /// The same address, in its own family.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The address.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.0
    }

    /// What is counted as one client: the IPv4 address, or the /64 of an IPv6 address, since whoever
    /// has one address of a /64 has all of them (RFC 6177, section 2).
    #[must_use]
    pub fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
            }
        }
    }
}

/// Which header the proxies write. The other one is passed on as the client sent it, so it is never
/// looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`: what most proxies write.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl ProxyHeader {
    fn name(self) -> HeaderName {
        match self {
            Self::XForwardedFor => X_FORWARDED_FOR,
            Self::Forwarded => FORWARDED,
        }
    }
}

/// A configured proxy is not an address or a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no address and no network in CIDR notation, such as 10.0.0.0/8")]
pub struct BadProxy(pub String);

/// The proxies that are believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    networks: Vec<IpNet>,
    header: ProxyHeader,
}

impl Proxies {
    /// Believes these addresses and networks (`10.0.0.0/8`, `192.0.2.1`, `fd00::/8`). None of them:
    /// no header is looked at.
    ///
    /// # Errors
    /// Names the first text that is neither.
    pub fn new<T: AsRef<str>>(networks: &[T], header: ProxyHeader) -> Result<Self, BadProxy> {
        let parse = |text: &T| {
            let text = text.as_ref().trim();
            let address = || text.parse::<IpAddr>().map(IpNet::from);
            text.parse().or_else(|_| address()).map_err(|_| BadProxy(text.to_owned()))
        };
        let networks = networks.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { networks, header })
    }

    /// Where a request comes from that came over a connection from `peer`.
    ///
    /// Each proxy adds the address that it was called from at the right end, so only what believed
    /// proxies added can be believed: from the right, the first address that is no proxy's. If all
    /// are proxies', the left-most. A peer that is not believed, and a header that is missing,
    /// malformed or hides the address, count as the peer.
    #[must_use]
    pub fn client_ip(&self, peer: IpAddr, headers: &HeaderMap) -> ClientIp {
        let peer = ClientIp::new(peer);
        if !self.believes(peer) {
            return peer;
        }
        self.forwarded(headers).unwrap_or(peer)
    }

    fn believes(&self, address: ClientIp) -> bool {
        self.networks.iter().any(|network| network.contains(&address.0))
    }

    fn forwarded(&self, headers: &HeaderMap) -> Option<ClientIp> {
        let mut farthest = None;
        let mut hops = 0;
        let lines: Vec<_> = headers.get_all(self.header.name()).iter().collect();
        for line in lines.into_iter().rev() {
            let line = line.to_str().ok()?;
            let nodes = match self.header {
                ProxyHeader::XForwardedFor => line.split(',').collect(),
                ProxyHeader::Forwarded => forwarded::nodes(line)?,
            };
            for node in nodes.into_iter().rev() {
                hops += 1;
                let address = ClientIp::new(forwarded::address(node)?);
                if hops > HOPS_MAX {
                    return None;
                }
                if !self.believes(address) {
                    return Some(address);
                }
                farthest = Some(address);
            }
        }
        farthest
    }
}

#[cfg(test)]
mod tests;
