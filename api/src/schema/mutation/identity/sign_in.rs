//! Signing in and out.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use playhead_commands::people::{OutsideSignIn, PeopleError, SignInWish, Tokens};
use playhead_domain::{AccountId, DeviceId, SignInId};

use super::super::errand::Errand;
use super::super::{Outcome, payload};
use crate::caller::Caller;
use crate::errors::{ErrorCode, Fault, Refusal};
use crate::global_id::GlobalId;
use crate::limits::Act;
use crate::schema::me::Me;
use crate::schema::scalars::DateTime;

/// What a device id must be.
const DEVICE_ID: &str = "a UUID that the device chose when its app was installed";

/// Signs in with address and password.
#[derive(InputObject)]
pub(crate) struct SignInInput {
    /// The e-mail address, however it is spelled.
    email: String,
    /// The password.
    password: String,
    /// The id that the device chose when its app was installed, a UUID.
    device_id: ID,
    /// Names this command, 1 to 100 characters: sent again it is not done again, and no tokens are
    /// answered.
    idempotency_key: Option<String>,
}

/// Signs in with an identity provider.
#[derive(InputObject)]
pub(crate) struct SignInWithProviderInput {
    /// The provider: the `iss` of its tokens.
    issuer: String,
    /// The ID token (OpenID Connect Core 1.0).
    id_token: String,
    /// The id that the device chose when its app was installed, a UUID.
    device_id: ID,
    /// Names this command, 1 to 100 characters: sent again it is not done again, and no tokens are
    /// answered.
    idempotency_key: Option<String>,
}

/// Lets an identity provider sign in to the account.
#[derive(InputObject)]
pub(crate) struct LinkProviderInput {
    /// The provider: the `iss` of its tokens.
    issuer: String,
    /// The ID token (OpenID Connect Core 1.0).
    id_token: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Exchanges a refresh token.
#[derive(InputObject)]
pub(crate) struct RefreshSignInInput {
    /// The refresh token. It is good for one exchange; used twice it ends the sign-in.
    refresh_token: String,
    /// Names this command, 1 to 100 characters. Sent again it does not end the sign-in, and no
    /// tokens are answered.
    idempotency_key: Option<String>,
}

/// Signs out.
#[derive(Default, InputObject)]
pub(crate) struct SignOutInput {
    /// Which sign-in ends; that of the access token without an id.
    sign_in_id: Option<ID>,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Signs out everywhere.
#[derive(Default, InputObject)]
pub(crate) struct SignOutEverywhereInput {
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// What a device that is signed in carries.
#[derive(SimpleObject)]
pub(crate) struct SignInTokens {
    /// The global id of the account.
    account_id: ID,
    /// The sign-in.
    sign_in_id: ID,
    /// Says who calls, in the header Authorization: Bearer TOKEN.
    access_token: String,
    /// The first moment at which the access token is no longer valid.
    access_expires_at: DateTime,
    /// Exchanges for other tokens, once.
    refresh_token: String,
    /// The first moment at which the refresh token is no longer good.
    refresh_expires_at: DateTime,
    /// Whether the account began with this.
    new_account: bool,
}

impl SignInTokens {
    fn of(tokens: Tokens, new_account: bool) -> Self {
        Self {
            account_id: GlobalId::Account(tokens.account_id).into(),
            sign_in_id: ID(tokens.sign_in_id.to_string()),
            access_token: tokens.access_token,
            access_expires_at: DateTime(tokens.access_expires_at_ms),
            refresh_token: tokens.refresh_token,
            refresh_expires_at: DateTime(tokens.refresh_expires_at_ms),
            new_account,
        }
    }
}

payload! {
    /// What came of signing in.
    SignInPayload {
        /// What the device carries from now on.
        tokens: SignInTokens
    }
}
payload! {
    /// What came of signing in with an identity provider.
    SignInWithProviderPayload {
        /// What the device carries from now on.
        tokens: SignInTokens
    }
}
payload! {
    /// What came of linking an identity provider.
    LinkProviderPayload {
        /// The person behind the account.
        me: Me
    }
}
payload! {
    /// What came of exchanging a refresh token.
    RefreshSignInPayload {
        /// What the device carries from now on.
        tokens: SignInTokens
    }
}
payload! {
    /// What came of signing out.
    SignOutPayload {
        /// The sign-in that is over.
        sign_in_id: ID
    }
}
payload! {
    /// What came of signing out everywhere.
    SignOutEverywherePayload {
        /// The person behind the account.
        me: Me
    }
}

/// Signing in and out.
#[derive(Default)]
pub(crate) struct SignInMutation;

#[Object]
impl SignInMutation {
    /// Signs in with address and password. Which of them is wrong is not told.
    async fn sign_in(
        &self,
        context: &Context<'_>,
        input: SignInInput,
    ) -> Result<Option<SignInPayload>, Error> {
        Ok(Box::pin(sign_in(Caller::of(context)?, input)).await?.into())
    }

    /// Signs in with a token of an identity provider. A person who has no account gets one, with
    /// the address that the provider vouches for.
    async fn sign_in_with_provider(
        &self,
        context: &Context<'_>,
        input: SignInWithProviderInput,
    ) -> Result<Option<SignInWithProviderPayload>, Error> {
        Ok(Box::pin(sign_in_outside(Caller::of(context)?, input)).await?.into())
    }

    /// Lets a person at an identity provider sign in to the account.
    async fn link_provider(
        &self,
        context: &Context<'_>,
        input: LinkProviderInput,
    ) -> Result<Option<LinkProviderPayload>, Error> {
        let LinkProviderInput { issuer, id_token, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "linkProvider", idempotency_key)?;
        caller.count(Act::Login)?;
        let (people, account_id) = (errand.people(), errand.account_id);
        let linked = people.link_outside_identity(account_id, &issuer, &id_token, errand.context());
        let linked = Box::pin(linked).await;
        Ok(errand.done(linked, Me::load(caller, account_id).await?)?.into())
    }

    /// Exchanges a refresh token for other tokens.
    async fn refresh_sign_in(
        &self,
        context: &Context<'_>,
        input: RefreshSignInInput,
    ) -> Result<Option<RefreshSignInPayload>, Error> {
        let RefreshSignInInput { refresh_token, idempotency_key } = input;
        let caller = Caller::of(context)?;
        caller.count_token(Some(&refresh_token))?;
        let errand = Errand::of_nobody(caller, "refreshSignIn", &refresh_token, idempotency_key)?;
        let refreshed = errand.people().refresh(&refresh_token, None, errand.context()).await;
        caller.wait_for_end(&refreshed).await;
        Ok(signed_in(&errand, refreshed.map(|tokens| (tokens, false)))?.into())
    }

    /// Ends a sign-in; its tokens are void at once.
    async fn sign_out(
        &self,
        context: &Context<'_>,
        input: Option<SignOutInput>,
    ) -> Result<Option<SignOutPayload>, Error> {
        Ok(sign_out(Caller::of(context)?, input.unwrap_or_default()).await?.into())
    }

    /// Ends all sign-ins of the account, that of the caller too.
    async fn sign_out_everywhere(
        &self,
        context: &Context<'_>,
        input: Option<SignOutEverywhereInput>,
    ) -> Result<Option<SignOutEverywherePayload>, Error> {
        let SignOutEverywhereInput { idempotency_key } = input.unwrap_or_default();
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "signOutEverywhere", idempotency_key)?;
        let account_id = errand.account_id;
        let done = errand.people().sign_out_everywhere(account_id, errand.context()).await;
        let me = Me::load(caller, account_id).await?;
        Ok(errand.voided(done, me).await?.into())
    }
}

async fn sign_in(caller: &Caller, input: SignInInput) -> Result<Outcome<SignInTokens>, Fault> {
    let SignInInput { email, password, device_id, idempotency_key } = input;
    caller.count(Act::Login)?;
    let errand = Errand::of_address(caller, "signIn", &email, idempotency_key)?;
    let Some(device_id) = chosen(&device_id) else {
        return Ok(errand.invalid("device_id", DEVICE_ID));
    };
    let sign_in_id = SignInId(errand.new_id());
    let wish = SignInWish { email, password, sign_in_id, device_id };
    let tokens = errand.people().sign_in(wish, errand.context()).await;
    signed_in(&errand, tokens.map(|tokens| (tokens, false)))
}

async fn sign_in_outside(
    caller: &Caller,
    input: SignInWithProviderInput,
) -> Result<Outcome<SignInTokens>, Fault> {
    let SignInWithProviderInput { issuer, id_token, device_id, idempotency_key } = input;
    caller.count(Act::Login)?;
    let errand = Errand::of_nobody(caller, "signInWithProvider", &id_token, idempotency_key)?;
    let Some(device_id) = chosen(&device_id) else {
        return Ok(errand.invalid("device_id", DEVICE_ID));
    };
    // The account and its first sign-in are told apart by what they are, so they may share an id.
    let new_account_id = AccountId(errand.new_id());
    let sign_in_id = SignInId(errand.new_id());
    let wish = OutsideSignIn { issuer, id_token, new_account_id, sign_in_id, device_id };
    let signed = errand.people().sign_in_outside(wish, errand.context()).await;
    signed_in(&errand, signed.map(|signed| (signed.tokens, signed.is_new)))
}

async fn sign_out(caller: &Caller, input: SignOutInput) -> Result<Outcome<ID>, Fault> {
    let errand = Errand::own(caller, "signOut", input.idempotency_key)?;
    let sign_in_id = match input.sign_in_id {
        Some(id) => id.parse().ok().map(SignInId),
        None => caller.proven()?.sign_in(),
    };
    let unknown = Refusal::plain(ErrorCode::UnknownSignIn, "there is no such sign-in");
    let Some(sign_in_id) = sign_in_id else { return Ok(errand.refuse(unknown)) };
    match errand.people().sign_out(errand.account_id, sign_in_id, errand.context()).await {
        Err(PeopleError::InvalidToken) => Ok(errand.refuse(unknown)),
        ended => errand.voided(ended, Some(ID(sign_in_id.to_string()))).await,
    }
}

/// The payload of whatever signs in.
fn signed_in(
    errand: &Errand<'_>,
    signed: Result<(Tokens, bool), PeopleError>,
) -> Result<Outcome<SignInTokens>, Fault> {
    match signed {
        Ok((tokens, new_account)) => {
            let position = tokens.position;
            Ok(Outcome::done(Some(SignInTokens::of(tokens, new_account)), position))
        }
        Err(error) => errand.refused(error),
    }
}

/// The id that a device chose. The nil UUID is that of no device.
fn chosen(device_id: &ID) -> Option<DeviceId> {
    device_id.parse().ok().filter(|id: &DeviceId| !id.0.is_nil())
}
