//! What limits cost on this machine: `cargo run --release -p playhead-api --example limits`.
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::error::Error;
use std::fs;
use std::hash::RandomState;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use playhead_api::limits::{Act, ClientIp, Decision, Limit, LimitSettings, Limits, Who};

const NOW_MS: i64 = 1_800_000_000_000;
const ADDRESSES: u32 = 1_000_000;

/// What the process has in memory, in bytes, without what it shares (`proc_pid_statm(5)`).
fn resident() -> Result<i64, Box<dyn Error>> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let mut pages = statm.split_whitespace().skip(1).map(str::parse::<i64>);
    let (all, shared) = (pages.next().ok_or("no pages")??, pages.next().ok_or("no pages")??);
    Ok((all - shared) * 4_096)
}

/// Lets every address act once, and says how many may.
fn round(limits: &Limits, act: Act, now_ms: i64) -> u32 {
    let allowed = |number: u32| {
        let address = IpAddr::V4(Ipv4Addr::from_bits(number.wrapping_mul(2_654_435_761)));
        let who = Who { address: Some(ClientIp::new(address)), ..Who::default() };
        limits.check(act, &who, now_ms) == Decision::Allowed
    };
    (0..ADDRESSES).map(|number| u32::from(allowed(number))).sum()
}

fn main() -> Result<(), Box<dyn Error>> {
    let settings = LimitSettings::default();
    let before = resident()?;
    let limits = Limits::new(&settings, RandomState::new());
    let empty = resident()? - before;
    println!(
        "{} limits for {} keys each, empty: {empty} bytes",
        Limit::ALL.len(),
        settings.keys_max
    );
    for act in [Act::Login, Act::Registration, Act::Search] {
        let before = resident()?;
        for _ in 0..2 {
            let since = Instant::now();
            let allowed = round(&limits, act, NOW_MS);
            let each = since.elapsed() / ADDRESSES;
            println!("{act:?} of {ADDRESSES} addresses: {allowed} allowed, {each:?} each");
        }
        let grown = resident()? - before;
        println!("{act:?}: {grown} bytes more, {} in all as counted", limits.bytes());
    }
    println!("resident in all: {} bytes more", resident()? - before);
    Ok(())
}
