//! Composing a message (RFC 5322).

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::{Address, Message as Letter};

use super::{MailError, Message};
use crate::random;
use crate::secret::hex;

/// The longest subject.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// The longest text.
pub const TEXT_BYTES_MAX: usize = 65_536;
/// The longest address (RFC 5321, section 4.5.3.1.3, less the brackets).
const ADDRESS_BYTES_MAX: usize = 254;

/// Who mails are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl Sender {
    /// A sender with a name that people see.
    ///
    /// # Errors
    /// The name or the address is none.
    pub fn new(name: &str, address: &str) -> Result<Self, MailError> {
        let line = !name.is_empty() && one_line(name, SUBJECT_CHARS_MAX);
        check(line, "from", "a name of one line")?;
        Ok(Self(Mailbox::new(Some(name.to_owned()), parse(address, "from")?)))
    }
}

/// The message as it goes out. It says when it was made and has an id that no other has.
pub(super) fn compose(from: &Sender, message: &Message, now_ms: i64) -> Result<Letter, MailError> {
    check(one_line(&message.subject, SUBJECT_CHARS_MAX), "subject", "one line of 200 characters")?;
    check(message.text.len() <= TEXT_BYTES_MAX, "text", "at most 64 KiB long")?;
    let to = Mailbox::new(None, parse(&message.to, "to")?);
    let id = format!("<{}@{}>", hex(&random::bytes::<16>()?), from.0.email.domain());
    let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(now_ms).unwrap_or(0));
    let builder: MessageBuilder = Letter::builder()
        .date(date)
        .message_id(Some(id))
        .from(from.0.clone())
        .to(to)
        .subject(message.subject.clone())
        .header(ContentType::TEXT_PLAIN);
    Ok(builder.body(message.text.clone())?)
}

/// An address that can neither end a header nor name a second recipient.
fn parse(address: &str, field: &'static str) -> Result<Address, MailError> {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"\"<>,;:\\()".contains(c);
    let harmless = address.len() <= ADDRESS_BYTES_MAX && address.chars().all(plain);
    check(harmless, field, "an e-mail address")?;
    address.parse().map_err(|_| MailError::Invalid { field, rule: "an e-mail address" })
}

fn one_line(text: &str, chars_max: usize) -> bool {
    // U+2028 and U+2029 end lines, too, and are not control characters.
    let ends_line = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().count() <= chars_max && !text.chars().any(ends_line)
}

fn check(holds: bool, field: &'static str, rule: &'static str) -> Result<(), MailError> {
    if holds { Ok(()) } else { Err(MailError::Invalid { field, rule }) }
}

#[cfg(test)]
mod tests {
    use playhead_domain::email::{is_address, normalized};
    use proptest::prelude::*;

    use super::*;

    const NOW_MS: i64 = 1_800_000_000_000;

    fn mail(to: &str, subject: &str, text: &str) -> Message {
        Message { to: to.into(), subject: subject.into(), text: text.into() }
    }

    fn composed(message: &Message) -> Result<String, MailError> {
        let from = Sender::new("Playhead", "no-reply@playhead.example").unwrap();
        Ok(String::from_utf8(compose(&from, message, NOW_MS)?.formatted()).unwrap())
    }

    fn field(message: &Message) -> Option<&'static str> {
        match composed(message).err()? {
            error @ MailError::Invalid { field, .. } => {
                assert!(!error.retryable());
                Some(field)
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_address_that_can_register_can_be_mailed_to() {
        let chars = ('\0'..='\u{2ffff}').chain('\u{e0000}'..='\u{e01ef}');
        let texts = chars.flat_map(|c| [format!("a{c}b@example.org"), format!("a@ex{c}ample.org")]);
        let addresses = texts.map(|text| normalized(&text)).filter(|text| is_address(text));
        let refused: Vec<_> = addresses.filter(|text| parse(text, "to").is_err()).collect();
        assert_eq!(refused, [""; 0]);
    }

    #[test]
    fn a_message_is_dated_when_the_caller_says_and_in_plain_text() {
        let letter = composed(&mail("ada@example.org", "Hello", "Line 1\nLine 2\n")).unwrap();
        for line in [
            "Date: Fri, 15 Jan 2027 08:00:00 +0000",
            "From: Playhead <no-reply@playhead.example>",
            "To: ada@example.org",
            "Subject: Hello",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(letter.contains(&format!("{line}\r\n")), "{line}\n{letter}");
        }
        assert!(letter.ends_with("\r\n\r\nLine 1\r\nLine 2\r\n"), "{letter}");
        assert_eq!(letter.matches("Message-ID: <").count(), 1);
    }

    #[test]
    fn no_recipient_brings_headers_or_recipients_along() {
        for to in [
            "ada@example.org\r\nBcc: eve@example.org",
            "ada@example.org\nBcc: eve@example.org",
            "ada@example.org\rX: y",
            "ada@example.org, eve@example.org",
            "ada@example.org;eve@example.org",
            "Ada <ada@example.org>",
            "\"a\r\nBcc: eve@example.org\r\n\"@example.org",
            "\"ada eve\"@example.org",
            "ada@example.org\0",
            "ada@example.org>\r\nDATA",
            "ada",
            "",
            "@example.org",
            &format!("{}@example.org", "a".repeat(250)),
        ] {
            assert_eq!(field(&mail(to, "Hello", "")), Some("to"), "{to:?}");
        }
    }

    #[test]
    fn no_subject_ends_its_line() {
        for subject in
            ["a\r\nBcc: eve@example.org", "a\nb", "a\rb", "a\0b", "a\u{85}b", "a\u{2028}b"]
        {
            assert_eq!(
                field(&mail("ada@example.org", subject, "")),
                Some("subject"),
                "{subject:?}"
            );
        }
        assert_eq!(field(&mail("ada@example.org", &"x".repeat(201), "")), Some("subject"));
        assert_eq!(field(&mail("ada@example.org", "x", &"x".repeat(65_537))), Some("text"));
        assert!(Sender::new("Play\r\nhead", "a@example.org").is_err());
        assert!(Sender::new("Playhead", "a@example.org\r\nX: y").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_sent_has_the_same_headers(
            to in "[a-z.+@\"<>, \\r\\n]{0,20}@example.org|.{0,30}",
            subject in "(\\PC|[\\r\\n\\t ]){0,80}",
            text in "(.|[\\r\\n.]){0,100}",
        ) {
            if let Ok(letter) = composed(&mail(&to, &subject, &text)) {
                let (headers, _) = letter.split_once("\r\n\r\n").unwrap();
                let names: Vec<_> = headers
                    .split("\r\n")
                    .filter(|line| !line.starts_with([' ', '\t']))
                    .map(|line| line.split_once(':').unwrap().0)
                    .collect();
                prop_assert_eq!(names, [
                    "Date", "Message-ID", "From", "To", "Subject", "Content-Type",
                    "Content-Transfer-Encoding",
                ]);
                prop_assert!(!headers.replace("\r\n", "").contains(['\r', '\n']));
            }
        }
    }
}
