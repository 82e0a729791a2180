//! Mail into a directory.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use playhead_domain::email;
use sha2::{Digest, Sha256};
use tokio::task;

use super::letter::{Sender, compose};
use super::{MailError, Mailer, Message};
use crate::random;
use crate::secret::hex;

/// Writes each message into a file of its own, `MILLISECONDS-ADDRESSEE-RANDOM.eml`, which only its
/// owner can read: mails hold codes. It is whole and durable when `send` returns; names that end in
/// `.part` are left over from a crash. Nothing is removed but what is to be forgotten: by the hash of
/// the address in the names, without reading any file.
#[derive(Debug, Clone)]
pub struct EmlMailer {
    directory: PathBuf,
    from: Sender,
}

impl EmlMailer {
    /// Makes the directory if there is none.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn new(directory: impl Into<PathBuf>, from: Sender) -> Result<Self, MailError> {
        let directory = directory.into();
        DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        Ok(Self { directory, from })
    }
}

#[async_trait]
impl Mailer for EmlMailer {
    async fn send(&self, message: &Message, now_ms: i64) -> Result<(), MailError> {
        let letter = compose(&self.from, message, now_ms)?.formatted();
        let addressee = addressee(&message.to);
        let name = format!("{now_ms:013}-{addressee}-{}.eml", hex(&random::bytes::<8>()?));
        let directory = self.directory.clone();
        let writing = task::spawn_blocking(move || write(&directory, &name, &letter));
        Ok(writing.await.map_err(io::Error::other)??)
    }

    async fn forget(&self, addresses: &[String]) -> Result<(), MailError> {
        if addresses.is_empty() {
            return Ok(());
        }
        let addressees = addresses.iter().map(|address| addressee(address)).collect();
        let directory = self.directory.clone();
        let removing = task::spawn_blocking(move || remove(&directory, &addressees));
        Ok(removing.await.map_err(io::Error::other)??)
    }
}

/// How many bytes of the hash of an address are in a name.
const ADDRESSEE_BYTES: usize = 16;

/// Stands for an address in the names of files.
fn addressee(address: &str) -> String {
    let digest = Sha256::digest(email::canonical(address).as_bytes());
    hex(digest.get(..ADDRESSEE_BYTES).unwrap_or(&digest))
}

/// Removes the mails of some, drafts of theirs too.
fn remove(directory: &Path, addressees: &BTreeSet<String>) -> io::Result<()> {
    let mut removed = false;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let to = name.to_str().and_then(|name| name.split('-').nth(1));
        if to.is_some_and(|to| addressees.contains(to)) {
            match fs::remove_file(entry.path()) {
                // Somebody else tidied up.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => done?,
            }
            removed = true;
        }
    }
    if removed { File::open(directory)?.sync_all() } else { Ok(()) }
}

fn write(directory: &Path, name: &str, letter: &[u8]) -> io::Result<()> {
    let part = directory.join(format!("{name}.part"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    let written = file.write_all(letter).and_then(|()| file.sync_all());
    let written = written.and_then(|()| fs::rename(&part, directory.join(name)));
    if let Err(error) = written {
        // The error that counts is the first; a draft that stays is harmless.
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn from() -> Sender {
        Sender::new("Playhead", "no-reply@playhead.example").unwrap()
    }

    fn message(text: &str) -> Message {
        Message { to: "ada@example.org".into(), subject: "Hello".into(), text: text.into() }
    }

    #[tokio::test]
    async fn each_message_is_a_file_of_its_owner() {
        let root = tempfile::tempdir().unwrap();
        let mail = root.path().join("a/mail");
        let mailer: Box<dyn Mailer> = Box::new(EmlMailer::new(&mail, from()).unwrap());
        mailer.send(&message("one"), 1_800_000_000_000).await.unwrap();
        mailer.send(&message("two"), 1_800_000_000_000).await.unwrap();
        mailer.send(&message("three"), 1_800_000_000_001).await.unwrap();
        let mut files: Vec<_> =
            fs::read_dir(&mail).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), 3);
        assert!(fs::read_to_string(&files[2]).unwrap().ends_with("\r\n\r\nthree"));
        for file in files {
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(file.extension().unwrap(), "eml");
        }
    }

    #[tokio::test]
    async fn the_mails_of_somebody_are_removed_however_the_address_is_spelled() {
        let root = tempfile::tempdir().unwrap();
        let mailer: Box<dyn Mailer> = Box::new(EmlMailer::new(root.path(), from()).unwrap());
        let to = |to: &str| Message { to: to.into(), ..message("text") };
        for address in ["ada@example.org", "Ada@Example.ORG", "eve@example.org"] {
            mailer.send(&to(address), 5).await.unwrap();
        }
        let names = || -> Vec<String> {
            let entries = fs::read_dir(root.path()).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        assert!(names().iter().all(|name| !name.contains("example")), "{:?}", names());
        for _ in 0..2 {
            mailer.forget(&["ADA@example.org".to_owned()]).await.unwrap();
            mailer.forget(&[]).await.unwrap();
            assert_eq!(names().len(), 1);
        }
        let left = fs::read_to_string(root.path().join(&names()[0])).unwrap();
        assert!(left.contains("To: eve@example.org"), "{left}");
    }

    #[tokio::test]
    async fn a_message_that_cannot_be_written_is_an_error_and_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let mailer = EmlMailer::new(root.path().join("mail"), from()).unwrap();
        fs::remove_dir(root.path().join("mail")).unwrap();
        let error = mailer.send(&message("one"), 0).await.unwrap_err();
        assert!(matches!(error, MailError::Write(_)) && error.retryable());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
