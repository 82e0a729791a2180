//! Signing in with an identity provider.

use playhead_domain::email::Command;
use playhead_domain::identity::{Ask, Status};
use playhead_domain::ids::EmailKey;
use playhead_domain::sign_in::Method;
use playhead_domain::{AccountId, DeviceId, SignInId, SubjectKey};
use playhead_identity::oidc::{OutsideIdentity, OutsideIssuer};

use super::sign_in::Wanted;
use super::{Admission, Outcome, People, PeopleError, Tokens};
use crate::context::Context;
use crate::handler::Position;

/// Somebody signed in with an identity provider and wants to sign in here.
#[derive(Clone)]
pub struct OutsideSignIn {
    /// The provider, as it stands in its tokens.
    pub issuer: String,
    /// The ID token (OpenID Connect Core 1.0).
    pub id_token: String,
    /// The account that begins if the person has none.
    pub new_account_id: AccountId,
    /// The new sign-in.
    pub sign_in_id: SignInId,
    /// The device.
    pub device_id: DeviceId,
}

/// Somebody who signed in with an identity provider.
#[derive(Debug, Clone)]
pub struct SignedInOutside {
    /// What the device carries from now on.
    pub tokens: Tokens,
    /// Whether the account began with it.
    pub is_new: bool,
}

impl People {
    /// Signs in the account that is linked to a person at an identity provider. If there is none,
    /// one begins, with the address that the provider vouches for. An account that has the address
    /// already is not taken over: its owner signs in to it and
    /// [links](People::link_outside_identity) the provider. One whose address nobody has proven yet
    /// is: the provider's word proves it, and the password that was given for it is dropped.
    ///
    /// # Errors
    /// [`PeopleError::UnknownIssuer`], [`PeopleError::Outside`],
    /// [`PeopleError::OutsideEmailNeeded`], [`PeopleError::OutsideEmailTaken`],
    /// [`PeopleError::AccountNotActive`], [`PeopleError::DeviceRemoved`],
    /// [`PeopleError::Repeated`], or something failed.
    pub async fn sign_in_outside(
        &self,
        wish: OutsideSignIn,
        context: &Context,
    ) -> Outcome<SignedInOutside> {
        let person = self.person(&wish.issuer, &wish.id_token, context.at_ms).await?;
        let subject_key = self.subject_key(&person.issuer, &person.subject);
        let claim_key = claim_key(subject_key);
        let holder = self.commands().emails.state(&claim_key).await?.account_id();
        let linked = match holder {
            Some(account_id) if self.is_linked(account_id, subject_key).await? => Some(account_id),
            _ => None,
        };
        let account_id = match linked {
            Some(account_id) => account_id,
            None => {
                // An account that began to be linked and was not is gone on with.
                let new_account_id = holder.unwrap_or(wish.new_account_id);
                self.join(new_account_id, &person, subject_key, context).await?
            }
        };
        let wanted = Wanted {
            account_id,
            sign_in_id: wish.sign_in_id,
            device_id: wish.device_id,
            method: Method::OutsideIdentity,
        };
        Ok(SignedInOutside { tokens: self.begin(wanted, context).await?, is_new: linked.is_none() })
    }

    /// Lets a person at an identity provider sign in to an account that its owner is signed in to.
    ///
    /// # Errors
    /// [`PeopleError::UnknownIssuer`], [`PeopleError::Outside`], [`PeopleError::OutsideTaken`],
    /// [`PeopleError::Identity`], or something failed.
    pub async fn link_outside_identity(
        &self,
        account_id: AccountId,
        issuer: &str,
        id_token: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let person = self.person(issuer, id_token, context.at_ms).await?;
        let subject_key = self.subject_key(&person.issuer, &person.subject);
        self.claim_subject(account_id, subject_key, context).await?;
        self.link(account_id, &person.issuer, subject_key, context).await
    }

    async fn person(&self, issuer: &str, id_token: &str, at_ms: i64) -> Outcome<OutsideIdentity> {
        let trusted = &self.parts().outside_issuers;
        let issuer = trusted.iter().find(|trusted| OutsideIssuer::issuer(trusted) == issuer);
        Ok(issuer.ok_or(PeopleError::UnknownIssuer)?.verify(id_token, at_ms).await?)
    }

    /// Begins an account for a person whom a provider vouches for.
    async fn join(
        &self,
        account_id: AccountId,
        person: &OutsideIdentity,
        subject_key: SubjectKey,
        context: &Context,
    ) -> Outcome<AccountId> {
        let email = person.email.clone().filter(|_| person.email_verified);
        let email = email.ok_or(PeopleError::OutsideEmailNeeded)?;
        // Refused before the person is claimed, because then nothing must be left behind.
        let held = self.commands().emails.state(&self.email_key(&email)).await?;
        let account_id = match held.account_id() {
            Some(holder) if holder != account_id => {
                if self.identity(holder).await?.status() != Some(Status::PendingVerification) {
                    return Err(PeopleError::OutsideEmailTaken);
                }
                holder
            }
            _ => account_id,
        };
        self.claim_subject(account_id, subject_key, context).await?;
        let admission = Admission { account_id, email, password: None };
        match self.admit(admission, context).await {
            Ok(_) => {}
            Err(PeopleError::EmailTaken) => {
                // Somebody was faster. The person stays free to be linked to that account.
                self.release(account_id, claim_key(subject_key), context).await?;
                return Err(PeopleError::OutsideEmailTaken);
            }
            Err(error) => return Err(error),
        }
        self.link(account_id, &person.issuer, subject_key, context).await?;
        Ok(account_id)
    }

    async fn is_linked(&self, account_id: AccountId, subject_key: SubjectKey) -> Outcome<bool> {
        let identity = self.identity(account_id).await?;
        let linked = identity.outside_identities.iter().any(|of| of.subject_key == subject_key);
        Ok(linked)
    }

    /// Of two accounts that want to be linked to one person, one wins.
    async fn claim_subject(
        &self,
        account_id: AccountId,
        subject_key: SubjectKey,
        context: &Context,
    ) -> Outcome<()> {
        let (email_key, at_ms) = (claim_key(subject_key), context.at_ms);
        let taken = |error| match error {
            PeopleError::EmailTaken => PeopleError::OutsideTaken,
            other => other,
        };
        let claim = Command::Claim { email_key, account_id, at_ms };
        self.ask_email(email_key, claim, "claim subject", context).await.map_err(taken)?;
        let confirm = Command::Confirm { email_key, account_id, at_ms };
        self.ask_email(email_key, confirm, "confirm subject", context).await.map_err(taken)?;
        Ok(())
    }

    async fn link(
        &self,
        account_id: AccountId,
        issuer: &str,
        subject_key: SubjectKey,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let issuer = issuer.to_owned();
        let ask = Ask::LinkOutsideIdentity { issuer, subject_key };
        Ok(self.ask(account_id, ask, "link", context).await?.position)
    }
}

/// A person at a provider is claimed like an address: both are something that one account has, and
/// the keys of both are keyed hashes under labels of their own, so that they never meet.
pub(super) fn claim_key(subject_key: SubjectKey) -> EmailKey {
    EmailKey(subject_key.0)
}
