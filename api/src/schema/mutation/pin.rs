//! The PINs of profiles.

use async_graphql::{Context, Error, ID, InputObject, Object};
use playhead_domain::{AccountId, ProfileId};

use super::account_right::account_right;
use super::{Outcome, payload};
use crate::caller::Caller;
use crate::errors::{Fault, Refusal, of_people};
use crate::global_id;
use crate::idempotency::Intention;
use crate::schema::profile::Profile;
use crate::schema::viewer::account_state;

/// Gives a profile a PIN, or another one.
#[derive(InputObject)]
pub(crate) struct SetProfilePinInput {
    /// Which profile.
    profile_id: ID,
    /// The PIN: 4 digits.
    pin: String,
    /// The account's password. Needed to replace a PIN, unless somebody signed in within the last
    /// five minutes.
    account_password: Option<String>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Takes a profile's PIN away.
#[derive(InputObject)]
pub(crate) struct RemoveProfilePinInput {
    /// Which profile.
    profile_id: ID,
    /// The account's password. Needed unless somebody signed in within the last five minutes.
    account_password: Option<String>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of setting a PIN.
    SetProfilePinPayload {
        /// The profile as it is now.
        profile: Profile
    }
}
payload! {
    /// What came of removing a PIN.
    RemoveProfilePinPayload {
        /// The profile as it is now.
        profile: Profile
    }
}

/// The PINs of profiles.
#[derive(Default)]
pub(crate) struct PinMutation;

#[Object]
impl PinMutation {
    /// Gives a profile a PIN, which is asked for whenever something is played with it; or another
    /// one, which needs the account's password or a sign-in within the last five minutes.
    async fn set_profile_pin(
        &self,
        context: &Context<'_>,
        input: SetProfilePinInput,
    ) -> Result<Option<SetProfilePinPayload>, Error> {
        let caller = Caller::of(context)?;
        let key = input.idempotency_key.as_deref();
        let password = input.account_password.as_deref();
        let asked = ask(caller, "setProfilePin", key, &input.profile_id, password).await?;
        let Asked { account_id, profile_id, account_right, intention } = match asked {
            Ok(asked) => asked,
            Err(refused) => return Ok(refused.into()),
        };
        let people = &caller.services.people;
        let set =
            people.set_pin(account_id, profile_id, &input.pin, account_right, &intention.context);
        Ok(outcome(caller, account_id, profile_id, set.await).await?.into())
    }

    /// Takes a profile's PIN away. Needs the account's password or a sign-in within the last five
    /// minutes.
    async fn remove_profile_pin(
        &self,
        context: &Context<'_>,
        input: RemoveProfilePinInput,
    ) -> Result<Option<RemoveProfilePinPayload>, Error> {
        let caller = Caller::of(context)?;
        let key = input.idempotency_key.as_deref();
        let password = input.account_password.as_deref();
        let asked = ask(caller, "removeProfilePin", key, &input.profile_id, password).await?;
        let Asked { account_id, profile_id, account_right, intention } = match asked {
            Ok(asked) => asked,
            Err(refused) => return Ok(refused.into()),
        };
        let people = &caller.services.people;
        let removed = people.remove_pin(account_id, profile_id, account_right, &intention.context);
        Ok(outcome(caller, account_id, profile_id, removed.await).await?.into())
    }
}

/// Something is asked about the PIN of a profile that there is.
struct Asked {
    account_id: AccountId,
    profile_id: ProfileId,
    account_right: bool,
    intention: Intention,
}

async fn ask(
    caller: &Caller,
    mutation: &str,
    key: Option<&str>,
    profile_id: &ID,
    password: Option<&str>,
) -> Result<Result<Asked, Outcome<Profile>>, Fault> {
    let account_id = caller.account_id()?;
    let intention = Intention::of(caller, account_id, mutation, key)?;
    let state = account_state(caller, account_id).await?;
    let profile_id = global_id::profile_of(account_id, profile_id);
    let Some(profile_id) = profile_id.filter(|id| state.profiles.contains_key(id)) else {
        return Ok(Err(Outcome::refused(Refusal::unknown_profile(), account_id)));
    };
    Ok(match account_right(caller, password).await? {
        Ok(account_right) => Ok(Asked { account_id, profile_id, account_right, intention }),
        Err(refusal) => Err(Outcome::refused(refusal, account_id)),
    })
}

async fn outcome(
    caller: &Caller,
    account_id: AccountId,
    profile_id: ProfileId,
    done: Result<Option<playhead_commands::Position>, playhead_commands::people::PeopleError>,
) -> Result<Outcome<Profile>, Fault> {
    let position = match done {
        Ok(position) => position,
        Err(error) => {
            let refusal = of_people(error, caller.correlation_id)?;
            return Ok(Outcome::refused(refusal, account_id));
        }
    };
    let state = account_state(caller, account_id).await?;
    let profile = Profile::of(account_id, profile_id, &state, caller.now_ms);
    Ok(Outcome::done(profile, position))
}
