//! The request that resolvers work for: who calls, from where, when, under which id.

use std::net::SocketAddr;
use std::sync::Arc;

use async_graphql::Context;
use axum::extract::ConnectInfo;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use playhead_commands::Position;
use playhead_commands::people::PeopleError;
use playhead_domain::{AccountId, SignInId, Territory};
use playhead_identity::refresh_token::RefreshToken;
use uuid::Uuid;

use crate::access::{Identity, Role};
use crate::errors::{self, Code, Fault};
use crate::limits::{Act, ClientIp, Decision, Who};
use crate::services::Services;
use crate::{place, position};

/// One request or operation.
#[derive(Clone)]
pub(crate) struct Caller {
    /// What it is answered with.
    pub(crate) services: Arc<Services>,
    /// Who calls, if they proved it.
    pub(crate) identity: Option<Arc<Identity>>,
    /// Where they call from; `None` if the connection has no address.
    pub(crate) address: Option<ClientIp>,
    /// The country in which the device says that it is.
    pub(crate) device_country: Option<Territory>,
    /// Under which id it is logged.
    pub(crate) correlation_id: Uuid,
    /// When it began, in milliseconds since 1970-01-01 UTC: one moment for all of its parts.
    pub(crate) now_ms: i64,
}

impl Caller {
    /// A request that begins now.
    pub(crate) fn new(
        services: &Arc<Services>,
        identity: Option<Arc<Identity>>,
        address: Option<ClientIp>,
        correlation_id: Uuid,
    ) -> Self {
        let now_ms = services.clock.now_ms();
        let services = Arc::clone(services);
        Self { services, identity, address, device_country: None, correlation_id, now_ms }
    }

    /// A request with these headers that begins now.
    ///
    /// # Errors
    /// It brings an access token that is not valid, or a country that is none.
    pub(crate) fn of_request(
        services: &Arc<Services>,
        parts: &Parts,
        correlation_id: Uuid,
    ) -> Result<Self, Fault> {
        let identity = identity(services, &parts.headers)?;
        let address = address(services, &parts.extensions, &parts.headers);
        let device_country = place::device_country(&parts.headers)?;
        let caller = Self::new(services, identity, address, correlation_id);
        Ok(Self { device_country, ..caller })
    }

    /// The caller of the operation that is being resolved.
    pub(crate) fn of<'a>(context: &Context<'a>) -> Result<&'a Self, Fault> {
        let missing = |_| Fault::new(Code::Internal, "the operation has no caller");
        context.data::<Self>().map_err(missing)
    }

    /// The account that calls.
    ///
    /// # Errors
    /// The caller did not prove who they are.
    pub(crate) fn account_id(&self) -> Result<AccountId, Fault> {
        self.proven().map(|identity| identity.account_id)
    }

    /// Fails unless the caller has a role.
    ///
    /// # Errors
    /// The caller did not prove who they are, or does not have the role.
    pub(crate) fn require(&self, role: Role) -> Result<&Identity, Fault> {
        let identity = self.proven()?;
        if identity.roles.contains(&role) {
            return Ok(identity);
        }
        Err(Fault::new(Code::Forbidden, "this needs a role that the access token does not carry"))
    }

    /// Who calls. Asked anew for each operation, because a WebSocket outlives sign-ins.
    ///
    /// # Errors
    /// The caller did not prove who they are, or may no longer act.
    pub(crate) fn proven(&self) -> Result<&Identity, Fault> {
        let identity = self.identity.as_deref();
        let stands = |identity: &&Identity| {
            self.now_ms < identity.expires_at_ms && self.services.access.still_stands(identity)
        };
        let needed = || Fault::new(Code::Unauthenticated, "this needs an access token");
        identity.filter(stands).ok_or_else(needed)
    }

    /// Counts an act of the caller.
    ///
    /// # Errors
    /// They did it too often.
    pub(crate) fn count(&self, act: Act) -> Result<(), Fault> {
        self.count_for(act, None)
    }

    /// Counts that the caller asks for tokens: with a device code, or with a refresh token of the
    /// sign-in that it names.
    ///
    /// # Errors
    /// They did it too often.
    pub(crate) fn count_token(&self, refresh_token: Option<&str>) -> Result<(), Fault> {
        let shown = refresh_token.and_then(RefreshToken::parse);
        self.count_for(Act::Token, shown.map(|shown| shown.sign_in_id()))
    }

    fn count_for(&self, act: Act, sign_in: Option<SignInId>) -> Result<(), Fault> {
        let identity = self.identity.as_deref();
        let who = Who {
            account: identity.map(|identity| identity.account_id),
            device: identity.and_then(Identity::device),
            sign_in,
            address: self.address,
        };
        match self.services.limits.check(act, &who, self.now_ms) {
            Decision::Allowed => Ok(()),
            Decision::Refused(refused) => Err(refused.into()),
        }
    }

    /// Waits until the read models show what was recorded up to a place, or for as long as queries
    /// wait.
    pub(crate) async fn wait_for(&self, position: Position) {
        let services = &self.services;
        let timeout = services.options.position_timeout;
        if !position::passed(&[position], &services.projections, timeout).await {
            tracing::warn!(correlation_id = %self.correlation_id, "the read models are late");
        }
    }

    /// Waits until the tokens of a sign-in that was just found to be over are refused everywhere: a
    /// refresh token that came twice ends it, and the answer must not come before the end.
    pub(crate) async fn wait_for_end<T>(&self, refreshed: &Result<T, PeopleError>) {
        if let Err(PeopleError::SignInEnded { position: Some(position), .. }) = refreshed {
            self.wait_for(*position).await;
        }
    }

    /// What a person asked for failed, and whoever asked cannot be refused for it.
    pub(crate) fn fault(&self, error: PeopleError) -> Fault {
        match errors::of_people(error, self.correlation_id) {
            Ok(_) => Fault::new(Code::NotFound, "there is no such account"),
            Err(fault) => fault,
        }
    }

    /// Something unexpected happened while this was worked on.
    pub(crate) fn internal(&self, what: &str, cause: &dyn std::error::Error) -> Fault {
        Fault::internal(self.correlation_id, what, cause)
    }
}

/// Who sends these headers; nobody if they hold no token.
///
/// # Errors
/// There is a token, and it is not valid: better to say so than to go on as nobody.
pub(crate) fn identity(
    services: &Services,
    headers: &HeaderMap,
) -> Result<Option<Arc<Identity>>, Fault> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let value = value.to_str().map_err(|_| malformed())?;
    bearer(services, value).map(Some)
}

/// Who holds the token in a text of the form `Bearer TOKEN` (RFC 6750).
///
/// # Errors
/// The text has another form, or the token is not valid.
pub(crate) fn bearer(services: &Services, text: &str) -> Result<Arc<Identity>, Fault> {
    let (scheme, token) = text.trim().split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(malformed());
    }
    let identity = services.access.verify(token.trim(), services.clock.now_ms())?;
    Ok(Arc::new(identity))
}

/// The address that a request comes from, looking through the proxies that are believed. `None` if
/// the connection has none.
pub(crate) fn address(
    services: &Services,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Option<ClientIp> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(services.proxies.client_ip(peer.ip(), headers))
}

fn malformed() -> Fault {
    Fault::new(Code::Unauthenticated, "the authorization must have the form: Bearer TOKEN")
}
