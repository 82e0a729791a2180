//! From an intention to recorded events: load, decide, append.
//!
//! [`Handler::execute`] runs a command of any decider against the log; [`Commands`] holds a handler
//! for each of them, and what takes more than one. Heartbeats are not decided: a
//! [`token::PlaybackGrant`] proves that they belong to a session, and [`Commands::record`] appends
//! them as they are. What people do with their accounts is in [`people`].
//!
//! What this crate is *not*: it has no clock and no randomness (a [`Context`] brings the time and
//! the ids), it answers no query and it knows no read model; what a rule needs to look up there
//! comes through a port such as [`playback::LastSeen`].

mod context;
mod handler;
pub mod heartbeat;
mod marks;
pub mod people;
pub mod playback;
pub mod token;

use std::sync::Arc;

use playhead_domain::account::Account;
use playhead_domain::device_code::DeviceCode;
use playhead_domain::devices::Devices;
use playhead_domain::email::Email;
use playhead_domain::identity::Identity;
use playhead_domain::playback::Playback;
use playhead_domain::sign_in::SignIn;
use playhead_domain::subscription::Subscription;
use playhead_domain::title::Title;
use playhead_domain::video::Video;
use playhead_eventlog::EventLog;

pub use context::Context;
pub use handler::{ExecuteError, Executed, Handler, Position};

/// A handler for every decider, over one log.
pub struct Commands {
    log: Arc<dyn EventLog>,
    /// Runs commands of titles.
    pub titles: Handler<Title>,
    /// Runs commands of accounts.
    pub accounts: Handler<Account>,
    /// Runs commands of subscriptions.
    pub subscriptions: Handler<Subscription>,
    /// Runs commands of playback sessions; see also
    /// [`People::start_playback`](people::People::start_playback).
    pub playbacks: Handler<Playback>,
    /// Runs commands of videos.
    pub videos: Handler<Video>,
    /// Runs commands of identities; [`people`] does so for people.
    pub identities: Handler<Identity>,
    /// Runs commands of e-mail addresses.
    pub emails: Handler<Email>,
    /// Runs commands of sign-ins.
    pub sign_ins: Handler<SignIn>,
    /// Runs commands of devices.
    pub devices: Handler<Devices>,
    /// Runs commands of device codes.
    pub device_codes: Handler<DeviceCode>,
}

impl Commands {
    /// Handlers over a log.
    #[must_use]
    pub fn new(log: Arc<dyn EventLog>) -> Self {
        Self {
            titles: Handler::new(Arc::clone(&log)),
            accounts: Handler::new(Arc::clone(&log)),
            subscriptions: Handler::new(Arc::clone(&log)),
            playbacks: Handler::new(Arc::clone(&log)),
            videos: Handler::new(Arc::clone(&log)),
            identities: Handler::new(Arc::clone(&log)),
            emails: Handler::new(Arc::clone(&log)),
            sign_ins: Handler::new(Arc::clone(&log)),
            devices: Handler::new(Arc::clone(&log)),
            device_codes: Handler::new(Arc::clone(&log)),
            log,
        }
    }
}
