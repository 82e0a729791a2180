//! What can be done to an account and its profiles.

use async_graphql::{Context, Error, ID, InputObject, Object};
use playhead_domain::account::{Account as Rules, Command, Profile as Settings, State};
use playhead_domain::{AccountId, ProfileId};

use super::account_right::account_right;
use super::{Outcome, Run, payload};
use crate::caller::Caller;
use crate::errors::{Fault, Refusal};
use crate::global_id;
use crate::idempotency::Intention;
use crate::schema::account::Account;
use crate::schema::preferences::{Named, ProfileSettingsInput};
use crate::schema::profile::Profile;
use crate::schema::viewer::account_state;

/// Opens the account that the access token names.
#[derive(Debug, Default, InputObject)]
pub(crate) struct OpenAccountInput {
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Adds a profile.
#[derive(InputObject)]
pub(crate) struct AddProfileInput {
    /// The name on the profile picker, 1 to 40 characters; unique in the account.
    name: String,
    /// The language of texts, as a BCP 47 tag.
    #[graphql(default_with = "\"en\".to_owned()")]
    language: String,
    /// Whether a child uses it.
    #[graphql(default)]
    kids: bool,
    #[graphql(flatten)]
    settings: ProfileSettingsInput,
    /// The account's password. Needed to add a profile that is freer than another one, unless
    /// somebody signed in within the last five minutes.
    account_password: Option<String>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Changes a profile; what is left out stays as it is.
#[derive(InputObject)]
pub(crate) struct ChangeProfileInput {
    /// Which one.
    profile_id: ID,
    /// The name on the profile picker, 1 to 40 characters; unique in the account.
    name: Option<String>,
    /// The language of texts, as a BCP 47 tag.
    language: Option<String>,
    /// Whether a child uses it.
    kids: Option<bool>,
    #[graphql(flatten)]
    settings: ProfileSettingsInput,
    /// The account's password. Needed to lift limits, unless somebody signed in within the last
    /// five minutes.
    account_password: Option<String>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Removes a profile.
#[derive(InputObject)]
pub(crate) struct RemoveProfileInput {
    /// Which one.
    profile_id: ID,
    /// The account's password. Needed if the profile has limits or a PIN, unless somebody signed in
    /// within the last five minutes.
    account_password: Option<String>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of opening an account.
    OpenAccountPayload {
        /// The account.
        account: Account
    }
}
payload! {
    /// What came of adding a profile.
    AddProfilePayload {
        /// The new profile.
        profile: Profile
    }
}
payload! {
    /// What came of changing a profile.
    ChangeProfilePayload {
        /// The profile as it is now.
        profile: Profile
    }
}
payload! {
    /// What came of removing a profile.
    RemoveProfilePayload {
        /// The id of the profile that is gone.
        profile_id: ID
    }
}

/// What can be done to an account and its profiles.
#[derive(Default)]
pub(crate) struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Opens the account that the access token names. An open account stays open.
    async fn open_account(
        &self,
        context: &Context<'_>,
        input: Option<OpenAccountInput>,
    ) -> Result<Option<OpenAccountPayload>, Error> {
        let input = input.unwrap_or_default();
        let caller = Caller::of(context)?;
        let run = run(caller, "openAccount", input.idempotency_key)?;
        let account_id = run.account_id;
        let command = Command::Open { account_id, at_ms: caller.now_ms };
        Ok(run.run(&command, |_| Some(Account::new(account_id))).await?.into())
    }

    /// Adds a profile; an account has at most 5.
    async fn add_profile(
        &self,
        context: &Context<'_>,
        input: AddProfileInput,
    ) -> Result<Option<AddProfilePayload>, Error> {
        Ok(add_profile(Caller::of(context)?, input).await?.into())
    }

    /// Changes a profile; what is left out stays as it is. Limits are lifted only by who has the
    /// account's password or has just signed in.
    async fn change_profile(
        &self,
        context: &Context<'_>,
        input: ChangeProfileInput,
    ) -> Result<Option<ChangeProfilePayload>, Error> {
        Ok(change_profile(Caller::of(context)?, input).await?.into())
    }

    /// Removes a profile.
    async fn remove_profile(
        &self,
        context: &Context<'_>,
        input: RemoveProfileInput,
    ) -> Result<Option<RemoveProfilePayload>, Error> {
        Ok(remove_profile(Caller::of(context)?, input).await?.into())
    }
}

async fn add_profile(caller: &Caller, input: AddProfileInput) -> Result<Outcome<Profile>, Fault> {
    let AddProfileInput { name, language, kids, settings, account_password, idempotency_key } =
        input;
    let run = run(caller, "addProfile", idempotency_key)?;
    let account_id = run.account_id;
    let account_right = match account_right(caller, account_password.as_deref()).await? {
        Ok(account_right) => account_right,
        Err(refusal) => return Ok(Outcome::refused(refusal, account_id)),
    };
    let profile = match settings.set(Named::default(), Settings::new(name, language, kids)) {
        Ok(profile) => profile,
        Err(invalid) => return Ok(Outcome::refused(invalid, account_id)),
    };
    let profile_id = ProfileId(run.intention.new_id);
    let at_ms = caller.now_ms;
    let command = Command::AddProfile { account_id, profile_id, profile, account_right, at_ms };
    run.run(&command, |state: &State| Profile::of(account_id, profile_id, state, at_ms)).await
}

async fn change_profile(
    caller: &Caller,
    input: ChangeProfileInput,
) -> Result<Outcome<Profile>, Fault> {
    let run = run(caller, "changeProfile", input.idempotency_key)?;
    let account_id = run.account_id;
    let state = account_state(caller, account_id).await?;
    let known = global_id::profile_of(account_id, &input.profile_id)
        .and_then(|id| state.profiles.get(&id).map(|profile| (id, profile.clone())));
    let Some((profile_id, before)) = known else {
        return Ok(Outcome::refused(Refusal::unknown_profile(), account_id));
    };
    let account_right = match account_right(caller, input.account_password.as_deref()).await? {
        Ok(account_right) => account_right,
        Err(refusal) => return Ok(Outcome::refused(refusal, account_id)),
    };
    let named = Named { name: input.name, language: input.language, kids: input.kids };
    let profile = match input.settings.set(named, before) {
        Ok(profile) => profile,
        Err(invalid) => return Ok(Outcome::refused(invalid, account_id)),
    };
    let at_ms = caller.now_ms;
    let command = Command::ChangeProfile { account_id, profile_id, profile, account_right, at_ms };
    run.run(&command, |state| Profile::of(account_id, profile_id, state, at_ms)).await
}

async fn remove_profile(caller: &Caller, input: RemoveProfileInput) -> Result<Outcome<ID>, Fault> {
    let run = run(caller, "removeProfile", input.idempotency_key)?;
    let account_id = run.account_id;
    let known = account_state(caller, account_id).await?;
    let profile_id = global_id::profile_of(account_id, &input.profile_id);
    let Some(profile_id) = profile_id.filter(|id| known.profiles.contains_key(id)) else {
        // The same command again is done; otherwise it is as if the profile were somebody else's.
        let removed = run.intention.recorded::<Rules>(caller, &account_id).await?;
        return Ok(match removed {
            Some(position) => Outcome::done(Some(input.profile_id), Some(position)),
            None => Outcome::refused(Refusal::unknown_profile(), account_id),
        });
    };
    let account_right = match account_right(caller, input.account_password.as_deref()).await? {
        Ok(account_right) => account_right,
        Err(refusal) => return Ok(Outcome::refused(refusal, account_id)),
    };
    let at_ms = caller.now_ms;
    let command = Command::RemoveProfile { account_id, profile_id, account_right, at_ms };
    run.run(&command, |_| Some(input.profile_id)).await
}

/// A command of the calling account, to its own stream.
fn run<'a>(
    caller: &'a Caller,
    mutation: &str,
    key: Option<String>,
) -> Result<Run<'a, Rules>, Fault> {
    let account_id: AccountId = caller.account_id()?;
    let intention = Intention::of(caller, account_id, mutation, key.as_deref())?;
    let handler = &caller.services.commands.accounts;
    Ok(Run { caller, account_id, handler, id: account_id, intention })
}
