//! The right over an account: limits of profiles are lifted only by who has it. A child who holds
//! the tablet, and so an access token, does not.

use playhead_domain::account::Refusal as AccountRefusal;

use crate::caller::Caller;
use crate::errors::{Fault, Refusal, of_people};
use crate::limits::Act;

/// For how long a sign-in counts as somebody who has just shown that the account is theirs.
const PROVEN_MS: i64 = 5 * 60_000;

/// Whether the caller may lift limits: they give the account's password, signed in within the last
/// five minutes, or carry a token that an operator made without a sign-in. A wrong password is
/// refused, whatever it was given for, and tries are limited like those of signing in.
///
/// # Errors
/// Something failed, or there were too many tries.
pub(super) async fn account_right(
    caller: &Caller,
    password: Option<&str>,
) -> Result<Result<bool, Refusal>, Fault> {
    let identity = caller.proven()?;
    let Some(password) = password else {
        let proven_until_ms = identity.authenticated_at_ms.saturating_add(PROVEN_MS);
        return Ok(Ok(identity.sign_in().is_none() || caller.now_ms < proven_until_ms));
    };
    caller.count(Act::Login)?;
    match caller.services.people.is_password(identity.account_id, password).await {
        Ok(true) => Ok(Ok(true)),
        Ok(false) => Ok(Err(AccountRefusal::AccountRightNeeded.into())),
        Err(error) => Ok(Err(of_people(error, caller.correlation_id)?)),
    }
}
