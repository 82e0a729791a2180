//! What operators do to accounts. Nothing personal is shown to them.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use playhead_commands::Position;
use playhead_commands::people::PeopleError;
use playhead_domain::AccountId;

use super::errand::Errand;
use super::{Outcome, payload};
use crate::caller::Caller;
use crate::errors::{ErrorCode, Fault, Refusal};
use crate::global_id::GlobalId;
use crate::schema::me::{AccountStatus, Role};

/// Locks an account.
#[derive(InputObject)]
pub(crate) struct SuspendAccountInput {
    /// The global id of the account.
    account_id: ID,
    /// Why, 1 to 200 characters.
    reason: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Unlocks an account.
#[derive(InputObject)]
pub(crate) struct ReinstateAccountInput {
    /// The global id of the account.
    account_id: ID,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Lets an account do more.
#[derive(InputObject)]
pub(crate) struct GrantRoleInput {
    /// The global id of the account.
    account_id: ID,
    /// The role.
    role: Role,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Lets an account do less.
#[derive(InputObject)]
pub(crate) struct RevokeRoleInput {
    /// The global id of the account.
    account_id: ID,
    /// The role.
    role: Role,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// An account as operators see it.
#[derive(SimpleObject)]
pub(crate) struct OperatedAccount {
    /// The global id of the account.
    id: ID,
    /// How it stands.
    status: AccountStatus,
    /// What it may do.
    roles: Vec<Role>,
}

payload! {
    /// What came of locking an account.
    SuspendAccountPayload {
        /// The account.
        account: OperatedAccount
    }
}
payload! {
    /// What came of unlocking an account.
    ReinstateAccountPayload {
        /// The account.
        account: OperatedAccount
    }
}
payload! {
    /// What came of letting an account do more.
    GrantRolePayload {
        /// The account.
        account: OperatedAccount
    }
}
payload! {
    /// What came of letting an account do less.
    RevokeRolePayload {
        /// The account.
        account: OperatedAccount
    }
}

/// What operators do to accounts.
#[derive(Default)]
pub(crate) struct OperatorMutation;

#[Object]
impl OperatorMutation {
    /// Locks an account; all its sign-ins are over. Needs the role operator.
    async fn suspend_account(
        &self,
        context: &Context<'_>,
        input: SuspendAccountInput,
    ) -> Result<Option<SuspendAccountPayload>, Error> {
        let SuspendAccountInput { account_id, reason, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::of_operator(caller, "suspendAccount", idempotency_key)?;
        let Some(id) = account(&account_id) else { return Ok(unknown(&errand).into()) };
        let done = errand.people().suspend(id, reason, errand.context()).await;
        Ok(operated(&errand, id, done).await?.into())
    }

    /// Unlocks an account. Needs the role operator.
    async fn reinstate_account(
        &self,
        context: &Context<'_>,
        input: ReinstateAccountInput,
    ) -> Result<Option<ReinstateAccountPayload>, Error> {
        let ReinstateAccountInput { account_id, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::of_operator(caller, "reinstateAccount", idempotency_key)?;
        let Some(id) = account(&account_id) else { return Ok(unknown(&errand).into()) };
        let done = errand.people().reinstate(id, errand.context()).await;
        Ok(operated(&errand, id, done).await?.into())
    }

    /// Lets an account do more; its access tokens say so from the next refresh on. Needs the role
    /// operator.
    async fn grant_role(
        &self,
        context: &Context<'_>,
        input: GrantRoleInput,
    ) -> Result<Option<GrantRolePayload>, Error> {
        let GrantRoleInput { account_id, role, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::of_operator(caller, "grantRole", idempotency_key)?;
        let Some(id) = account(&account_id) else { return Ok(unknown(&errand).into()) };
        let done = errand.people().grant_role(id, role.into(), errand.context()).await;
        Ok(operated(&errand, id, done).await?.into())
    }

    /// Lets an account do less; access tokens that say otherwise are good for up to ten minutes.
    /// Needs the role operator.
    async fn revoke_role(
        &self,
        context: &Context<'_>,
        input: RevokeRoleInput,
    ) -> Result<Option<RevokeRolePayload>, Error> {
        let RevokeRoleInput { account_id, role, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::of_operator(caller, "revokeRole", idempotency_key)?;
        let Some(id) = account(&account_id) else { return Ok(unknown(&errand).into()) };
        let done = errand.people().revoke_role(id, role.into(), errand.context()).await;
        Ok(operated(&errand, id, done).await?.into())
    }
}

fn account(id: &ID) -> Option<AccountId> {
    match GlobalId::parse(id)? {
        GlobalId::Account(account_id) => Some(account_id),
        GlobalId::Profile(..) | GlobalId::Title(_) => None,
    }
}

fn unknown(errand: &Errand<'_>) -> Outcome<OperatedAccount> {
    errand.refuse(Refusal::plain(ErrorCode::UnknownAccount, "there is no such account"))
}

async fn operated(
    errand: &Errand<'_>,
    account_id: AccountId,
    done: Result<Option<Position>, PeopleError>,
) -> Result<Outcome<OperatedAccount>, Fault> {
    let identity = errand.people().identity(account_id).await;
    let identity = identity.map_err(|error| errand.caller.fault(error))?;
    let account = identity.status().map(|status| OperatedAccount {
        id: GlobalId::Account(account_id).into(),
        status: status.into(),
        roles: identity.roles.iter().map(|role| (*role).into()).collect(),
    });
    errand.voided(done, account).await
}
