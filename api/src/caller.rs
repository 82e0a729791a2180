//! The request that resolvers work for: who calls, when, under which id.

use std::sync::Arc;

use async_graphql::Context;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use playhead_domain::AccountId;
use uuid::Uuid;

use crate::access::{Identity, Role};
use crate::errors::{Code, Fault};
use crate::services::Services;

/// One request or operation.
#[derive(Clone)]
pub(crate) struct Caller {
    /// What it is answered with.
    pub(crate) services: Arc<Services>,
    /// Who calls, if they proved it.
    pub(crate) identity: Option<Arc<Identity>>,
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
        correlation_id: Uuid,
    ) -> Self {
        let now_ms = services.clock.now_ms();
        Self { services: Arc::clone(services), identity, correlation_id, now_ms }
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

    fn proven(&self) -> Result<&Identity, Fault> {
        let identity = self.identity.as_deref();
        let identity = identity.filter(|identity| self.now_ms < identity.expires_at_ms);
        identity.ok_or_else(|| Fault::new(Code::Unauthenticated, "this needs an access token"))
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
    let identity = services.access_tokens.verify(token.trim(), services.clock.now_ms())?;
    Ok(Arc::new(identity))
}

fn malformed() -> Fault {
    Fault::new(Code::Unauthenticated, "the authorization must have the form: Bearer TOKEN")
}
