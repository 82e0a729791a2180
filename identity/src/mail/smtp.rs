//! Mail to a mail server.

use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Tokio1Executor};

use super::letter::{Sender, compose};
use super::{MailError, Mailer, Message};

/// How long a server may take for each step before it is given up.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Servers on the same machine, to which mail may go without encryption.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Hands messages to a mail server (RFC 5321), over connections that are kept for the next.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Sender,
}

impl SmtpMailer {
    /// A server, named by a URL: `smtps://USER:PASSWORD@HOST` (TLS from the start),
    /// `smtp://USER:PASSWORD@HOST:587?tls=required` (STARTTLS), or, on this machine only,
    /// `smtp://localhost:PORT`. The server is not asked yet.
    ///
    /// # Errors
    /// The URL is something else.
    pub fn new(url: &str, from: Sender) -> Result<Self, MailError> {
        let rule = "smtps://HOST, smtp://HOST?tls=required, or smtp://localhost";
        if !is_private(url) {
            return Err(MailError::Server(rule));
        }
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| MailError::Server(rule))?;
        Ok(Self { transport: builder.timeout(Some(TIMEOUT)).build(), from })
    }
}

impl std::fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The transport holds the password.
        f.debug_struct("SmtpMailer").field("from", &self.from).finish_non_exhaustive()
    }
}

/// Whether nobody on the way can read what goes to this server.
fn is_private(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or(place);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let named = |name: &&str| {
        let port = host.strip_prefix(*name).map(|rest| rest.strip_prefix(':').unwrap_or(rest));
        port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    match scheme {
        "smtps" => query.is_empty(),
        "smtp" => query == "tls=required" || query.is_empty() && LOOPBACK.iter().any(named),
        _ => false,
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, message: &Message, now_ms: i64) -> Result<(), MailError> {
        let letter = compose(&self.from, message, now_ms)?;
        self.transport.send(letter).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    fn from() -> Sender {
        Sender::new("Playhead", "no-reply@playhead.example").unwrap()
    }

    fn message(text: &str) -> Message {
        Message { to: "ada@example.org".into(), subject: "Hello".into(), text: text.into() }
    }

    /// Takes one message, answering the recipient as told, and returns every line it was sent.
    async fn server(listener: TcpListener, to_rcpt: &'static str) -> Vec<String> {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 test ESMTP\r\n").await.unwrap();
        let (mut lines, mut in_letter) = (vec![], false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap() == 0 {
                return lines;
            }
            let answer = match (in_letter, line.trim_end()) {
                (true, ".") => "250 taken",
                (true, _) => "",
                (false, "DATA") => "354 go on",
                (false, "QUIT") => "221 bye",
                (false, rcpt) if rcpt.starts_with("RCPT") => to_rcpt,
                (false, _) => "250 yes",
            };
            in_letter = answer == "354 go on" || in_letter && answer.is_empty();
            lines.push(line);
            if !answer.is_empty() {
                stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
            if matches!(answer, "250 taken" | "221 bye") {
                return lines;
            }
        }
    }

    #[tokio::test]
    async fn a_message_reaches_the_server_whole() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let taken = tokio::spawn(server(listener, "250 yes"));
        let mailer: Box<dyn Mailer> = Box::new(SmtpMailer::new(&url, from()).unwrap());
        mailer.send(&message("one\n.\nRCPT TO:<eve@example.org>"), 0).await.unwrap();
        let lines = taken.await.unwrap();
        assert!(
            lines.contains(&"MAIL FROM:<no-reply@playhead.example>\r\n".to_owned()),
            "{lines:?}"
        );
        assert!(lines.contains(&"RCPT TO:<ada@example.org>\r\n".to_owned()));
        // A line with a dot alone would end the message, so it gets a second one.
        let text = ["one\r\n", "..\r\n", "RCPT TO:<eve@example.org>\r\n", ".\r\n"];
        assert!(lines.ends_with(&text.map(str::to_owned)), "{lines:?}");
    }

    #[tokio::test]
    async fn a_recipient_that_is_refused_for_good_is_not_tried_again() {
        for (answer, retryable) in [("550 nobody here", false), ("450 later", true)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("smtp://{}", listener.local_addr().unwrap());
            let taken = tokio::spawn(server(listener, answer));
            let mailer = SmtpMailer::new(&url, from()).unwrap();
            let error = mailer.send(&message("one"), 0).await.unwrap_err();
            assert_eq!(error.retryable(), retryable, "{error}");
            drop(mailer);
            taken.abort();
        }
    }

    #[tokio::test]
    async fn mail_goes_unencrypted_to_this_machine_only() {
        for good in ["smtps://u:p@mail.example", "smtp://mail.example:587?tls=required"] {
            assert!(SmtpMailer::new(good, from()).is_ok(), "{good}");
        }
        for bad in [
            "smtp://mail.example",
            "smtp://mail.example?tls=opportunistic",
            "smtp://localhost.evil.example",
            "smtp://localhost:25@mail.example",
            "smtp://127.0.0.1.evil.example:25",
            "http://localhost",
            "mail.example",
            "",
        ] {
            let refused = SmtpMailer::new(bad, from()).unwrap_err();
            assert!(matches!(refused, MailError::Server(_)) && !refused.retryable(), "{bad}");
        }
    }
}
