//! The devices of a household.

use playhead_domain::devices::{Command, DeviceKind};
use playhead_domain::playback;
use playhead_domain::sign_in::EndReason;
use playhead_domain::{AccountId, DeviceId, Personal, Plan};

use super::{Outcome, People, PeopleError};
use crate::context::Context;
use crate::handler::Position;

/// A device that may have to be registered.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// The device.
    pub device_id: DeviceId,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: DeviceKind,
}

impl People {
    /// Lets a device join, if the plan has room. Playing does this by itself.
    ///
    /// # Errors
    /// [`PeopleError::Devices`], [`PeopleError::DeviceRemoved`], [`PeopleError::Invalid`], or
    /// something failed.
    pub async fn register_device(
        &self,
        account_id: AccountId,
        device: NewDevice,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let subscription = self.commands().subscriptions.state(&account_id).await;
        let subscription = subscription.map_err(|source| PeopleError::LookUp {
            what: "the subscription",
            source: Box::new(source),
        })?;
        let plan = subscription.plan_at(context.at_ms).unwrap_or(Plan::Basic);
        let command = Command::Register {
            account_id,
            device_id: device.device_id,
            name: Personal::Known(device.name),
            kind: device.kind,
            devices_max: plan.devices_max(),
            at_ms: context.at_ms,
        };
        self.ask_devices(account_id, &command, "register device", context).await
    }

    /// Calls a device otherwise.
    ///
    /// # Errors
    /// [`PeopleError::Devices`], [`PeopleError::Invalid`], or something failed.
    pub async fn name_device(
        &self,
        account_id: AccountId,
        device_id: DeviceId,
        name: String,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let (name, at_ms) = (Personal::Known(name), context.at_ms);
        let command = Command::Rename { account_id, device_id, name, at_ms };
        self.ask_devices(account_id, &command, "name device", context).await
    }

    /// Lets a device leave. What plays on it stops, and its sign-ins end; those that the read model
    /// does not know yet end when they are next refreshed.
    ///
    /// # Errors
    /// [`PeopleError::Devices`] if there is no such device, or something failed; do it again then.
    pub async fn remove_device(
        &self,
        account_id: AccountId,
        device_id: DeviceId,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let command = Command::Remove { account_id, device_id, at_ms: context.at_ms };
        let removed = self.ask_devices(account_id, &command, "remove device", context).await?;
        let stopped = self.stop_sessions(account_id, device_id, context).await?;
        let sign_ins = self.parts().sign_ins.of_device(account_id, device_id).await;
        let sign_ins =
            sign_ins.map_err(|source| PeopleError::LookUp { what: "sign-ins", source })?;
        let mut last = stopped.or(removed);
        for sign_in_id in sign_ins {
            let reason = EndReason::DeviceRemoved;
            last = self.end_sign_in(account_id, sign_in_id, reason, context).await?;
        }
        Ok(last)
    }

    /// Ends what plays on a device that has left. A session that began just then is not seen here: its
    /// heartbeats are refused, so that it falls silent.
    async fn stop_sessions(
        &self,
        account_id: AccountId,
        device_id: DeviceId,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let playbacks = &self.commands().playbacks;
        let running = playbacks.state(&account_id).await.map_err(sessions)?;
        let on_it = running.running.iter().filter(|(_, it)| it.device_id == Some(device_id));
        let mut last = None;
        for session_id in on_it.map(|(session_id, _)| *session_id) {
            let stop = playback::Command::Stop { account_id, session_id, at_ms: context.at_ms };
            let context = context.branch(&format!("stop {session_id}"));
            let stopped = playbacks.execute(&account_id, &stop, &context).await;
            last = stopped.map_err(sessions)?.position.or(last);
        }
        Ok(last)
    }

    async fn ask_devices(
        &self,
        account_id: AccountId,
        command: &Command,
        name: &str,
        context: &Context,
    ) -> Outcome<Option<Position>> {
        let context = context.branch(name);
        Ok(self.commands().devices.execute(&account_id, command, &context).await?.position)
    }
}

fn sessions<E: std::error::Error + Send + Sync + 'static>(source: E) -> PeopleError {
    PeopleError::LookUp { what: "sessions", source: Box::new(source) }
}
