//! With whose eyes titles are looked at: what a viewer may not play is not there for them.

use playhead_domain::entitlement::Viewer;
use playhead_domain::{AccountId, Maturity, ProfileId, Territory, account};
use playhead_projections::Audience;

use super::viewer::account_state;
use crate::access::Role;
use crate::caller::Caller;
use crate::errors::{Code, Fault};
use crate::global_id;

/// What is shown to whoever has not said who watches: what a child may see, because nobody has said
/// that none is watching.
const NOBODY_MAX: Maturity = Maturity::KIDS_MAX;

/// With whose eyes titles are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Eyes {
    /// Those of a content administrator who names no profile: nothing is hidden.
    Everything,
    /// Those of a viewer.
    Viewer {
        /// Where they are, if it is known.
        territory: Option<Territory>,
        /// The highest level that they are shown.
        maturity_max: Maturity,
    },
}

impl Eyes {
    /// Those of a profile, as far as it is known.
    pub(crate) async fn of_profile(
        caller: &Caller,
        profile: &account::Profile,
    ) -> Result<Self, Fault> {
        let territory = caller.place().await?.territory;
        Ok(Self::Viewer { territory, maturity_max: profile.maturity_max })
    }

    /// Those that an operation is to look with: of the profile that it names, which must be one of
    /// the account; otherwise the strictest that make sense. A content administrator then sees
    /// everything; an account sees what the most limited of its profiles does, since any of them may
    /// be watching; without an account, or without profiles, only what is for children is shown.
    ///
    /// # Errors
    /// There is no such profile, or the account cannot be read.
    pub(crate) async fn of(
        caller: &Caller,
        profile_id: Option<&async_graphql::ID>,
    ) -> Result<Self, Fault> {
        let Some(profile_id) = profile_id else { return Self::by_default(caller).await };
        let unknown = || Fault::new(Code::NotFound, "there is no such profile");
        // Without an account there are no profiles.
        let account_id = caller.account_id().map_err(|_| unknown())?;
        let profile_id = global_id::profile_of(account_id, profile_id);
        let state = account_state(caller, account_id).await?;
        let profile = profile_id.and_then(|id| state.profiles.get(&id));
        Self::of_profile(caller, profile.ok_or_else(unknown)?).await
    }

    /// Those of a profile of an account; the strictest, if it is gone.
    pub(crate) async fn of_profile_id(
        caller: &Caller,
        account_id: AccountId,
        profile_id: ProfileId,
    ) -> Result<Self, Fault> {
        let state = account_state(caller, account_id).await?;
        let profile = state.profiles.get(&profile_id);
        let territory = caller.place().await?.territory;
        let maturity_max = profile.map_or(Maturity::All, |profile| profile.maturity_max);
        Ok(Self::Viewer { territory, maturity_max })
    }

    async fn by_default(caller: &Caller) -> Result<Self, Fault> {
        let territory = caller.place().await?.territory;
        let Ok(account_id) = caller.account_id() else {
            return Ok(Self::Viewer { territory, maturity_max: NOBODY_MAX });
        };
        if caller.require(Role::ContentAdmin).is_ok() {
            return Ok(Self::Everything);
        }
        let state = account_state(caller, account_id).await?;
        let limits = state.profiles.values().map(|profile| profile.maturity_max);
        Ok(Self::Viewer { territory, maturity_max: limits.min().unwrap_or(NOBODY_MAX) })
    }

    /// The same for a search, at the moment of the request; `None` if nothing is hidden.
    pub(crate) fn searcher(self, at_ms: i64) -> Option<playhead_search::query::Audience> {
        match self {
            Self::Everything => None,
            Self::Viewer { territory, maturity_max } => {
                let viewer = Viewer { territory, maturity_max };
                Some(playhead_search::query::Audience { viewer, at_ms })
            }
        }
    }

    /// The same for a read model, at the moment of the request.
    pub(crate) fn audience(self, at_ms: i64) -> Audience {
        match self {
            Self::Everything => Audience::Everyone,
            Self::Viewer { territory, maturity_max } => {
                Audience::Viewer { viewer: Viewer { territory, maturity_max }, at_ms }
            }
        }
    }
}
