//! The secrets under `DATA/keys`, made at first use and readable by their owner only.
//!
//! | file | holds |
//! | --- | --- |
//! | `access.pem` | the Ed25519 key that signs access tokens, PKCS#8 PEM (RFC 8410) |
//! | `playback.key` | 32 random bytes in hexadecimal, under which playback tokens are signed |

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use playhead_api::AccessKey;
use playhead_commands::token::PlaybackTokens;
use rand::TryRngCore;
use rand::rngs::OsRng;

use crate::failure::Advise;
use crate::store;

/// The key that signs access tokens.
///
/// # Errors
/// It can neither be read nor made.
pub fn access(data: &Path) -> anyhow::Result<AccessKey> {
    let file = directory(data)?.join("access.pem");
    let pem = read_or_make(&file, || {
        let pem = SigningKey::from_bytes(&random()?).to_pkcs8_pem(LineEnding::LF)?;
        Ok(pem.to_string())
    })?;
    AccessKey::from_pkcs8_pem(&pem).with_context(|| file.display().to_string()).advise(|| {
        "restore the file from a backup, or remove it: a new key is made, and every access token \
         given out so far stops working"
            .to_owned()
    })
}

/// What signs and checks playback tokens.
///
/// # Errors
/// The key can neither be read nor made.
pub fn playback(data: &Path) -> anyhow::Result<PlaybackTokens> {
    let file = directory(data)?.join("playback.key");
    let text = read_or_make(&file, || Ok(format!("{}\n", hex(&random()?))))?;
    let secret = unhex(text.trim_end())
        .with_context(|| format!("{} does not hold 64 hexadecimal digits", file.display()))
        .advise(|| {
            "restore the file from a backup, or remove it: a new key is made, and players that \
             play now have to start anew"
                .to_owned()
        })?;
    Ok(PlaybackTokens::new(&secret))
}

fn directory(data: &Path) -> anyhow::Result<PathBuf> {
    let dir = data.join("keys");
    let made = fs::create_dir_all(data)
        .and_then(|()| fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir));
    let advice = made.as_ref().err().and_then(|error| store::directory_advice(data, error));
    let made = made.with_context(|| format!("creating {} failed", dir.display()));
    match advice {
        Some(advice) => made.advise(|| advice)?,
        None => made?,
    }
    Ok(dir)
}

/// The text of a file. If there is none, it is made whole or not at all, and if two processes do so
/// at the same time, both get the same one.
fn read_or_make(
    file: &Path,
    make: impl FnOnce() -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let context = |what: &str| format!("{what} {} failed", file.display());
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found.with_context(|| context("reading")),
    }
    let draft = file.with_extension(format!("new-{}", std::process::id()));
    let text = make()?;
    write_durably(&draft, &text).with_context(|| context("making"))?;
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft).with_context(|| context("making"))?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.with_context(|| context("making"))?,
    }
    fs::read_to_string(file).with_context(|| context("reading"))
}

fn write_durably(file: &Path, text: &str) -> io::Result<()> {
    let mut made =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    made.write_all(text.as_bytes())?;
    made.sync_all()
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).context("the operating system gave no random bytes")?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn keys_are_made_once_and_are_their_owners_only() {
        let dir = tempfile::tempdir().unwrap();
        access(dir.path()).unwrap();
        playback(dir.path()).unwrap();
        for name in ["access.pem", "playback.key"] {
            let file = dir.path().join("keys").join(name);
            let before = fs::read(&file).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
            access(dir.path()).unwrap();
            playback(dir.path()).unwrap();
            assert_eq!(fs::read(&file).unwrap(), before, "{name}");
        }
        assert_eq!(fs::read_dir(dir.path().join("keys")).unwrap().count(), 2);
    }

    #[test]
    fn a_damaged_key_is_named_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("keys")).unwrap();
        for name in ["access.pem", "playback.key"] {
            fs::write(dir.path().join("keys").join(name), "zz").unwrap();
        }
        let errors = [access(dir.path()).err().unwrap(), playback(dir.path()).err().unwrap()];
        assert!(format!("{:#}", errors[0]).contains("access.pem"));
        assert!(format!("{:#}", errors[1]).contains("playback.key"));
    }

    #[test]
    fn hexadecimal_digits_read_back() {
        let bytes = random().unwrap();
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        assert_eq!(unhex("12"), None);
    }
}
