//! How mail goes out.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use playhead_identity::mail::{EmlMailer, Mailer, Sender, SmtpMailer};

use crate::config::{Config, MAIL_NAME};
use crate::failure::Advise;

/// Where mails are written if there is no mail server.
#[must_use]
pub fn directory(config: &Config) -> PathBuf {
    if config.mail_dir.as_os_str().is_empty() {
        return config.data.join("mail");
    }
    config.mail_dir.clone()
}

/// Checks the settings of mail. A directory outside of the data directory is made, since that can fail.
///
/// # Errors
/// As those of [`mailer`].
pub fn check(config: &Config) -> anyhow::Result<()> {
    if config.smtp_url.is_empty() && directory(config).starts_with(&config.data) {
        Sender::new(MAIL_NAME, &config.mail_from).context("mail_from cannot be used")?;
        return Ok(());
    }
    mailer(config).map(|_| ())
}

/// To the mail server, or into a directory if there is none.
///
/// # Errors
/// A setting breaks a rule, or the directory cannot be made.
pub fn mailer(config: &Config) -> anyhow::Result<Arc<dyn Mailer>> {
    let from = Sender::new(MAIL_NAME, &config.mail_from).context("mail_from cannot be used")?;
    if !config.smtp_url.is_empty() {
        let mailer = SmtpMailer::new(config.smtp_url.reveal(), from);
        return Ok(Arc::new(mailer.context("smtp_url cannot be used")?));
    }
    let directory = directory(config);
    let mailer = EmlMailer::new(&directory, from)
        .with_context(|| format!("making the mail directory {} failed", directory.display()))
        .advise(|| "name another directory as mail_dir, or a mail server as smtp_url".to_owned())?;
    Ok(Arc::new(mailer))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use playhead_identity::mail::Message;

    use super::*;

    fn config(data: &Path) -> Config {
        Config { data: data.to_owned(), ..Config::default() }
    }

    fn message() -> Message {
        Message { to: "ada@example.org".into(), subject: "Hello".into(), text: "Hello".into() }
    }

    #[tokio::test]
    async fn without_a_mail_server_mail_lies_in_the_data_directory() {
        let dir = tempfile::tempdir().unwrap();
        mailer(&config(dir.path())).unwrap().send(&message(), 5).await.unwrap();
        assert_eq!(std::fs::read_dir(dir.path().join("mail")).unwrap().count(), 1);
        let elsewhere = dir.path().join("out/box");
        let named = Config { mail_dir: elsewhere.clone(), ..config(dir.path()) };
        mailer(&named).unwrap().send(&message(), 5).await.unwrap();
        assert_eq!(std::fs::read_dir(elsewhere).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_mail_server_that_others_could_listen_to_is_refused_without_its_password() {
        let dir = tempfile::tempdir().unwrap();
        let url = "smtp://user:canary@mail.example";
        let open = Config { smtp_url: url.into(), ..config(dir.path()) };
        let error = format!("{:#}", mailer(&open).err().unwrap());
        assert!(error.contains("smtp_url") && error.contains("tls=required"), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}
