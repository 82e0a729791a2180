//! The grammar of `Forwarded` (RFC 7239, section 4), as far as `for` goes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The `for` of each element of a header line, from left to right; `unknown` for an element without
/// one, which is what it says. A quoted value is given without its quotes. `None` if the line is
/// malformed.
pub(super) fn nodes(line: &str) -> Option<Vec<&str>> {
    split(line, b',')?.into_iter().map(node).collect()
}

fn node(element: &str) -> Option<&str> {
    let mut node = None;
    for pair in split(element, b';')? {
        let (name, value) = pair.trim().split_once('=')?;
        let value = unquoted(value)?;
        if name.eq_ignore_ascii_case("for") && node.replace(value).is_some() {
            // Each parameter must be there at most once.
            return None;
        }
    }
    Some(node.unwrap_or("unknown"))
}

/// The parts between separators that are not quoted; `None` if a quote is not closed.
fn split(text: &str, separator: u8) -> Option<Vec<&str>> {
    let mut parts = vec![];
    let mut begin = 0;
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                parts.push(text.get(begin..at)?);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(begin..)?);
    (!quoted).then_some(parts)
}

/// The value itself, escapes left in: no address needs one, so one with a backslash is no address.
fn unquoted(value: &str) -> Option<&str> {
    let Some(rest) = value.strip_prefix('"') else {
        return (!value.contains('"')).then_some(value);
    };
    let inner = rest.strip_suffix('"')?;
    let mut escaped = false;
    let ends_early = inner.bytes().any(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    (!ends_early).then_some(inner)
}

/// The address of a node (section 6): with or without a port, IPv6 in brackets or, as many proxies
/// write in `X-Forwarded-For`, bare. `None` if the address is hidden or there is none.
pub(super) fn address(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let bracketed = || {
        let inner = node.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    let with_port = || node.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    node.parse().ok().or_else(bracketed).or_else(with_port)
}
