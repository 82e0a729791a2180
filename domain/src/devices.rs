//! Devices of a household: which may be signed in.
//!
//! All devices of an account are in one stream, so that two that register at the same moment meet
//! in one version check: the limit is exact.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec::stored_events;
use crate::decider::Decider;
use crate::ids::{AccountId, DeviceId};
use crate::personal::Personal;
use crate::values::{InvalidValue, check, counted, is_name, names};

/// The longest name of a device, in characters: room for "Living room TV (upstairs)", and no more
/// than a list can show.
pub const NAME_MAX_CHARS: usize = 60;
/// What a name of a device must be.
pub(crate) const NAME_RULE: &str = "a line of 1 to 60 characters, none of them invisible";

names! {
    /// What a device is.
    pub enum DeviceKind {
        /// A television, or a box or stick that is plugged into one.
        Tv = "tv",
        /// A phone.
        Phone = "phone",
        /// A tablet.
        Tablet = "tablet",
        /// A computer, mostly its browser.
        Computer = "computer",
        /// A game console.
        Console = "console",
        /// Anything else.
        Other = "other",
    }
}

/// A device joined a household.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceRegistered {
    /// The account.
    pub account_id: AccountId,
    /// The device.
    pub device_id: DeviceId,
    /// What people call it.
    pub name: Personal<String>,
    /// What it is.
    pub kind: DeviceKind,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A device is called otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceRenamed {
    /// The account.
    pub account_id: AccountId,
    /// The device.
    pub device_id: DeviceId,
    /// What people call it now.
    pub name: Personal<String>,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

/// A device left a household. Its id never comes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceRemoved {
    /// The account.
    pub account_id: AccountId,
    /// The device.
    pub device_id: DeviceId,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: i64,
}

stored_events! {
    /// What happens to the devices of a household.
    pub enum Event {
        /// A device joined.
        Registered(DeviceRegistered) = 1,
        /// A device is called otherwise.
        Renamed(DeviceRenamed) = 1,
        /// A device left.
        Removed(DeviceRemoved) = 1,
    }
}

/// A device of a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What people call it.
    pub name: Personal<String>,
    /// What it is.
    pub kind: DeviceKind,
    /// When it joined, in milliseconds since 1970-01-01 UTC.
    pub registered_at_ms: i64,
}

/// The devices of a household.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// By device id. Only as large as plans allow devices.
    pub devices: BTreeMap<DeviceId, Device>,
    /// The ids that left, and stay away: an app that was signed out by removing its device must not
    /// sign itself in again by registering.
    pub removed: BTreeSet<DeviceId>,
}

/// What can be asked of the devices of a household.
#[derive(Debug, Clone)]
pub enum Command {
    /// Let a device join. Nothing happens if it has.
    Register {
        /// The account.
        account_id: AccountId,
        /// The device.
        device_id: DeviceId,
        /// What people are to call it.
        name: Personal<String>,
        /// What it is.
        kind: DeviceKind,
        /// Looked up: how many devices the plan allows, that of the smallest plan if none runs. A
        /// household that has more, from a larger plan, keeps them.
        devices_max: usize,
        /// Now.
        at_ms: i64,
    },
    /// Call a device otherwise.
    Rename {
        /// The account.
        account_id: AccountId,
        /// The device.
        device_id: DeviceId,
        /// What people are to call it.
        name: Personal<String>,
        /// Now.
        at_ms: i64,
    },
    /// Let a device leave. Nothing happens if it has left before.
    Remove {
        /// The account.
        account_id: AccountId,
        /// The device.
        device_id: DeviceId,
        /// Now.
        at_ms: i64,
    },
}

/// Why something cannot be done to a device.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Refusal {
    /// A field breaks its rule.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
    /// The plan's devices are all registered. Remove one.
    #[error(
        "the plan allows {}, and {} {} registered",
        counted(*limit, "device"),
        devices.len(),
        if devices.len() == 1 { "is" } else { "are" }
    )]
    TooManyDevices {
        /// How many devices the plan allows.
        limit: usize,
        /// What is registered.
        devices: BTreeMap<DeviceId, Device>,
    },
    /// The household has no such device.
    #[error("there is no such device")]
    UnknownDevice,
    /// The device was removed. It has to take another id.
    #[error("the device was removed")]
    Removed,
}

/// The rules for devices.
#[derive(Debug)]
pub struct Devices;

impl Decider for Devices {
    const CATEGORY: &'static str = "devices";
    type Id = AccountId;
    type State = State;
    type Command = Command;
    type Event = Event;
    type Refusal = Refusal;

    fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Refusal> {
        match command.clone() {
            Command::Register { account_id, device_id, name, kind, devices_max, at_ms } => {
                // However it is called by now: a late repeat must not undo a renaming.
                if state.devices.contains_key(&device_id) {
                    return Ok(vec![]);
                }
                if state.removed.contains(&device_id) {
                    return Err(Refusal::Removed);
                }
                check_name(&name, "device")?;
                if state.devices.len() >= devices_max {
                    let devices = state.devices.clone();
                    return Err(Refusal::TooManyDevices { limit: devices_max, devices });
                }
                let registered = DeviceRegistered { account_id, device_id, name, kind, at_ms };
                Ok(vec![Event::Registered(registered)])
            }
            Command::Rename { account_id, device_id, name, at_ms } => {
                let device = state.devices.get(&device_id).ok_or(Refusal::UnknownDevice)?;
                if device.name == name {
                    return Ok(vec![]);
                }
                check_name(&name, "name")?;
                Ok(vec![Event::Renamed(DeviceRenamed { account_id, device_id, name, at_ms })])
            }
            Command::Remove { account_id, device_id, at_ms } => {
                if state.removed.contains(&device_id) {
                    return Ok(vec![]);
                }
                if !state.devices.contains_key(&device_id) {
                    return Err(Refusal::UnknownDevice);
                }
                Ok(vec![Event::Removed(DeviceRemoved { account_id, device_id, at_ms })])
            }
        }
    }

    fn evolve(mut state: State, event: &Event) -> State {
        match event {
            Event::Registered(DeviceRegistered { device_id, name, kind, at_ms, .. }) => {
                let device = Device { name: name.clone(), kind: *kind, registered_at_ms: *at_ms };
                state.devices.insert(*device_id, device);
            }
            Event::Renamed(DeviceRenamed { device_id, name, .. }) => {
                if let Some(device) = state.devices.get_mut(device_id) {
                    device.name = name.clone();
                }
            }
            Event::Removed(DeviceRemoved { device_id, .. }) => {
                state.devices.remove(device_id);
                state.removed.insert(*device_id);
            }
        }
        state
    }
}

/// The rule for names of devices, wherever one is said. `field` is what it is called there: `device`
/// where something is played on it, `name` where it is called otherwise.
///
/// # Errors
/// It breaks the rule.
pub fn check_name(name: &Personal<String>, field: &'static str) -> Result<(), InvalidValue> {
    let valid = name.known().is_some_and(|name| is_name(name, NAME_MAX_CHARS));
    check(valid, field, NAME_RULE)
}

#[cfg(test)]
mod tests;
