//! Devices of a household.

use async_graphql::{Enum, ID, SimpleObject};
use playhead_domain::DeviceId;
use playhead_domain::devices::{Device as Registered, DeviceKind as Kind};

use super::scalars::DateTime;

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub(crate) enum DeviceKind {
    /// A television, or a box or stick that is plugged into one.
    Tv,
    /// A phone.
    Phone,
    /// A tablet.
    Tablet,
    /// A computer, mostly its browser.
    Computer,
    /// A game console.
    Console,
    /// Anything else.
    Other,
}

/// A device of a household.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Device {
    /// The id that the device chose when its app was installed.
    id: ID,
    /// What people call it.
    name: String,
    /// What it is.
    kind: DeviceKind,
    /// When it was registered: when it first played something.
    registered_at: DateTime,
}

impl Device {
    /// A registered device.
    pub(crate) fn of(id: DeviceId, device: &Registered) -> Self {
        Self {
            id: ID(id.to_string()),
            name: device.name.known().cloned().unwrap_or_default(),
            kind: device.kind.into(),
            registered_at: DateTime(device.registered_at_ms),
        }
    }
}
