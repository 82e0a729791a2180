//! What checking an access token costs on this machine, signature and standing together:
//! `cargo run --release -p playhead-api --example access`.
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::collections::HashSet;
use std::error::Error;
use std::sync::{Arc, RwLock};
use std::time::Instant;

use playhead_api::access::{AccessCheck, Role, TokenStates};
use playhead_commands::people::SigningKeys;
use playhead_domain::{AccountId, DeviceId, SignInId};
use playhead_identity::access_token::{AccessTokens, Caller};
use playhead_identity::keys::KeyRing;
use uuid::Uuid;

const NOW_MS: i64 = 1_800_000_000_000;
const CHECKS: u32 = 20_000;
/// Sign-ins that ended in the last ten minutes: far more than a service has.
const ENDED: u128 = 100_000;

struct Ended(RwLock<HashSet<SignInId>>);

impl TokenStates for Ended {
    fn is_valid(&self, _: AccountId, sign_in_id: SignInId, _: DeviceId, _: i64) -> bool {
        self.0.read().is_ok_and(|ended| !ended.contains(&sign_in_id))
    }

    fn may_play(&self, _: AccountId, _: Option<DeviceId>, _: i64) -> bool {
        true
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let tokens = AccessTokens::new("https://playhead.example", "playhead:api");
    let keys = Arc::new(SigningKeys::new(KeyRing::generate(NOW_MS)?));
    let caller = Caller {
        account_id: AccountId(Uuid::from_u128(1)),
        sign_in_id: SignInId(Uuid::from_u128(2)),
        device_id: DeviceId(Uuid::from_u128(3)),
        authenticated_at_ms: NOW_MS,
        roles: [Role::Viewer].into(),
    };
    let token = tokens.issue(&keys.current(), &caller, NOW_MS)?.text;
    let ended = (0..ENDED).map(|number| SignInId(Uuid::from_u128(number << 64))).collect();
    let check = AccessCheck::new(tokens, keys, Arc::new(Ended(RwLock::new(ended))));
    let since = Instant::now();
    for _ in 0..CHECKS {
        check.verify(&token, NOW_MS)?;
    }
    println!("check an access token: {:?}", since.elapsed() / CHECKS);
    Ok(())
}
