//! The person behind the account that calls: how it stands, and where it is signed in.

use std::sync::Arc;

use async_graphql::{Context, Enum, Error, ID, Object, SimpleObject};
use playhead_commands::people::PeopleError;
use playhead_domain::account::BillingAddress as KeptAddress;
use playhead_domain::identity::{
    ConsentPurpose as DomainPurpose, Role as DomainRole, State, Status,
};
use playhead_domain::sign_in::IDLE_MAX_MS;
use playhead_domain::{AccountId, Personal, SignInId, identity};

use super::device::{Device, DeviceKind};
use super::page::{list_cost, page_len};
use super::scalars::DateTime;
use super::viewer::account_state;
use crate::access::Identity;
use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id::GlobalId;
use crate::limits::Act;
use crate::services::ListedSignIn;

/// How many entries a list has unless it is asked for another number.
const LIMIT_DEFAULT: i32 = 50;

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Status")]
pub(crate) enum AccountStatus {
    /// The e-mail address is not verified yet.
    PendingVerification,
    /// Everything that its roles allow.
    Active,
    /// Locked for a while.
    Suspended,
    /// Closed for good.
    Cancelled,
    /// Closed, and nothing personal of it is left.
    Erased,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainRole")]
pub(crate) enum Role {
    /// Watches. Every account begins with this one.
    Viewer,
    /// Uploads titles of their own.
    Creator,
    /// Edits the whole catalogue.
    ContentAdmin,
    /// Sees figures about all accounts, none about one.
    Analyst,
    /// Sees what happened, and changes nothing.
    Auditor,
    /// Runs the service.
    Operator,
}

/// A use of data that needs consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainPurpose")]
pub(crate) enum ConsentPurpose {
    /// Mail about titles and offers.
    MarketingEmail,
    /// Recommendations from what was watched.
    PersonalisedRecommendations,
    /// Figures of how the apps are used.
    Analytics,
}

/// A use of data that was allowed.
#[derive(Debug, SimpleObject)]
pub(crate) struct Consent {
    /// The use.
    purpose: ConsentPurpose,
    /// The version of the text that was agreed to.
    policy_version: u32,
}

/// A sign-in that has not ended.
#[derive(Debug, SimpleObject)]
pub(crate) struct SignIn {
    /// Ends it with signOut.
    id: ID,
    /// The id that the device chose when its app was installed.
    device_id: ID,
    /// When it began.
    began_at: DateTime,
    /// When it was last refreshed.
    refreshed_at: DateTime,
    /// Whether this request belongs to it.
    current: bool,
}

impl SignIn {
    fn of(listed: &ListedSignIn, current: Option<SignInId>) -> Self {
        Self {
            id: ID(listed.sign_in_id.to_string()),
            device_id: ID(listed.device_id.to_string()),
            began_at: DateTime(listed.began_at_ms),
            refreshed_at: DateTime(listed.refreshed_at_ms),
            current: current == Some(listed.sign_in_id),
        }
    }
}

/// Where bills go.
#[derive(Debug, SimpleObject)]
pub(crate) struct BillingAddress {
    /// The country, as ISO 3166-1 alpha-2 has it.
    country: String,
    /// The name and the address below it, as they are written there.
    lines: Vec<String>,
}

impl BillingAddress {
    /// An address as it is kept; `None` once its person is forgotten.
    fn of(kept: &KeptAddress) -> Option<Self> {
        let lines = kept.lines.known()?.clone();
        Some(Self { country: kept.country.to_string(), lines })
    }
}

/// A device that shows a code and waits to be let in.
#[derive(Debug, SimpleObject)]
pub(crate) struct WaitingDevice {
    /// What it is.
    kind: DeviceKind,
}

impl WaitingDevice {
    /// The device that shows a code, for an account that may let it in.
    pub(crate) async fn find(caller: &Caller, user_code: &str) -> Result<Option<Self>, Fault> {
        caller.account_id()?;
        caller.count(Act::Login)?;
        match caller.services.people.device_with_code(user_code, caller.now_ms).await {
            Ok(kind) => Ok(Some(Self { kind: kind.into() })),
            Err(PeopleError::UnknownUserCode) => Ok(None),
            Err(error) => Err(caller.fault(error)),
        }
    }
}

/// The person behind the account that calls.
pub(crate) struct Me {
    account_id: AccountId,
    identity: Arc<State>,
    status: Status,
}

impl Me {
    /// The person behind an account; `None` if nobody ever registered it.
    pub(crate) async fn load(
        caller: &Caller,
        account_id: AccountId,
    ) -> Result<Option<Self>, Fault> {
        let identity = caller.services.people.identity(account_id).await;
        let identity = identity.map_err(|error| caller.fault(error))?;
        Ok(identity.status().map(|status| Self { account_id, identity, status }))
    }

    async fn list_sign_ins(&self, caller: &Caller, limit: u32) -> Result<Vec<SignIn>, Fault> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let listed = caller.services.sign_ins.running(self.account_id, limit).await;
        let listed = listed.map_err(|error| caller.internal("sign-ins cannot be read", &*error))?;
        let current = caller.identity.as_deref().and_then(Identity::sign_in);
        let runs = |listed: &&ListedSignIn| self.runs(listed, caller.now_ms);
        Ok(listed.iter().filter(runs).map(|listed| SignIn::of(listed, current)).collect())
    }

    /// Whether a sign-in can still be refreshed.
    fn runs(&self, listed: &ListedSignIn, now_ms: i64) -> bool {
        listed.began_at_ms >= self.identity.signed_in_from_ms
            && now_ms < listed.refreshed_at_ms.saturating_add(IDLE_MAX_MS)
    }

    async fn list_devices(&self, caller: &Caller, limit: u32) -> Result<Vec<Device>, Fault> {
        let devices = caller.services.commands.devices.state(&self.account_id).await;
        let devices = devices.map_err(|error| caller.internal("devices cannot be read", &error))?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(devices.devices.iter().take(limit).map(|(id, device)| Device::of(*id, device)).collect())
    }
}

/// The person behind the account that calls: how it stands, and where it is signed in.
#[Object]
impl Me {
    /// The global id of the account.
    async fn id(&self) -> ID {
        GlobalId::Account(self.account_id).into()
    }

    /// The e-mail address; null once it is forgotten.
    async fn email(&self) -> Option<&str> {
        self.identity.email.as_ref().and_then(Personal::known).map(String::as_str)
    }

    /// The address that replaces it when the code that was mailed there comes back.
    async fn new_email(&self) -> Option<&str> {
        let new = self.identity.new_email.as_ref()?;
        new.email.known().map(String::as_str)
    }

    /// How the account stands.
    async fn status(&self) -> AccountStatus {
        self.status.into()
    }

    /// What it may do. The access token says so from its next refresh on.
    async fn roles(&self) -> Vec<Role> {
        self.identity.roles.iter().map(|role| (*role).into()).collect()
    }

    /// Whether it has a password; without one, identity providers and other devices sign it in.
    async fn has_password(&self) -> bool {
        self.identity.password_hash.is_some()
    }

    /// The identity providers that sign it in.
    async fn providers(&self) -> Vec<&str> {
        self.identity.outside_identities.iter().map(|outside| outside.issuer.as_str()).collect()
    }

    /// Where it is signed in, those that were refreshed last first; 1 to 100.
    #[graphql(complexity = "list_cost(limit, child_complexity)")]
    async fn sign_ins(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(LIMIT_DEFAULT)")] limit: Option<i32>,
    ) -> Result<Vec<SignIn>, Error> {
        Ok(self.list_sign_ins(Caller::of(context)?, page_len(limit)).await?)
    }

    /// The devices of the household; 1 to 100.
    #[graphql(complexity = "list_cost(limit, child_complexity)")]
    async fn devices(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(LIMIT_DEFAULT)")] limit: Option<i32>,
    ) -> Result<Vec<Device>, Error> {
        Ok(self.list_devices(Caller::of(context)?, page_len(limit)).await?)
    }

    /// The uses of data that were allowed.
    async fn consents(&self) -> Vec<Consent> {
        let consents = self.identity.consents.iter();
        let consent = |(purpose, version): (&identity::ConsentPurpose, &u32)| Consent {
            purpose: (*purpose).into(),
            policy_version: *version,
        };
        consents.map(consent).collect()
    }

    /// The first moment at which everything personal is forgotten, if that was asked for.
    async fn erasure_due_at(&self) -> Option<DateTime> {
        self.identity.erasure_due_at_ms.map(DateTime)
    }

    /// Where the bills of the household go.
    async fn billing_address(
        &self,
        context: &Context<'_>,
    ) -> Option<Result<BillingAddress, Error>> {
        let state = match Caller::of(context) {
            Ok(caller) => account_state(caller, self.account_id).await,
            Err(fault) => Err(fault),
        };
        let address =
            state.map(|state| state.billing_address.as_ref().and_then(BillingAddress::of));
        address.transpose().map(|address| Ok(address?))
    }
}
