//! The mails that a server writes into its data directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often somebody looks for mail.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often at most: mail is sent after the answer, on a machine under load.
const LOOKS_MAX: usize = 3_000;

/// A directory of mails.
#[derive(Debug, Clone)]
pub struct Mailbox(PathBuf);

impl Mailbox {
    /// That of a data directory.
    pub fn of(data: &Path) -> Self {
        Self(data.join("mail"))
    }

    /// Every mail that was sent, oldest first.
    pub fn mails(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.0) else { return vec![] };
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> =
            paths.filter(|path| path.extension().is_some_and(|name| name == "eml")).collect();
        paths.sort();
        paths.iter().map(|path| in_plain(&fs::read_to_string(path).unwrap())).collect()
    }

    /// Every mail, once there are this many.
    pub async fn wait_for(&self, count: usize) -> Vec<String> {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        for _ in 0..LOOKS_MAX {
            ticks.tick().await;
            let mails = self.mails();
            if mails.len() >= count {
                return mails;
            }
        }
        panic!("{} mails instead of {count}", self.mails().len())
    }

    /// The code in the newest mail to an address that has one, once there is one.
    pub async fn code_for(&self, address: &str) -> String {
        self.code_behind(0, address).await
    }

    /// As [`Self::code_for`], but the oldest mails do not count.
    pub async fn code_behind(&self, skipped: usize, address: &str) -> String {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        for _ in 0..LOOKS_MAX {
            ticks.tick().await;
            let mails = self.mails();
            let mut codes = mails.iter().skip(skipped).rev().filter(|mail| mail.contains(address));
            if let Some(code) = codes.find_map(|mail| code_in(mail)) {
                return code;
            }
        }
        panic!("no mail with a code comes for {address}")
    }
}

/// The code behind the `#` of the link in a mail.
pub fn code_in(mail: &str) -> Option<String> {
    let link =
        mail.split_whitespace().find(|word| word.starts_with("http") && word.contains('#'))?;
    Some(link.split_once('#')?.1.to_owned())
}

/// A mail whose lines are not broken (RFC 2045, section 6.7).
fn in_plain(mail: &str) -> String {
    if !mail.to_ascii_lowercase().contains("content-transfer-encoding: quoted-printable") {
        return mail.to_owned();
    }
    mail.replace("=\r\n", "").replace("=3D", "=")
}
