//! Mail into a directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::task;

use super::letter::{Sender, compose};
use super::{MailError, Mailer, Message};
use crate::random;
use crate::secret::hex;

/// Writes each message into a file of its own, `MILLISECONDS-RANDOM.eml`, which only its owner can
/// read: mails hold codes. It is whole and durable when `send` returns; names that end in `.part`
/// are left over from a crash. Nothing is ever removed.
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
        let name = format!("{now_ms:013}-{}.eml", hex(&random::bytes::<8>()?));
        let directory = self.directory.clone();
        let writing = task::spawn_blocking(move || write(&directory, &name, &letter));
        Ok(writing.await.map_err(io::Error::other)??)
    }
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
    async fn a_message_that_cannot_be_written_is_an_error_and_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let mailer = EmlMailer::new(root.path().join("mail"), from()).unwrap();
        fs::remove_dir(root.path().join("mail")).unwrap();
        let error = mailer.send(&message("one"), 0).await.unwrap_err();
        assert!(matches!(error, MailError::Write(_)) && error.retryable());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
