//! The keys that sign access tokens, in `DATA/keys/signing.json`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use playhead_identity::keys::{KeyError, KeyRing};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::files;
use crate::clock;
use crate::failure::Advise;

/// What the only key was kept in before there were several.
const ONLY_KEY: &str = "access.pem";
/// How often a running server looks whether the keys were rotated.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The file of a data directory.
#[must_use]
pub fn file(data: &Path) -> PathBuf {
    data.join("keys").join("signing.json")
}

/// The keys. If there are none, the only key of before is taken over, or one is made.
///
/// # Errors
/// They can neither be read nor made.
pub fn open(data: &Path) -> anyhow::Result<KeyRing> {
    let dir = files::directory(data)?;
    let file = file(data);
    let only = dir.join(ONLY_KEY);
    let text = files::read_or_make(&file, || Ok(first(&only)?.to_json()?))?;
    let ring = understood(&file, KeyRing::from_json(&text))?;
    // Taken over, and whoever rotates the keys does not expect an old one to lie about.
    if only.exists() {
        fs::remove_file(&only).with_context(|| format!("removing {} failed", only.display()))?;
    }
    Ok(ring)
}

fn first(only: &Path) -> anyhow::Result<KeyRing> {
    let now_ms = clock::now_ms();
    match files::read(only)? {
        Some(pem) => understood(only, KeyRing::from_pkcs8_pem(&pem, now_ms)),
        None => Ok(KeyRing::generate(now_ms)?),
    }
}

fn understood(file: &Path, ring: Result<KeyRing, KeyError>) -> anyhow::Result<KeyRing> {
    ring.with_context(|| format!("{} cannot be used", file.display())).advise(|| {
        "restore the file from your copy of the keys, or remove it: a new key is made, and every \
         access token given out so far stops working"
            .to_owned()
    })
}

/// Lets a new key sign; the one before verifies until the last token it signed has expired. A running
/// server notices within about a second.
///
/// # Errors
/// The keys cannot be read or written, or too many of them still verify.
pub fn rotate(data: &Path) -> anyhow::Result<KeyRing> {
    let dir = files::directory(data)?;
    // Of two that rotate at once, the second begins with what the first has written.
    let held = File::open(&dir).and_then(|dir| dir.lock().map(|()| dir));
    let _held = held.with_context(|| format!("locking {} failed", dir.display()))?;
    let mut ring = open(data)?;
    ring.rotate(clock::now_ms()).context("rotating the signing keys failed").advise(|| {
        "rotate again when the oldest of them has expired; see `playhead admin keys list`"
            .to_owned()
    })?;
    files::replace(&file(data), &ring.to_json()?)?;
    Ok(ring)
}

/// A key as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What tokens call it.
    pub kid: String,
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    pub made_at_ms: i64,
    /// The first moment at which it no longer verifies; `None` for the key that signs.
    pub verifies_until_ms: Option<i64>,
}

/// The keys as they may be shown, the one that signs first.
///
/// # Errors
/// They cannot be written as text.
pub fn shown(ring: &KeyRing) -> anyhow::Result<Vec<Shown>> {
    #[derive(Deserialize)]
    struct Ring {
        keys: Vec<Shown>,
    }
    let ring: Ring = serde_json::from_str(&ring.to_json()?)?;
    Ok(ring.keys)
}

/// Hands on what others write into the file, until stopped. A file that cannot be read changes
/// nothing and is reported once for each change.
pub async fn follow(mut watch: Watch, stop: CancellationToken, replaced: impl Fn(KeyRing) + Send) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match watch.look() {
            None => {}
            Some(Ok(Look { ring, rotated })) => {
                if rotated {
                    tracing::info!(kid = ring.kid(), "the signing keys were rotated");
                }
                replaced(ring);
            }
            Some(Err(error)) => {
                let error = format!("{error:#}");
                tracing::error!(%error, "going on with the signing keys of before");
            }
        }
    }
}

/// Tells when the keys were replaced.
#[derive(Debug)]
pub struct Watch {
    data: PathBuf,
    seen: Option<(SystemTime, u64)>,
    /// The key that signed when the file was last read.
    kid: String,
}

/// What a look into the file has found.
#[derive(Debug)]
struct Look {
    ring: KeyRing,
    /// Whether another key signs than before.
    rotated: bool,
}

impl Watch {
    /// Since these keys were opened. The file is read once more at the first look, so that nothing is
    /// missed.
    #[must_use]
    pub fn begin(data: &Path, opened: &KeyRing) -> Self {
        Self { data: data.to_owned(), seen: None, kid: opened.kid().to_owned() }
    }

    /// The keys, if the file was written since the last look.
    fn look(&mut self) -> Option<anyhow::Result<Look>> {
        let now = changed(&file(&self.data));
        // Between two writes there may be no file, which is no reason to make one.
        if now.is_none() || now == self.seen {
            return None;
        }
        self.seen = now;
        Some(open(&self.data).map(|ring| {
            let rotated = ring.kid() != self.kid;
            ring.kid().clone_into(&mut self.kid);
            Look { ring, rotated }
        }))
    }
}

/// When the file was last written, and its length.
fn changed(file: &Path) -> Option<(SystemTime, u64)> {
    let found = fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len()))
}

#[cfg(test)]
mod tests {
    use playhead_domain::ids::SignInId;
    use playhead_domain::{AccountId, DeviceId};
    use playhead_identity::access_token::{AccessTokens, Caller};
    use uuid::Uuid;

    use super::*;

    /// The example of RFC 8410, section 10.3.
    const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
                       MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
                       -----END PRIVATE KEY-----\n";

    #[test]
    fn the_only_key_of_before_is_taken_over_and_goes_on_signing() {
        let dir = tempfile::tempdir().unwrap();
        let only = files::directory(dir.path()).unwrap().join(ONLY_KEY);
        fs::write(&only, PEM).unwrap();
        let ring = open(dir.path()).unwrap();
        assert_eq!(ring.kid(), KeyRing::from_pkcs8_pem(PEM, 0).unwrap().kid());
        assert!(!only.exists());
        assert_eq!(open(dir.path()).unwrap().kid(), ring.kid());
    }

    #[test]
    fn a_token_of_before_a_rotation_is_still_accepted() {
        let dir = tempfile::tempdir().unwrap();
        let tokens = AccessTokens::new("playhead", "playhead:api");
        let before = open(dir.path()).unwrap();
        let caller = Caller {
            account_id: AccountId(Uuid::from_u128(1)),
            sign_in_id: SignInId(Uuid::from_u128(2)),
            device_id: DeviceId(Uuid::from_u128(3)),
            authenticated_at_ms: 0,
            roles: Default::default(),
        };
        let now_ms = clock::now_ms();
        let token = tokens.issue(&before, &caller, now_ms).unwrap();
        rotate(dir.path()).unwrap();
        let after = open(dir.path()).unwrap();
        assert_ne!(after.kid(), before.kid());
        assert!(tokens.verify(&after, &token.text, now_ms).is_ok());
        let shown = shown(&after).unwrap();
        assert_eq!(shown.len(), 2);
        assert_eq!((shown[0].verifies_until_ms, &*shown[1].kid), (None, before.kid()));
    }

    #[test]
    fn every_change_of_the_keys_is_noticed_once() {
        let dir = tempfile::tempdir().unwrap();
        let opened = open(dir.path()).unwrap();
        let mut watch = Watch::begin(dir.path(), &opened);
        let look = watch.look().unwrap().unwrap();
        assert!(!look.rotated, "only a rotation is one");
        assert_eq!(look.ring.kid(), opened.kid());
        assert!(watch.look().is_none());
        let rotated = rotate(dir.path()).unwrap();
        let look = watch.look().unwrap().unwrap();
        assert!(look.rotated);
        assert_eq!(look.ring.kid(), rotated.kid());
        assert!(watch.look().is_none());
        fs::write(file(dir.path()), "damaged").unwrap();
        assert!(watch.look().unwrap().is_err());
        fs::remove_file(file(dir.path())).unwrap();
        assert!(watch.look().is_none());
        let anew = open(dir.path()).unwrap();
        assert_eq!(watch.look().unwrap().unwrap().ring.kid(), anew.kid());
    }

    #[test]
    fn a_rotation_before_the_first_look_is_noticed_and_leaves_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::begin(dir.path(), &open(dir.path()).unwrap());
        rotate(dir.path()).unwrap();
        assert!(watch.look().unwrap().unwrap().rotated);
        let entries = fs::read_dir(dir.path().join("keys")).unwrap();
        let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["signing.json"]);
    }
}
