//! The right over an account: limits of profiles are lifted only by who has it. A child who holds
//! the tablet, and so an access token, does not.

use playhead_domain::account::Refusal as AccountRefusal;

use crate::caller::Caller;
use crate::errors::{Fault, Refusal, of_people};
use crate::limits::Act;

/// For how long a sign-in counts as somebody who has just shown that the account is theirs.
const PROVEN_MS: i64 = 5 * 60_000;

/// Whether the caller may lift limits: they give the account's password, signed in within the last
/// five minutes by password or at an identity provider, or carry a token that an operator made without a sign-in. A wrong password is
/// refused, whatever it was given for, and tries are limited like those of signing in.
///
/// # Errors
/// Something failed, or there were too many tries.
pub(super) async fn account_right(
    caller: &Caller,
    password: Option<&str>,
) -> Result<Result<bool, Refusal>, Fault> {
    let identity = caller.proven()?;
    let (people, account_id) = (&caller.services.people, identity.account_id);
    let Some(password) = password else {
        let Some(sign_in_id) = identity.sign_in() else { return Ok(Ok(true)) };
        let proven_until_ms = identity.authenticated_at_ms.saturating_add(PROVEN_MS);
        if caller.now_ms >= proven_until_ms {
            return Ok(Ok(false));
        }
        // Somebody else let in a device that was signed in by a code: nothing is shown by it.
        let proven = people.was_proven(account_id, sign_in_id).await;
        return proven.map(Ok).map_err(|error| caller.fault(error));
    };
    caller.count(Act::Login)?;
    match people.is_password(account_id, password).await {
        Ok(true) => Ok(Ok(true)),
        Ok(false) => Ok(Err(AccountRefusal::AccountRightNeeded.into())),
        Err(error) => Ok(Err(of_people(error, caller.correlation_id)?)),
    }
}
