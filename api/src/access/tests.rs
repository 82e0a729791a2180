use std::sync::Mutex;

use playhead_commands::token::{PlaybackGrant, PlaybackTokens};
use playhead_domain::{ProfileId, SessionId, TitleId};
use playhead_identity::keys::KeyRing;

use super::*;

const NOW_MS: i64 = 1_800_000_000_000;

/// Remembers what it was asked, and says no to whatever ended.
#[derive(Default)]
struct Ended(Mutex<BTreeSet<Uuid>>);

impl TokenStates for Ended {
    fn is_valid(&self, account: AccountId, sign_in: SignInId, device: DeviceId, _: i64) -> bool {
        let ended = self.0.lock().unwrap();
        [account.0, sign_in.0, device.0].iter().all(|id| !ended.contains(id))
    }

    fn may_play(&self, account: AccountId, device: Option<DeviceId>, _: i64) -> bool {
        let ended = self.0.lock().unwrap();
        [Some(account.0), device.map(|id| id.0)].iter().flatten().all(|id| !ended.contains(id))
    }
}

fn caller() -> Caller {
    Caller {
        account_id: AccountId(Uuid::from_u128(7)),
        sign_in_id: SignInId(Uuid::from_u128(8)),
        device_id: DeviceId(Uuid::from_u128(9)),
        authenticated_at_ms: NOW_MS - 1,
        roles: [Role::Viewer, Role::Analyst].into(),
    }
}

struct Door {
    access: AccessCheck,
    tokens: AccessTokens,
    keys: Arc<SigningKeys>,
    ended: Arc<Ended>,
}

impl Door {
    fn new() -> Self {
        let tokens = AccessTokens::new("https://playhead.example", "playhead:api");
        let keys = Arc::new(SigningKeys::new(KeyRing::generate(NOW_MS).unwrap()));
        let ended = Arc::new(Ended::default());
        let access = AccessCheck::new(tokens.clone(), Arc::clone(&keys), ended.clone());
        Self { access, tokens, keys, ended }
    }

    fn token(&self, caller: &Caller) -> String {
        self.tokens.issue(&self.keys.current(), caller, NOW_MS).unwrap().text
    }
}

#[test]
fn a_token_says_who_calls_from_where_and_as_what() {
    let door = Door::new();
    let identity = door.access.verify(&door.token(&caller()), NOW_MS).unwrap();
    assert_eq!(identity.account_id, caller().account_id);
    assert_eq!(identity.sign_in(), Some(caller().sign_in_id));
    assert_eq!(identity.device(), Some(caller().device_id));
    assert_eq!(identity.roles, caller().roles);
    assert_eq!(identity.expires_at_ms, NOW_MS + 600_000);
}

#[test]
fn a_token_ends_with_its_time() {
    let door = Door::new();
    let token = door.token(&caller());
    assert!(door.access.verify(&token, NOW_MS + 599_999).is_ok());
    assert_eq!(door.access.verify(&token, NOW_MS + 600_000), Err(AccessError::Expired));
}

#[test]
fn a_token_ends_with_its_account_its_sign_in_or_its_device() {
    for ended in [7, 8, 9] {
        let door = Door::new();
        let token = door.token(&caller());
        let identity = door.access.verify(&token, NOW_MS).unwrap();
        door.ended.0.lock().unwrap().insert(Uuid::from_u128(ended));
        assert_eq!(door.access.verify(&token, NOW_MS), Err(AccessError::Ended), "{ended}");
        assert!(!door.access.still_stands(&identity), "{ended}");
    }
}

#[test]
fn a_token_of_other_keys_or_another_issuer_is_forged() {
    let door = Door::new();
    let elsewhere = Door::new().token(&caller());
    assert_eq!(door.access.verify(&elsewhere, NOW_MS), Err(AccessError::Forged));
    let other = AccessTokens::new("https://elsewhere.example", "playhead:api");
    let other = other.issue(&door.keys.current(), &caller(), NOW_MS).unwrap().text;
    assert_eq!(door.access.verify(&other, NOW_MS), Err(AccessError::Forged));
    for text in ["", ".", "a.b.c", &"x".repeat(100_000)] {
        assert_eq!(door.access.verify(text, NOW_MS), Err(AccessError::Forged));
    }
}

#[test]
fn keys_are_replaced_without_a_restart_and_older_tokens_go_on() {
    let door = Door::new();
    let before = door.token(&caller());
    let mut ring = KeyRing::from_json(&door.keys.current().to_json().unwrap()).unwrap();
    ring.rotate(NOW_MS).unwrap();
    door.keys.replace(ring);
    let after = door.token(&caller());
    assert!(door.access.verify(&before, NOW_MS).is_ok());
    assert!(door.access.verify(&after, NOW_MS).is_ok());
    assert_eq!(door.access.public_keys(NOW_MS).keys.len(), 2);
}

#[test]
fn who_holds_the_keys_calls_without_a_sign_in() {
    let door = Door::new();
    let operator = without_sign_in(caller().account_id, [Role::Operator].into(), NOW_MS);
    let token = door.token(&operator);
    let identity = door.access.verify(&token, NOW_MS).unwrap();
    assert_eq!((identity.sign_in(), identity.device()), (None, None));
    door.ended.0.lock().unwrap().insert(caller().account_id.0);
    assert_eq!(door.access.verify(&token, NOW_MS), Err(AccessError::Ended));
}

#[test]
fn a_playback_token_gives_no_access_nor_the_other_way_round() {
    let grant = PlaybackGrant {
        account_id: caller().account_id,
        profile_id: ProfileId(Uuid::nil()),
        title_id: TitleId(Uuid::nil()),
        session_id: SessionId(Uuid::nil()),
        device_id: None,
        started_at_ms: NOW_MS,
        from_ms: 0,
        duration_ms: None,
        credits_start_ms: None,
    };
    let (door, playback) = (Door::new(), PlaybackTokens::new(&[7; 32]));
    let token = playback.sign(grant).unwrap();
    assert_eq!(door.access.verify(&token, NOW_MS), Err(AccessError::Forged));
    assert!(playback.verify(&door.token(&caller()), NOW_MS).is_err());
}
