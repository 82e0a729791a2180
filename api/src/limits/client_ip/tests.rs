use axum::http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn proxies(header: ProxyHeader) -> Proxies {
    Proxies::new(&["10.0.0.0/8", " 192.0.2.7", "fd00::/8"], header).unwrap()
}

fn seen(header: ProxyHeader, peer: &str, lines: &[&str]) -> String {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header.name(), HeaderValue::from_str(line).unwrap());
    }
    proxies(header).client_ip(ip(peer), &headers).address().to_string()
}

#[test]
fn the_right_most_address_that_is_no_proxy_is_the_client() {
    let seen = |lines| seen(ProxyHeader::XForwardedFor, "10.0.0.1", lines);
    assert_eq!(seen(&["203.0.113.9"]), "203.0.113.9");
    assert_eq!(seen(&["1.1.1.1, 203.0.113.9, 10.2.3.4"]), "203.0.113.9");
    assert_eq!(seen(&["1.1.1.1", "203.0.113.9", "192.0.2.7,10.2.3.4"]), "203.0.113.9");
    assert_eq!(seen(&["203.0.113.9:4711"]), "203.0.113.9");
    assert_eq!(seen(&["[2001:db8::1]:443"]), "2001:db8::1");
    assert_eq!(seen(&["2001:db8::1"]), "2001:db8::1");
    assert_eq!(seen(&["::ffff:203.0.113.9"]), "203.0.113.9");
    assert_eq!(seen(&["10.9.9.9, 10.2.3.4"]), "10.9.9.9");
    assert_eq!(seen(&[]), "10.0.0.1");
}

#[test]
fn the_standard_header_is_read_as_its_rfc_shows_it() {
    let seen = |lines| seen(ProxyHeader::Forwarded, "fd00::1", lines);
    assert_eq!(seen(&["for=192.0.2.60;proto=http;by=203.0.113.43"]), "192.0.2.60");
    assert_eq!(seen(&["For=\"[2001:db8:cafe::17]:4711\""]), "2001:db8:cafe::17");
    assert_eq!(seen(&["for=1.1.1.1, for=203.0.113.9;host=\"a,b;c\", for=10.2.3.4"]), "203.0.113.9");
    assert_eq!(seen(&["for=1.1.1.1;host=\"\\\"\"", "proto=https;for=\"10.2.3.4:80\""]), "1.1.1.1");
}

#[test]
fn who_is_no_proxy_is_not_believed() {
    let peer = "198.51.100.1";
    assert_eq!(seen(ProxyHeader::XForwardedFor, peer, &["203.0.113.9"]), peer);
    assert_eq!(seen(ProxyHeader::Forwarded, peer, &["for=203.0.113.9"]), peer);
    let nobody = Proxies::default();
    let headers = HeaderMap::from_iter([(X_FORWARDED_FOR, HeaderValue::from_static("1.1.1.1"))]);
    assert_eq!(nobody.client_ip(ip(peer), &headers).address(), ip(peer));
}

#[test]
fn the_header_that_the_proxies_do_not_write_is_not_looked_at() {
    let headers = HeaderMap::from_iter([
        (FORWARDED, HeaderValue::from_static("for=1.1.1.1")),
        (X_FORWARDED_FOR, HeaderValue::from_static("203.0.113.9")),
    ]);
    let client = proxies(ProxyHeader::XForwardedFor).client_ip(ip("10.0.0.1"), &headers);
    assert_eq!(client.address(), ip("203.0.113.9"));
}

#[test]
fn what_is_malformed_or_hidden_counts_as_the_peer() {
    let peer = "10.0.0.1";
    let many = vec!["10.0.0.2"; HOPS_MAX + 1].join(",");
    for line in ["", ",", "unknown", "1.1.1.1,", "1.1.1", "[::1", "1.1.1.1:99999", "é", &many] {
        assert_eq!(seen(ProxyHeader::XForwardedFor, peer, &[line]), peer, "{line}");
    }
    for line in [
        "",
        "for",
        "for=unknown",
        "for=_hidden",
        "for=\"1.1.1.1",
        "for=1.1.1.1\"",
        "for=1.1.1.1;for=2.2.2.2",
        "proto=http",
        "for=2001:db8::1:",
        "for=1.1.1.1, for=\"",
    ] {
        assert_eq!(seen(ProxyHeader::Forwarded, peer, &[line]), peer, "{line}");
    }
}

#[test]
fn what_a_client_wrote_left_of_the_truth_changes_nothing() {
    for line in ["unknown, 203.0.113.9", "\"\"\", 203.0.113.9", ",,,203.0.113.9, 10.1.1.1"] {
        let client = seen(ProxyHeader::XForwardedFor, "10.0.0.1", &[line]);
        assert_eq!(client, "203.0.113.9", "{line}");
    }
    let lines = ["for=\"", "for=203.0.113.9"];
    assert_eq!(seen(ProxyHeader::Forwarded, "10.0.0.1", &lines), "203.0.113.9");
}

#[test]
fn a_customer_with_ipv6_is_one_client_with_all_addresses() {
    let network = |text| ClientIp::new(ip(text)).network();
    assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::"));
    assert_ne!(network("2001:db8:1:2::"), network("2001:db8:1:3::"));
    assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
}

#[test]
fn a_proxy_that_is_no_network_is_named() {
    for text in ["", "10.0.0.0/33", "example.com", "10.0.0", "::/129"] {
        let error = Proxies::new(&["10.0.0.0/8", text], ProxyHeader::Forwarded).unwrap_err();
        assert_eq!(error, BadProxy(text.to_owned()));
    }
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "for=", "for", "=", ";", ",", "\"", "\\", "[", "]", ":", "1.1.1.1", "10.0.0.3", "::1",
        "fd00::5", " ", "unknown", "_x", "é", "\u{7f}",
    ];
    let piece = prop::sample::select(pieces.map(|piece| piece.as_bytes().to_vec()).to_vec());
    let piece = prop_oneof![4 => piece, 1 => prop::collection::vec(0x20_u8..=255, 0..4)];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_header_whatever_is_in_it_panics_or_outweighs_what_a_proxy_added(
        lines in prop::collection::vec(any_line(), 0..4),
        standard in any::<bool>(),
    ) {
        let header = if standard { ProxyHeader::Forwarded } else { ProxyHeader::XForwardedFor };
        let mut headers = HeaderMap::new();
        for line in &lines {
            if let Ok(value) = HeaderValue::from_bytes(line) {
                headers.append(header.name(), value);
            }
        }
        let proxies = proxies(header);
        let _ = proxies.client_ip(ip("10.0.0.1"), &headers);
        let added = if standard { "for=203.0.113.9" } else { "203.0.113.9" };
        headers.append(header.name(), HeaderValue::from_static(added));
        let client = proxies.client_ip(ip("10.0.0.1"), &headers);
        prop_assert_eq!(client.address(), ip("203.0.113.9"));
    }
}
