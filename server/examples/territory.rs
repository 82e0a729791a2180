//! What looking up territories and VPNs costs on this machine:
//! `cargo run --release -p playhead-server --example territory`.
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use playhead_server::territory::{Networks, RANGES_MAX};

const LOOKUPS: u32 = 5_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let half = u32::try_from(RANGES_MAX / 2)?;
    // Every other /21 of IPv4, and as many networks of IPv6.
    let v4 = (0..half).map(|number| format!("{}/22\n", Ipv4Addr::from_bits(number << 13)));
    let v6 = (0..half).map(|number| {
        format!("{}/48\n", Ipv6Addr::from_bits(0x2001 << 112 | u128::from(number) << 81))
    });
    let text: String = v4.chain(v6).collect();
    let since = Instant::now();
    let networks = Networks::parse(text.into_bytes())?;
    println!("{RANGES_MAX} ranges read in {:?}, {} bytes", since.elapsed(), networks.bytes());
    for family in ["IPv4", "IPv6"] {
        let mut inside = 0_u32;
        let since = Instant::now();
        for number in 0..LOOKUPS {
            let mixed = number.wrapping_mul(2_654_435_761);
            let address = match family {
                "IPv4" => IpAddr::V4(Ipv4Addr::from_bits(mixed)),
                _ => IpAddr::V6(Ipv6Addr::from_bits(
                    0x2001 << 112 | u128::from(mixed % (2 * half)) << 80,
                )),
            };
            inside += u32::from(networks.contains(address));
        }
        println!("{family}: {:?} for a lookup, {inside} inside", since.elapsed() / LOOKUPS);
    }
    Ok(())
}
