//! Moving an account to another address.

use playhead_domain::email::Command;
use playhead_domain::identity::{Ask, CodePurpose};
use playhead_domain::ids::EmailKey;
use playhead_domain::{AccountId, Personal, email, identity};
use playhead_identity::one_time_code::OneTimeCode;

use super::register::check_email;
use super::verify::is_good;
use super::{MailedCode, Outcome, People, PeopleError, mails};
use crate::context::Context;
use crate::handler::Position;

impl People {
    /// Mails a code to another address, which replaces the current one when the code comes back. The
    /// answer is the same if another account has the address; then a mail goes there which says so.
    ///
    /// # Errors
    /// [`PeopleError::Identity`], such as that the password is wrong, [`PeopleError::Invalid`], or
    /// something failed.
    pub async fn request_email_change(
        &self,
        account_id: AccountId,
        password: &str,
        address: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let address = email::normalized(address);
        let address = address.as_str();
        check_email(address)?;
        if !self.is_password(account_id, password).await? {
            return Err(identity::Refusal::WrongPassword.into());
        }
        let email_key = self.email_key(address);
        let code = OneTimeCode::generate()?;
        let ask = Ask::RequestEmailChange {
            email: Personal::Known(address.to_owned()),
            email_key,
            code_hash: code.hash(),
        };
        let executed = self.ask(account_id, ask, "change", context).await?;
        let sent = executed.state.codes.get(&CodePurpose::EmailChange);
        if !sent.is_some_and(|sent| code.matches(sent.hash)) {
            return Ok(executed.position);
        }
        let holder = self.commands().emails.state(&email_key).await?;
        if holder.account_id().is_some_and(|holder| holder != account_id) {
            self.tell_taken(email_key, address, context.at_ms).await?;
        } else {
            let message = mails::email_change(&self.parts().settings, address, account_id, &code);
            self.parts().mailer.send(&message, context.at_ms).await?;
        }
        Ok(executed.position)
    }

    /// Takes back the code that was sent to another address, which counts from now on. The former
    /// one is free for other accounts, and is told. If it fails half-way, the same code again goes
    /// on where it was.
    ///
    /// # Errors
    /// [`PeopleError::InvalidCode`], [`PeopleError::Identity`] with what is wrong with the code,
    /// [`PeopleError::EmailTaken`], or something failed.
    pub async fn confirm_email_change(
        &self,
        code: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let MailedCode { account_id, code } =
            MailedCode::parse(code).ok_or(PeopleError::InvalidCode)?;
        let identity = self.identity(account_id).await?;
        let ask = Ask::ConfirmEmailChange { code_hash: code.hash() };
        if let Some(new) = &identity.new_email
            && is_good(&identity, CodePurpose::EmailChange, code.hash(), context.at_ms)
        {
            self.take_email(account_id, new.email_key, context).await?;
        }
        let changed = self.redeem(account_id, ask, "confirm change", context).await;
        // Also after a try that died behind the change, when the code is used up.
        let released = self.release_former_emails(account_id, context).await;
        let position = changed?;
        released?;
        if let Some(former) = identity.email.as_ref().and_then(Personal::known) {
            let message = mails::email_changed(&self.parts().settings, former);
            if let Err(error) = self.parts().mailer.send(&message, context.at_ms).await {
                tracing::warn!(%account_id, %error, "nobody was told that an address was changed");
            }
        }
        Ok(position)
    }

    /// Claims an address and keeps it for good; a code came back from it.
    async fn take_email(
        &self,
        account_id: AccountId,
        email_key: EmailKey,
        context: &Context,
    ) -> Outcome<()> {
        let at_ms = context.at_ms;
        let claim = Command::Claim { email_key, account_id, at_ms };
        self.ask_email(email_key, claim, "claim", context).await?;
        let confirm = Command::Confirm { email_key, account_id, at_ms };
        self.ask_email(email_key, confirm, "confirm", context).await?;
        Ok(())
    }

    /// Gives up every address that the account ever had and does not have any more.
    async fn release_former_emails(&self, account_id: AccountId, context: &Context) -> Outcome<()> {
        let current = self.identity(account_id).await?.email_key;
        let keys = self.keys_ever_held(account_id).await?;
        let former = keys.emails.into_iter().filter(|key| Some(*key) != current);
        for email_key in former {
            self.release(account_id, email_key, context).await?;
        }
        Ok(())
    }

    /// Gives an address up, if the account has it.
    pub(super) async fn release(
        &self,
        account_id: AccountId,
        email_key: EmailKey,
        context: &Context,
    ) -> Outcome<()> {
        let command = Command::Release { email_key, account_id, at_ms: context.at_ms };
        let name = format!("release {email_key}");
        self.ask_email(email_key, command, &name, context).await.map(|_| ())
    }

    /// All that the account ever claimed, from its events: the identity's state keeps only the last
    /// address, and forgets outside identities with the person.
    pub(super) async fn keys_ever_held(&self, account_id: AccountId) -> Outcome<KeysEverHeld> {
        let mut held = KeysEverHeld::default();
        for event in self.identity_events(account_id).await? {
            match event {
                identity::Event::Registered(it) => held.address(it.email_key, it.email),
                identity::Event::EmailChangeRequested(it) => held.address(it.email_key, it.email),
                identity::Event::EmailChanged(it) => held.address(it.email_key, it.email),
                identity::Event::OutsideIdentityLinked(linked) => {
                    held.subjects.push(linked.subject_key);
                }
                _ => {}
            }
        }
        held.emails.sort_unstable();
        held.emails.dedup();
        Ok(held)
    }
}

/// What an account ever claimed.
#[derive(Debug, Default)]
pub(super) struct KeysEverHeld {
    pub(super) emails: Vec<EmailKey>,
    /// The addresses themselves, as long as they can be read.
    pub(super) addresses: Vec<String>,
    pub(super) subjects: Vec<playhead_domain::SubjectKey>,
}

impl KeysEverHeld {
    fn address(&mut self, key: EmailKey, address: Personal<String>) {
        self.emails.push(key);
        if let Personal::Known(address) = address {
            self.addresses.push(address);
        }
    }
}
