//! Why something is not played, with what is to be known about it.

use async_graphql::{Context, Error, Object};
use playhead_domain::AccountId;

use super::device::Device;
use super::maturity::Maturity;
use super::scalars::DateTime;
use crate::caller::Caller;
use crate::errors::ErrorCode;

/// Declares a refusal with its code and facts.
macro_rules! refusal {
    ($(#[$doc:meta])* $name:ident { $($(#[$fact_doc:meta])* $fact:ident: $ty:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name {
            pub(crate) message: String,
            $(pub(crate) $fact: $ty,)+
        }

        $(#[$doc])*
        #[Object]
        impl $name {
            /// For programs; never changes its meaning.
            pub(crate) async fn code(&self) -> ErrorCode {
                ErrorCode::$name
            }

            /// For people.
            pub(crate) async fn message(&self) -> String {
                self.message.clone()
            }

            $($(#[$fact_doc])*
            async fn $fact(&self) -> $ty {
                self.$fact
            })+
        }
    };
}

refusal! {
    /// The PIN is wrong.
    WrongPin {
        /// How often another may be tried before a wait.
        tries_left: u32,
    }
}
refusal! {
    /// The PIN was wrong too often.
    PinLocked {
        /// The first moment at which it can be tried again.
        until: DateTime,
    }
}
refusal! {
    /// The title is for older people than the profile is set to.
    TooMature {
        /// The highest level that the profile is shown.
        limit: Maturity,
        /// What the title counts as.
        rating: Maturity,
    }
}
refusal! {
    /// The title is not offered yet.
    NotYetAvailable {
        /// The first moment at which it is.
        from: DateTime,
    }
}

/// The plan's devices are all registered.
#[derive(Debug)]
pub(crate) struct TooManyDevices {
    pub(crate) account_id: AccountId,
    pub(crate) limit: usize,
    pub(crate) message: String,
}

/// The plan's devices are all registered.
#[Object]
impl TooManyDevices {
    /// TOO_MANY_DEVICES.
    pub(crate) async fn code(&self) -> ErrorCode {
        ErrorCode::TooManyDevices
    }

    /// For people.
    pub(crate) async fn message(&self) -> String {
        self.message.clone()
    }

    /// How many devices the plan allows.
    async fn limit(&self) -> i32 {
        i32::try_from(self.limit).unwrap_or(i32::MAX)
    }

    /// Those that are registered, in the order of their ids.
    async fn devices(&self, context: &Context<'_>) -> Result<Vec<Device>, Error> {
        let caller = Caller::of(context)?;
        let state = caller.services.commands.devices.state(&self.account_id).await;
        let state = state.map_err(|error| caller.internal("devices cannot be read", &error))?;
        Ok(state.devices.iter().map(|(id, device)| Device::of(*id, device)).collect())
    }
}
