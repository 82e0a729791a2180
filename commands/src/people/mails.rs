//! What people read in their mail.

use playhead_domain::AccountId;
use playhead_identity::mail::Message;
use playhead_identity::one_time_code::OneTimeCode;

use super::Settings;

/// A code in a mail with the account that it is for: `ACCOUNT.CODE`. Apps pass it on as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailedCode {
    /// The account.
    pub account_id: AccountId,
    /// The code.
    pub code: OneTimeCode,
}

impl MailedCode {
    /// Reads what somebody shows; nothing about it is proven yet.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (account_id, code) = text.split_once('.')?;
        Some(Self { account_id: account_id.parse().ok()?, code: OneTimeCode::parse(code)? })
    }

    /// The text, for the person's mail and nobody else.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{}.{}", self.account_id, self.code.reveal())
    }
}

fn link(settings: &Settings, path: &str, account_id: AccountId, code: &OneTimeCode) -> String {
    let mailed = MailedCode { account_id, code: code.clone() };
    format!("{}/{path}#{}", settings.link_base, mailed.reveal())
}

fn message(to: &str, subject: String, paragraphs: &[&str]) -> Message {
    Message { to: to.to_owned(), subject, text: format!("{}\n", paragraphs.join("\n\n")) }
}

/// Which password counts once a new account's code came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// The only one that was given.
    Only,
    /// The one that was given with the registration which the mail answers.
    OfSeveral,
    /// None of several.
    None,
}

pub(super) fn verification(
    settings: &Settings,
    to: &str,
    account_id: AccountId,
    code: &OneTimeCode,
    password: Counting,
) -> Message {
    let name = &settings.service_name;
    let which = match password {
        Counting::Only => String::new(),
        Counting::OfSeveral => "This address was registered more than once, perhaps by somebody \
             else. The link of each mail is for the password that was given with its own \
             registration: open this one only if you registered just now."
            .to_owned(),
        Counting::None => format!(
            "This address was registered more than once, perhaps by somebody else. No password of \
             before counts: choose one after you opened the link, at {}/forgot-password",
            settings.link_base
        ),
    };
    let welcome =
        format!("Welcome to {name}. Open this link to confirm that this address is yours:");
    let link = link(settings, "verify-email", account_id, code);
    let mut paragraphs = vec![welcome.as_str(), link.as_str()];
    paragraphs.extend(Some(which.as_str()).filter(|which| !which.is_empty()));
    paragraphs.push(
        "The link is good for 24 hours. If you did not register, ignore this mail: without the link \
         nobody can use the account.",
    );
    message(to, format!("Confirm your e-mail address for {name}"), &paragraphs)
}

pub(super) fn already_registered(settings: &Settings, to: &str) -> Message {
    let name = &settings.service_name;
    message(
        to,
        format!("You have an account with {name} already"),
        &[
            &format!(
                "Somebody, perhaps you, wanted to use this address for an account with {name}. \
                It belongs to one already, so nothing was changed."
            ),
            "If it was you: sign in, or choose a new password here:",
            &format!("{}/forgot-password", settings.link_base),
            "If it was not you, there is nothing to do.",
        ],
    )
}

pub(super) fn password_reset(
    settings: &Settings,
    to: &str,
    account_id: AccountId,
    code: &OneTimeCode,
) -> Message {
    let name = &settings.service_name;
    message(
        to,
        format!("Choose a new password for {name}"),
        &[
            "Open this link to choose a new password:",
            &link(settings, "reset-password", account_id, code),
            "It is good for one hour. If you did not ask for it, ignore this mail; your password \
             stays as it is.",
        ],
    )
}

pub(super) fn password_changed(settings: &Settings, to: &str) -> Message {
    let name = &settings.service_name;
    message(
        to,
        format!("Your password for {name} was changed"),
        &[
            "Your password was changed, and all devices were signed out.",
            "If it was not you, choose a new one here at once:",
            &format!("{}/forgot-password", settings.link_base),
        ],
    )
}

pub(super) fn email_change(
    settings: &Settings,
    to: &str,
    account_id: AccountId,
    code: &OneTimeCode,
) -> Message {
    let name = &settings.service_name;
    message(
        to,
        format!("Confirm your new e-mail address for {name}"),
        &[
            "Open this link to confirm that this address is yours; then it replaces the one before:",
            &link(settings, "confirm-email", account_id, code),
            "It is good for 24 hours. If you did not ask for it, ignore this mail.",
        ],
    )
}

pub(super) fn email_changed(settings: &Settings, to: &str) -> Message {
    let name = &settings.service_name;
    message(
        to,
        format!("Your e-mail address for {name} was changed"),
        &["Your account has another address now, and this one gets no more mail about it. If it \
            was not you, write to us at once."],
    )
}

pub(super) fn erasure_requested(settings: &Settings, to: &str, days: i64) -> Message {
    let name = &settings.service_name;
    message(
        to,
        format!("Your account with {name} will be erased"),
        &[
            &format!(
                "In {days} days everything personal of your account will be erased, and cannot \
                be brought back."
            ),
            "Until then you can sign in and withdraw this. If it was not you who asked, do so and \
             choose a new password.",
        ],
    )
}
