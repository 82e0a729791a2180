use std::fs;
use std::path::Path;

use super::*;

mod mmdb;

const AUSTRIAN: &str = "198.51.100.7";
const VPN: &str = "203.0.113.200";

fn database() -> mmdb::Writer {
    mmdb::Writer::new()
        .country("198.51.100.0/24", "AT")
        .country("203.0.113.0/24", "DE")
        .country("2001:db8:1::/48", "FR")
        .country("192.0.2.0/25", "ZZ")
        .network("192.0.2.128/25", ["registered_country", "iso_code"], "CH")
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn territory(code: &str) -> Option<Territory> {
    Some(code.parse().unwrap())
}

/// Both files in a folder.
fn settings(folder: &Path, vpns: &str) -> TerritorySettings {
    let (countries, list) = (folder.join("countries.mmdb"), folder.join("vpns.txt"));
    fs::write(&countries, database().bytes()).unwrap();
    fs::write(&list, vpns).unwrap();
    TerritorySettings { countries: Some(countries), vpns: Some(list) }
}

fn open() -> Territories {
    let folder = tempfile::tempdir().unwrap();
    Territories::open(settings(folder.path(), "203.0.113.128/25\n")).unwrap()
}

fn of_address(territories: &Territories, text: &str) -> Option<Territory> {
    territories.of(&Clues { address: Some(ip(text)), ..Clues::default() })
}

/// A problem and everything behind it.
fn said(error: &TerritoryError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

#[test]
fn billing_comes_before_the_device_and_the_device_before_the_address_and_that_before_the_settings()
{
    let territories = open();
    let mut clues = Clues {
        billing: territory("IT"),
        device: territory("ES"),
        address: Some(ip(AUSTRIAN)),
        settings: territory("PT"),
    };
    assert_eq!(territories.of(&clues), territory("IT"));
    clues.billing = None;
    assert_eq!(territories.of(&clues), territory("ES"));
    clues.device = None;
    assert_eq!(territories.of(&clues), territory("AT"));
    clues.address = Some(ip("192.0.2.200"));
    assert_eq!(territories.of(&clues), territory("PT"));
    clues.settings = None;
    assert_eq!(territories.of(&clues), None);
}

#[test]
fn a_code_that_is_not_assigned_is_no_clue() {
    let territories = open();
    let nowhere = territory("ZZ");
    let clues = Clues { billing: nowhere, device: nowhere, settings: nowhere, address: None };
    assert_eq!(territories.of(&clues), None);
    assert_eq!(of_address(&territories, "192.0.2.5"), None);
}

#[test]
fn addresses_are_found_in_both_families() {
    let territories = open();
    assert_eq!(of_address(&territories, AUSTRIAN), territory("AT"));
    assert_eq!(of_address(&territories, "::ffff:198.51.100.7"), territory("AT"));
    assert_eq!(of_address(&territories, "2001:db8:1:ffff::1"), territory("FR"));
    assert_eq!(of_address(&territories, "2001:db8:2::1"), None);
    assert_eq!(of_address(&territories, "127.0.0.1"), None);
    // Only the owner's country is known.
    assert_eq!(of_address(&territories, "192.0.2.200"), None);
}

#[test]
fn the_address_of_a_vpn_says_nothing_about_where_somebody_is() {
    let territories = open();
    assert!(territories.is_vpn(ip(VPN)));
    assert!(!territories.is_vpn(ip("203.0.113.1")));
    assert_eq!(of_address(&territories, "203.0.113.1"), territory("DE"));
    assert_eq!(of_address(&territories, VPN), None);
}

#[test]
fn without_files_only_what_is_said_counts() {
    let territories = Territories::open(TerritorySettings::default()).unwrap();
    assert!(!territories.is_vpn(ip(VPN)));
    assert_eq!(of_address(&territories, AUSTRIAN), None);
    let clues = Clues { device: territory("ES"), ..Clues::default() };
    assert_eq!(territories.of(&clues), territory("ES"));
    assert!(territories.refresh().is_empty());
}

#[test]
fn new_files_are_used_and_broken_ones_are_reported_and_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), "203.0.113.128/25\n");
    let territories = Territories::open(settings.clone()).unwrap();
    let replace = |path: &Option<PathBuf>, bytes: &[u8]| {
        let new = folder.path().join("new");
        fs::write(&new, bytes).unwrap();
        fs::rename(new, path.as_ref().unwrap()).unwrap();
    };

    let moved = mmdb::Writer::new().country("198.51.100.0/24", "CH").bytes();
    replace(&settings.countries, &moved);
    replace(&settings.vpns, b"192.0.2.0/24");
    assert!(territories.refresh().is_empty());
    assert_eq!(of_address(&territories, AUSTRIAN), territory("CH"));
    assert!(territories.is_vpn(ip("192.0.2.1")));

    replace(&settings.countries, &moved[..moved.len() / 2]);
    replace(&settings.vpns, b"192.0.2.0/24\n\nhere");
    let problems = territories.refresh();
    let said: Vec<_> = problems.iter().map(said).collect();
    assert_eq!(said.len(), 2);
    assert!(said[0].contains("countries.mmdb: it is no MaxMind DB"), "{said:?}");
    assert!(said[1].contains("vpns.txt: line 3: \"here\" is no address"), "{said:?}");
    assert_eq!(of_address(&territories, AUSTRIAN), territory("CH"));
    assert!(territories.is_vpn(ip("192.0.2.1")));
}

#[tokio::test]
async fn whoever_follows_the_files_sees_a_new_one_until_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), "203.0.113.128/25\n");
    let territories = Arc::new(Territories::open(settings.clone()).unwrap());
    let stop = CancellationToken::new();
    let following =
        tokio::spawn(Arc::clone(&territories).follow(Duration::from_millis(1), stop.clone()));
    let new = folder.path().join("new");
    fs::write(&new, "192.0.2.0/24").unwrap();
    fs::rename(new, settings.vpns.unwrap()).unwrap();
    while !territories.is_vpn(ip("192.0.2.1")) {
        tokio::task::yield_now().await;
    }
    assert!(!territories.is_vpn(ip(VPN)));
    stop.cancel();
    following.await.unwrap();
}

#[test]
fn a_file_that_is_named_must_be_there_and_be_what_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let countries = Some(folder.path().join("asn.mmdb"));
    let settings = TerritorySettings { countries, vpns: None };
    let open = || said(&Territories::open(settings.clone()).err().unwrap());
    assert!(open().contains("cannot read"), "{}", open());
    let path = settings.countries.as_ref().unwrap();
    let other = mmdb::Writer::new().network("192.0.2.0/24", ["operator", "name"], "Example");
    fs::write(path, other.bytes()).unwrap();
    assert!(open().contains("\"Playhead-Test-Country\" without country.iso_code"), "{}", open());
    fs::write(path, b"").unwrap();
    assert!(open().contains("it is no MaxMind DB"), "{}", open());
}

#[test]
fn the_database_of_these_tests_is_one_by_the_letter_of_the_format() {
    maxminddb::Reader::from_source(database().bytes()).unwrap().verify().unwrap();
}

#[test]
fn a_damaged_database_never_panics() {
    let whole = database().bytes();
    let addresses = [AUSTRIAN, VPN, "192.0.2.200", "2001:db8:1::1", "::"].map(ip);
    for at in 0..whole.len() {
        for byte in [0, 0xff, whole[at] ^ 0x55] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            if let Ok(countries) = Countries::parse(damaged) {
                let _ = addresses.map(|address| countries.of(address));
            }
        }
        assert!(Countries::parse(whole[..at].to_vec()).is_err(), "cut at {at}");
    }
}

#[test]
fn a_list_has_networks_addresses_and_comments_of_both_families() {
    let text = "\u{feff}# VPNs\n\n 10.1.0.0/16 # office\r\n192.0.2.77/30\n198.51.100.9\n\
                2001:db8::/32\n2001:db9::1\n::ffff:203.0.113.0/120\n#";
    let networks = Networks::parse(text.as_bytes().to_vec()).unwrap();
    for inside in [
        "10.1.0.0",
        "10.1.255.255",
        "192.0.2.76",
        "192.0.2.79",
        "198.51.100.9",
        "2001:db8::",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "2001:db9::1",
        "203.0.113.77",
        "::ffff:10.1.2.3",
    ] {
        assert!(networks.contains(ip(inside)), "{inside}");
    }
    for outside in [
        "10.0.255.255",
        "10.2.0.0",
        "192.0.2.75",
        "192.0.2.80",
        "198.51.100.8",
        "198.51.100.10",
        "2001:db7:ffff::",
        "2001:db9::",
        "2001:db9::2",
        "0.0.0.0",
        "255.255.255.255",
        "::",
    ] {
        assert!(!networks.contains(ip(outside)), "{outside}");
    }
}

#[test]
fn ranges_in_ranges_are_one_range() {
    let text = b"10.0.0.0/8\n10.1.0.0/16\n10.255.0.0/16\n0.0.0.0/32\n255.255.255.255\n";
    let networks = Networks::parse(text.to_vec()).unwrap();
    assert_eq!(networks.bytes(), 3 * 8);
    for inside in ["0.0.0.0", "10.0.0.1", "10.1.2.3", "10.200.0.1", "255.255.255.255"] {
        assert!(networks.contains(ip(inside)), "{inside}");
    }
    assert!(!networks.contains(ip("11.0.0.0")));
    let everything = Networks::parse(b"0.0.0.0/0\n::/0".to_vec()).unwrap();
    assert!(everything.contains(ip("1.2.3.4")) && everything.contains(ip("2001:db8::1")));
}

#[test]
fn a_wrong_line_is_named_by_its_number() {
    for (text, line) in [
        (b"10.0.0.0/33".as_slice(), 1),
        (b"# one\n\n10.0.0.0/8 10.0.0.1", 3),
        (b"10.0.0.0/8\nexample.com\n", 2),
        (b"10.0.0.1-10.0.0.9", 1),
        (b"1.2.3.4\n\xff\xfe", 2),
    ] {
        match Networks::parse(text.to_vec()) {
            Err(Flaw::Line { line: found, .. }) => assert_eq!(found, line),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_list_may_have_a_million_ranges_and_not_one_more() {
    let lines = (0..RANGES_MAX).fold(String::new(), |text, number| {
        text + &format!("{}\n", std::net::Ipv4Addr::from_bits(u32::try_from(number * 2).unwrap()))
    });
    let networks = Networks::parse(lines.clone().into_bytes()).unwrap();
    assert_eq!(networks.bytes(), RANGES_MAX * 8);
    assert!(networks.contains(ip("0.0.0.2")) && !networks.contains(ip("0.0.0.3")));
    let error = Networks::parse((lines + "#\n1.1.1.1").into_bytes()).unwrap_err();
    assert!(matches!(error, Flaw::TooMany { line: 1_000_002, .. }), "{error}");
}
