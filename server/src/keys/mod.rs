//! The secrets under `DATA/keys`, readable by their owner only. They are in no backup of the log:
//! whoever has both can read everything.
//!
//! | file | holds |
//! | --- | --- |
//! | `signing.json` | the Ed25519 keys that sign access tokens |
//! | `playback.key` | 32 random bytes in hexadecimal, under which playback tokens are signed, and from which follows what marks the places in lists |
//! | `subjects.sqlite` | a key for each person, each locked with the master key |
//! | `master.key` | the master key, unless it is kept elsewhere; 32 random bytes in hexadecimal |

mod files;
pub mod master;
pub mod people;
pub mod signing;

use std::path::Path;

use anyhow::Context;
use playhead_api::CursorKey;
use playhead_commands::token::PlaybackTokens;

use crate::failure::Advise;

pub use self::files::directory;

/// What signs and checks playback tokens.
///
/// # Errors
/// The key can neither be read nor made.
pub fn playback(data: &Path) -> anyhow::Result<PlaybackTokens> {
    Ok(PlaybackTokens::new(&playback_secret(data)?))
}

/// What marks places in lists.
///
/// # Errors
/// The key that it follows from can neither be read nor made.
pub fn cursors(data: &Path) -> anyhow::Result<CursorKey> {
    Ok(CursorKey::derive(&playback_secret(data)?))
}

fn playback_secret(data: &Path) -> anyhow::Result<[u8; 32]> {
    let file = directory(data)?.join("playback.key");
    let text = files::read_or_make(&file, files::random_line)?;
    unhex(text.trim_end())
        .with_context(|| format!("{} does not hold 64 hexadecimal digits", file.display()))
        .advise(|| {
            "restore the file from your copy of the keys, or remove it: a new key is made, and \
             players that play now have to start anew"
                .to_owned()
        })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_made_once_and_are_their_owners_only() {
        let dir = tempfile::tempdir().unwrap();
        signing::open(dir.path()).unwrap();
        playback(dir.path()).unwrap();
        for name in ["signing.json", "playback.key"] {
            let file = dir.path().join("keys").join(name);
            let before = fs::read(&file).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
            signing::open(dir.path()).unwrap();
            playback(dir.path()).unwrap();
            assert_eq!(fs::read(&file).unwrap(), before, "{name}");
        }
        assert_eq!(fs::read_dir(dir.path().join("keys")).unwrap().count(), 2);
    }

    #[test]
    fn a_damaged_key_is_named_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("keys")).unwrap();
        for name in ["signing.json", "playback.key"] {
            fs::write(dir.path().join("keys").join(name), "zz").unwrap();
        }
        let errors = [signing::open(dir.path()).err(), playback(dir.path()).err()];
        for (error, name) in errors.into_iter().zip(["signing.json", "playback.key"]) {
            assert!(format!("{:#}", error.unwrap()).contains(name));
            assert_eq!(fs::read(dir.path().join("keys").join(name)).unwrap(), b"zz");
        }
    }

    #[test]
    fn hexadecimal_digits_read_back() {
        assert_eq!(unhex(&"0f".repeat(32)), Some([15; 32]));
        assert_eq!(unhex("12"), None);
        assert!(unhex(files::random_line().unwrap().trim_end()).is_some());
    }
}
