//! What tokens and passwords cost on this machine:
//! `cargo run --release -p playhead-identity --example costs`.
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::error::Error;
use std::time::{Duration, Instant};

use playhead_domain::identity::Role;
use playhead_domain::{AccountId, DeviceId, SignInId};
use playhead_identity::access_token::{AccessTokens, Caller};
use playhead_identity::keys::KeyRing;
use playhead_identity::password::{PasswordLimits, Passwords};
use uuid::Uuid;

const NOW_MS: i64 = 1_800_000_000_000;
const TOKENS: u32 = 20_000;
const PASSWORDS: u32 = 40;

fn each(what: &str, times: u32, since: Instant) {
    let each: Duration = since.elapsed() / times;
    println!("{what}: {each:?}");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let ring = KeyRing::generate(NOW_MS)?;
    let tokens = AccessTokens::new("https://playhead.example", "playhead:api");
    let caller = Caller {
        account_id: AccountId(Uuid::from_u128(7)),
        sign_in_id: SignInId(Uuid::from_u128(8)),
        device_id: DeviceId(Uuid::from_u128(9)),
        authenticated_at_ms: NOW_MS,
        roles: [Role::Viewer].into(),
    };
    let since = Instant::now();
    for _ in 0..TOKENS {
        tokens.issue(&ring, &caller, NOW_MS)?;
    }
    each("issue an access token", TOKENS, since);
    let token = tokens.issue(&ring, &caller, NOW_MS)?.text;
    let since = Instant::now();
    for _ in 0..TOKENS {
        tokens.verify(&ring, &token, NOW_MS)?;
    }
    each("verify an access token", TOKENS, since);
    println!("an access token has {} bytes", token.len());

    let passwords = Passwords::new(PasswordLimits::default())?;
    let stored = passwords.hash("correct horse battery staple").await?;
    for (what, stored) in [("a password", Some(stored.as_str())), ("nobody's password", None)] {
        let since = Instant::now();
        for _ in 0..PASSWORDS {
            passwords.verify(stored, "wrong horse battery staple").await?;
        }
        each(&format!("verify {what}, one after the other"), PASSWORDS, since);
    }
    Ok(())
}
