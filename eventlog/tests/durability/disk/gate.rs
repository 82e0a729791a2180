//! Delays without a clock: a call waits at a gate until the test opens it.

use std::sync::{Condvar, MutexGuard, PoisonError};

use super::faults::Call;
use super::{SimDisk, State};

/// What is held now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    /// `None` for every change.
    call: Option<Call>,
    /// How many such calls may still pass.
    pass: usize,
    /// Whether a call waits at the gate.
    reached: bool,
}

/// A closed gate. Opens when dropped.
pub(crate) struct Gate {
    disk: SimDisk,
}

impl SimDisk {
    /// Holds every change from now on.
    pub(crate) fn hold(&self) -> Gate {
        self.close_gate(None, 0)
    }

    /// Holds the calls of one kind behind the next `pass`.
    pub(crate) fn hold_behind(&self, call: Call, pass: usize) -> Gate {
        self.close_gate(Some(call), pass)
    }

    fn close_gate(&self, call: Option<Call>, pass: usize) -> Gate {
        let mut state = self.state();
        assert!(state.held.is_none(), "one gate at a time");
        state.held = Some(Held { call, pass, reached: false });
        Gate { disk: self.clone() }
    }

    /// Waits until no gate holds this call.
    pub(super) fn pass(&self, call: Call) -> MutexGuard<'_, State> {
        let mut state = self.state();
        while let Some(held) = &mut state.held
            && held.call.is_none_or(|wanted| wanted == call)
        {
            if held.pass > 0 {
                held.pass -= 1;
                break;
            }
            held.reached = true;
            self.0.moved.notify_all();
            state = wait(&self.0.moved, state);
        }
        state
    }

    /// Wakes those who wait at a gate to look again.
    pub(crate) fn nudge(&self) {
        // Whoever waits has looked at what it waits for under this lock.
        let _state = self.state();
        self.0.moved.notify_all();
    }
}

impl Gate {
    /// Returns once a call waits at the gate; earlier if `or` says so after a nudge.
    pub(crate) fn reached(&self, or: impl Fn() -> bool) {
        let mut state = self.disk.state();
        while !or() && state.held.is_some_and(|held| !held.reached) {
            state = wait(&self.disk.0.moved, state);
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.disk.state().held = None;
        self.disk.0.moved.notify_all();
    }
}

fn wait<'a>(moved: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    moved.wait(state).unwrap_or_else(PoisonError::into_inner)
}
