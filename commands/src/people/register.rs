//! Registering: claim the address, begin the identity, send a code.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playhead_domain::identity::{
    Ask, CodePurpose, ConsentPurpose, Registration, VERIFICATION_MAX_MS,
};
use playhead_domain::identity::{CODE_PAUSE_MS, State, Status};
use playhead_domain::ids::EmailKey;
use playhead_domain::values::check;
use playhead_domain::{AccountId, Personal, email};
use playhead_identity::one_time_code::OneTimeCode;
use playhead_identity::password::check_new_password;
use serde::{Deserialize, Serialize};

use super::mails::Counting;
use super::{Outcome, People, PeopleError, mails};
use crate::context::Context;
use crate::handler::Position;

/// Somebody wants an account.
#[derive(Clone, Serialize, Deserialize)]
pub struct Register {
    /// The new account.
    pub account_id: AccountId,
    /// The address, as it was typed.
    pub email: String,
    /// The password.
    pub password: String,
    /// The uses of data that the person allows, each with the version of the text that was shown.
    pub consents: Vec<(ConsentPurpose, u32)>,
}

/// Somebody gets an account whose address needs no code, because somebody else vouches for it: an
/// identity provider, or an operator.
#[derive(Clone)]
pub struct Admission {
    /// The new account.
    pub account_id: AccountId,
    /// The address.
    pub email: String,
    /// The password; without one only identity providers and other devices sign the account in.
    pub password: Option<String>,
}

impl People {
    /// Opens an account that waits for its address to be verified, and sends the code for that.
    ///
    /// The answer is the same if the address has an account already. If that is verified, a mail goes
    /// there which says so, at most once a minute, and nothing is recorded. If it is not, nobody
    /// knows who came first: each registration is mailed a code of its own, and the password counts
    /// whose code comes back. The pause between mails holds only for the same password again, since
    /// nothing is lost then; [`REGISTRATIONS_MAX`](playhead_domain::identity::REGISTRATIONS_MAX)
    /// limits the others. Of any number of people who register one address at the same moment, one
    /// gets the account.
    ///
    /// If it fails half-way, the same command again goes on where it was, and mails the same code.
    ///
    /// # Errors
    /// [`PeopleError::Invalid`], or something failed.
    pub async fn register(&self, wish: Register, context: &Context) -> Outcome<()> {
        let wish = Register { email: email::normalized(&wish.email), ..wish };
        check_email(&wish.email)?;
        check_new_password(&wish.password, &wish.email)?;
        // Before the address is looked up, so that the work is the same.
        let password_hash = self.parts().passwords.hash(&wish.password).await?;
        let (account_id, at_ms) = (wish.account_id, context.at_ms);
        let email_key = self.email_key(&wish.email);
        let claim = email::Command::Claim { email_key, account_id, at_ms };
        match self.ask_email(email_key, claim, "claim", context).await {
            Ok(_) => {}
            Err(PeopleError::EmailTaken) => {
                return self.register_again(email_key, wish, password_hash, context).await;
            }
            Err(error) => return Err(error),
        }
        let code = self.code_of("verification", account_id, context)?;
        let registration = registration(email_key, &wish.email, Some(password_hash), &code, at_ms);
        let ask = Ask::Register(registration);
        let identity = match self.ask(account_id, ask, "register", context).await {
            Ok(asked) => asked.state,
            // Others registered it too, and too often.
            Err(PeopleError::Identity(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        for (index, (purpose, policy_version)) in wish.consents.into_iter().enumerate() {
            let ask = Ask::GiveConsent { purpose, policy_version };
            self.ask(account_id, ask, &format!("consent {index}"), context).await?;
        }
        self.tell_code(&identity, account_id, &wish.email, &code, at_ms).await
    }

    /// Registers an address that another registration has. Uses of data are not allowed with it:
    /// the account can have been begun by somebody else.
    async fn register_again(
        &self,
        email_key: EmailKey,
        wish: Register,
        password_hash: String,
        context: &Context,
    ) -> Outcome<()> {
        let at_ms = context.at_ms;
        let held = self.commands().emails.state(&email_key).await?;
        // Given up just now: as good as taken.
        let Some(account_id) = held.account_id() else { return Ok(()) };
        let identity = self.identity(account_id).await?;
        // Without a status the other registration is half-way, and this one may be the first.
        if !matches!(identity.status(), None | Some(Status::PendingVerification)) {
            return self.tell_taken(email_key, &wish.email, at_ms).await;
        }
        let code = self.code_of("verification", account_id, context)?;
        if !is_current(&identity, &code)
            && let Some(last) = identity.codes.get(&CodePurpose::Verification)
            && is_paused(Some(last.sent_at_ms), at_ms)
            && let Some(Personal::Known(stored)) = &last.password_hash
            && self.parts().passwords.verify(Some(stored), &wish.password).await?
        {
            return Ok(());
        }
        let registration = registration(email_key, &wish.email, Some(password_hash), &code, at_ms);
        let ask = Ask::Register(registration);
        match self.ask(account_id, ask, "register again", context).await {
            Ok(asked) => {
                // To the address of the account: another mailbox may be spelled as this one was.
                let address = asked.state.email.as_ref().and_then(Personal::known);
                let address = address.unwrap_or(&wish.email);
                self.tell_code(&asked.state, account_id, address, &code, at_ms).await
            }
            // Registered too often: the last mail has a code that is for no password.
            Err(PeopleError::Identity(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Mails the code of a registration, unless it was used or mailed a moment ago.
    async fn tell_code(
        &self,
        identity: &State,
        account_id: AccountId,
        address: &str,
        code: &OneTimeCode,
        at_ms: i64,
    ) -> Outcome<()> {
        let told = &self.shared.told_code;
        if !is_current(identity, code) || is_paused(told.get(&code.hash()), at_ms) {
            return Ok(());
        }
        self.send_verification(identity, account_id, address, code, at_ms).await?;
        told.insert(code.hash(), at_ms);
        Ok(())
    }

    /// Sends the code for a new account again, if the address belongs to one that waits for it, and
    /// the last one was sent more than a minute ago. The answer is the same if not.
    ///
    /// # Errors
    /// Something failed.
    pub async fn resend_verification(&self, address: &str, context: &Context) -> Outcome<()> {
        let held = self.commands().emails.state(&self.email_key(address)).await?;
        match held.account_id() {
            Some(account_id) => self.renew_verification(account_id, context).await,
            None => Ok(()),
        }
    }

    /// Opens an account whose address is known to be the person's. Nothing is mailed. It is active,
    /// and its household open, when answered.
    ///
    /// # Errors
    /// [`PeopleError::EmailTaken`], [`PeopleError::Invalid`], or something failed.
    pub async fn admit(
        &self,
        admission: Admission,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let admission = Admission { email: email::normalized(&admission.email), ..admission };
        check_email(&admission.email)?;
        let password_hash = match &admission.password {
            Some(password) => {
                check_new_password(password, &admission.email)?;
                Some(self.parts().passwords.hash(password).await?)
            }
            None => None,
        };
        let (account_id, at_ms) = (admission.account_id, context.at_ms);
        let email_key = self.email_key(&admission.email);
        let claim = email::Command::Claim { email_key, account_id, at_ms };
        self.ask_email(email_key, claim, "claim", context).await?;
        let code = self.admission_code(account_id)?;
        let registration = registration(email_key, &admission.email, password_hash, &code, at_ms);
        let ask = Ask::Register(registration);
        let identity = self.ask(account_id, ask, "register", context).await?.state;
        let ask = if is_current(&identity, &code) {
            Ask::VerifyEmail { code_hash: code.hash() }
        } else {
            // It began by registering, with a code that was mailed.
            Ask::Vouch
        };
        self.verify_with(account_id, email_key, ask, context).await
    }

    /// The code of an account that somebody vouches for is not mailed, and the same each time, so
    /// that an admission that died half-way can be gone on with.
    fn admission_code(&self, account_id: AccountId) -> Outcome<OneTimeCode> {
        let secret = self.parts().vault.blind_index("admission", &account_id.to_string());
        OneTimeCode::parse(&URL_SAFE_NO_PAD.encode(secret)).ok_or(PeopleError::InvalidCode)
    }

    async fn renew_verification(&self, account_id: AccountId, context: &Context) -> Outcome<()> {
        let identity = self.identity(account_id).await?;
        let address = identity.email.as_ref().and_then(Personal::known);
        let (Some(Status::PendingVerification), Some(address)) = (identity.status(), address)
        else {
            return Ok(());
        };
        let code = self.code_of("renewed verification", account_id, context)?;
        let ask = Ask::ResendVerification {
            verification_hash: code.hash(),
            verification_expires_at_ms: context.at_ms.saturating_add(VERIFICATION_MAX_MS),
        };
        match self.ask(account_id, ask, "renew", context).await {
            Ok(renewed) if is_current(&renewed.state, &code) => {
                let state = &renewed.state;
                self.send_verification(state, account_id, address, &code, context.at_ms).await
            }
            // The same command, whose first mail may not have gone out.
            Err(PeopleError::Identity(_)) if is_current(&identity, &code) => {
                self.send_verification(&identity, account_id, address, &code, context.at_ms).await
            }
            // Verified, suspended or told a moment ago: whoever asks does not learn it.
            Ok(_) | Err(PeopleError::Identity(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn send_verification(
        &self,
        identity: &State,
        account_id: AccountId,
        address: &str,
        code: &OneTimeCode,
        at_ms: i64,
    ) -> Outcome<()> {
        let sent = identity.code(CodePurpose::Verification, code.hash());
        let password = match (identity.contested, sent.is_some_and(|it| it.password_hash.is_some()))
        {
            (false, _) => Counting::Only,
            (true, true) => Counting::OfSeveral,
            (true, false) => Counting::None,
        };
        let settings = &self.parts().settings;
        let message = mails::verification(settings, address, account_id, code, password);
        Ok(self.parts().mailer.send(&message, at_ms).await?)
    }

    /// Tells the one who reads the mail of an address that it has an account.
    pub(super) async fn tell_taken(
        &self,
        email_key: EmailKey,
        typed: &str,
        at_ms: i64,
    ) -> Outcome<()> {
        let told = &self.shared.told_taken;
        if is_paused(told.get(&email_key), at_ms) {
            return Ok(());
        }
        told.insert(email_key, at_ms);
        let message = mails::already_registered(&self.parts().settings, typed);
        self.parts().mailer.send(&message, at_ms).await.inspect_err(|_| {
            // So that it can be tried again.
            told.remove(&email_key);
        })?;
        Ok(())
    }
}

/// Whether a mail went there less than a minute ago.
fn is_paused(told_ms: Option<i64>, at_ms: i64) -> bool {
    told_ms.is_some_and(|told_ms| at_ms.saturating_sub(told_ms) < CODE_PAUSE_MS)
}

pub(super) fn check_email(address: &str) -> Outcome<()> {
    let rule = "an e-mail address of at most 254 bytes, such as ana@example.org";
    Ok(check(email::is_address(address), "email", rule)?)
}

fn registration(
    email_key: EmailKey,
    address: &str,
    password_hash: Option<String>,
    code: &OneTimeCode,
    at_ms: i64,
) -> Registration {
    Registration {
        email: Personal::Known(address.to_owned()),
        email_key,
        password_hash: password_hash.map(Personal::Known),
        verification_hash: code.hash(),
        verification_expires_at_ms: at_ms.saturating_add(VERIFICATION_MAX_MS),
    }
}

fn is_current(identity: &State, code: &OneTimeCode) -> bool {
    let sent = identity.code(CodePurpose::Verification, code.hash());
    sent.is_some_and(|sent| code.matches(sent.hash))
}
