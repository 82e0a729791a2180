//! How an account stands after an event, as far as it is shown.

use std::collections::BTreeSet;

use playhead_domain::identity::{Event, Role, Status};

/// A row of `accounts`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) registered: bool,
    pub(super) verified: bool,
    pub(super) suspended: bool,
    pub(super) cancelled: bool,
    pub(super) roles: BTreeSet<Role>,
    pub(super) signed_in_from_ms: i64,
    pub(super) erasure_due_at_ms: Option<i64>,
}

impl Standing {
    /// Takes in an event. That the account is forgotten is no matter of a row.
    pub(super) fn after(&mut self, event: &Event) {
        match event {
            Event::Registered(_) => {
                self.registered = true;
                self.roles.insert(Role::Viewer);
            }
            Event::EmailVerified(_) | Event::EmailChanged(_) => self.verified = true,
            Event::Suspended(_) => self.suspended = true,
            Event::Reinstated(_) => self.suspended = false,
            Event::Cancelled(_) => self.cancelled = true,
            Event::RoleGranted(granted) => {
                self.roles.insert(granted.role);
            }
            Event::RoleRevoked(revoked) => {
                self.roles.remove(&revoked.role);
            }
            Event::ErasureRequested(asked) => self.erasure_due_at_ms = Some(asked.due_at_ms),
            Event::ErasureWithdrawn(_) => self.erasure_due_at_ms = None,
            _ => {}
        }
        if let Some(at_ms) = voids_before(event) {
            self.signed_in_from_ms = self.signed_in_from_ms.max(at_ms);
        }
    }

    /// `None` if nobody ever registered.
    pub(super) fn status(&self) -> Option<Status> {
        self.registered.then_some(match (self.cancelled, self.suspended, self.verified) {
            (true, _, _) => Status::Cancelled,
            (_, true, _) => Status::Suspended,
            (_, _, true) => Status::Active,
            _ => Status::PendingVerification,
        })
    }
}

/// The moment before which every sign-in of the account is void since an event.
pub(super) fn voids_before(event: &Event) -> Option<i64> {
    match event {
        Event::PasswordChanged(it) => Some(it.at_ms),
        Event::PasswordReset(it) => Some(it.at_ms),
        Event::Suspended(it) => Some(it.at_ms),
        Event::Cancelled(it) => Some(it.at_ms),
        Event::SignedOutEverywhere(it) => Some(it.at_ms),
        _ => None,
    }
}
