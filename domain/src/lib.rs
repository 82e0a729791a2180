//! The rules of Playhead: ids, values, deciders, the events they make and how events are stored.
//!
//! What this crate is *not*: it knows no clock, no randomness, no file, no network and no `async`.
//! Time, ids and every looked-up fact arrive in commands, so that each rule can be tested with
//! made-up ones.
//!
//! A new feature of the domain is a new file: a [`Decider`] with its events, or a set of
//! observations such as [`viewing`]. Its events join [`codec::event_types`], and a JSON Schema and
//! golden examples of each go into `schemas/events/`, with the hashes of the examples in
//! `GOLDEN.lock`.

pub mod account;
pub mod availability;
pub mod codec;
pub mod decider;
pub mod device_code;
pub mod devices;
pub mod email;
pub mod entitlement;
pub mod identity;
pub mod ids;
pub mod language;
pub mod maturity;
pub mod personal;
pub mod playback;
pub mod resume;
pub mod sign_in;
pub mod subscription;
pub mod title;
pub mod values;
pub mod video;
pub mod viewing;

pub use availability::Territory;
pub use codec::{CodecError, StoredEvent};
pub use decider::Decider;
pub use ids::{
    AccountId, DeviceCodeKey, DeviceId, EmailKey, ProfileId, SecretHash, SessionId, SignInId,
    SubjectKey, TitleId, VideoId,
};
pub use language::LanguageTag;
pub use maturity::Maturity;
pub use personal::Personal;
pub use values::{InvalidValue, Plan};
