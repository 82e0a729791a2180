//! The devices of a household, and letting one without a keyboard in (RFC 8628).

use async_graphql::{Context, Error, ID, InputObject, Object};
use playhead_domain::DeviceId;

use super::errand::Errand;
use super::{Outcome, payload};
use crate::caller::Caller;
use crate::errors::{ErrorCode, Fault, Refusal};
use crate::limits::Act;
use crate::schema::device::Device;

/// Lets the device that shows a code in.
#[derive(InputObject)]
pub(crate) struct ApproveDeviceInput {
    /// The code that the device shows, however it is typed.
    user_code: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Keeps the device that shows a code out.
#[derive(InputObject)]
pub(crate) struct DenyDeviceInput {
    /// The code that the device shows, however it is typed.
    user_code: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Calls a device otherwise.
#[derive(InputObject)]
pub(crate) struct RenameDeviceInput {
    /// Which one.
    device_id: ID,
    /// What it is called from now on, 1 to 60 characters.
    name: String,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

/// Lets a device leave.
#[derive(InputObject)]
pub(crate) struct RemoveDeviceInput {
    /// Which one.
    device_id: ID,
    /// Names this command, 1 to 100 characters: sent again it is done once.
    idempotency_key: Option<String>,
}

payload! {
    /// What came of letting a device in.
    ApproveDevicePayload {
        /// The code of the device, which gets its tokens when it next asks.
        user_code: String
    }
}
payload! {
    /// What came of keeping a device out.
    DenyDevicePayload {
        /// The code of the device.
        user_code: String
    }
}
payload! {
    /// What came of calling a device otherwise.
    RenameDevicePayload {
        /// The device as it is now.
        device: Device
    }
}
payload! {
    /// What came of removing a device.
    RemoveDevicePayload {
        /// The device that is gone; its id cannot come back.
        device_id: ID
    }
}

/// The devices of a household.
#[derive(Default)]
pub(crate) struct DeviceMutation;

#[Object]
impl DeviceMutation {
    /// Lets the device that shows a code sign in to the account. Look at waitingDevice before, so
    /// that the person knows what they let in.
    async fn approve_device(
        &self,
        context: &Context<'_>,
        input: ApproveDeviceInput,
    ) -> Result<Option<ApproveDevicePayload>, Error> {
        let ApproveDeviceInput { user_code, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "approveDevice", idempotency_key)?;
        caller.count(Act::Login)?;
        let (people, account_id) = (errand.people(), errand.account_id);
        let approved = people.approve_device(account_id, &user_code, errand.context()).await;
        Ok(errand.done(approved, Some(user_code))?.into())
    }

    /// Keeps the device that shows a code out.
    async fn deny_device(
        &self,
        context: &Context<'_>,
        input: DenyDeviceInput,
    ) -> Result<Option<DenyDevicePayload>, Error> {
        let DenyDeviceInput { user_code, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "denyDevice", idempotency_key)?;
        caller.count(Act::Login)?;
        let denied = errand.people().deny_device(&user_code, errand.context()).await;
        Ok(errand.done(denied, Some(user_code))?.into())
    }

    /// Calls a device otherwise.
    async fn rename_device(
        &self,
        context: &Context<'_>,
        input: RenameDeviceInput,
    ) -> Result<Option<RenameDevicePayload>, Error> {
        Ok(rename(Caller::of(context)?, input).await?.into())
    }

    /// Lets a device leave. Its sign-ins are over, and its tokens void at once.
    async fn remove_device(
        &self,
        context: &Context<'_>,
        input: RemoveDeviceInput,
    ) -> Result<Option<RemoveDevicePayload>, Error> {
        let RemoveDeviceInput { device_id, idempotency_key } = input;
        let caller = Caller::of(context)?;
        let errand = Errand::own(caller, "removeDevice", idempotency_key)?;
        let Ok(id) = device_id.parse::<DeviceId>() else {
            return Ok(errand.refuse(unknown_device()).into());
        };
        let people = errand.people();
        let removed = people.remove_device(errand.account_id, id, errand.context()).await;
        Ok(errand.voided(removed, Some(device_id)).await?.into())
    }
}

async fn rename(caller: &Caller, input: RenameDeviceInput) -> Result<Outcome<Device>, Fault> {
    let RenameDeviceInput { device_id, name, idempotency_key } = input;
    let errand = Errand::own(caller, "renameDevice", idempotency_key)?;
    let account_id = errand.account_id;
    let Ok(id) = device_id.parse::<DeviceId>() else {
        return Ok(errand.refuse(unknown_device()));
    };
    let renamed = errand.people().name_device(account_id, id, name, errand.context()).await;
    let devices = caller.services.commands.devices.state(&account_id).await;
    let devices = devices.map_err(|error| caller.internal("devices cannot be read", &error))?;
    errand.done(renamed, devices.devices.get(&id).map(|device| Device::of(id, device)))
}

fn unknown_device() -> Refusal {
    Refusal::plain(ErrorCode::UnknownDevice, "there is no such device")
}
