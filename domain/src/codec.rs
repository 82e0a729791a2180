//! How events are stored: a type name, a schema version and JSON.
//!
//! A type name and the meaning of its fields are kept for ever. When a type has to change in a way
//! that old payloads do not fit, its version goes up by one and an [`Upcast`] lifts payloads of the
//! version before; a payload is lifted step by step until it has the current version.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::{account, playback, subscription, title, video, viewing};

/// Why a stored event could not be read, or an event not be stored.
#[derive(Debug, Error)]
pub enum CodecError {
    /// This program does not know the type among those it looked for.
    #[error("event type {event_type:?} is not known here")]
    UnknownType {
        /// The type as stored.
        event_type: String,
    },
    /// A newer program wrote the event.
    #[error("{event_type} has schema version {version}; this program knows up to {known}")]
    TooNew {
        /// The type.
        event_type: &'static str,
        /// The version as stored.
        version: u16,
        /// The newest version known here.
        known: u16,
    },
    /// No upcast leads from this version to the next.
    #[error("{event_type} has no upcast from schema version {version}")]
    NoUpcast {
        /// The type.
        event_type: &'static str,
        /// The version at which the chain breaks.
        version: u16,
    },
    /// The payload does not fit the type.
    #[error("{event_type}: {source}")]
    Json {
        /// The type.
        event_type: &'static str,
        /// What does not fit, and where.
        source: serde_json::Error,
    },
}

/// A closed set of event types that can be stored and read back.
pub trait StoredEvent: Sized {
    /// Each type of the set with its current schema version.
    const TYPES: &'static [EventType];

    /// The type of this event.
    fn event_type(&self) -> EventType;

    /// The payload.
    ///
    /// # Errors
    /// The event holds something that JSON cannot.
    fn to_json(&self) -> Result<Vec<u8>, CodecError>;

    /// Reads a payload of any version up to the current one.
    ///
    /// # Errors
    /// The type is not one of the set, or the payload does not fit it.
    fn from_json(event_type: &str, version: u16, payload: &[u8]) -> Result<Self, CodecError>;
}

/// The name of an event type, and the schema version that is written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventType {
    /// Stored for ever.
    pub name: &'static str,
    /// Counted from 1.
    pub version: u16,
}

/// One step of the chain from an old payload to the current one.
pub struct Upcast {
    /// The event type that it lifts.
    pub event_type: &'static str,
    /// The version that it lifts, to the next one.
    pub from: u16,
    /// Turns a payload of version `from` into one of version `from + 1`.
    pub lift: fn(Value) -> Value,
}

/// Every upcast there is, each from one version to the next. No event type has a second version
/// yet.
pub const UPCASTS: &[Upcast] = &[];

/// Every event type that Playhead writes, with its current version.
pub fn event_types() -> impl Iterator<Item = EventType> {
    [
        account::Event::TYPES,
        playback::Event::TYPES,
        subscription::Event::TYPES,
        title::Event::TYPES,
        video::Event::TYPES,
        viewing::Event::TYPES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Writes a payload.
///
/// # Errors
/// The value holds something that JSON cannot.
pub fn encode<T: Serialize>(current: EventType, value: &T) -> Result<Vec<u8>, CodecError> {
    serde_json::to_vec(value)
        .map_err(|source| CodecError::Json { event_type: current.name, source })
}

/// Reads a payload, lifting it first if it is old.
///
/// # Errors
/// The version is newer than the current one, the chain of upcasts has a hole, or the payload does
/// not fit.
pub fn decode<T: DeserializeOwned>(
    current: EventType,
    version: u16,
    payload: &[u8],
    upcasts: &[Upcast],
) -> Result<T, CodecError> {
    let event_type = current.name;
    let json = |source| CodecError::Json { event_type, source };
    if version == current.version {
        return serde_json::from_slice(payload).map_err(json);
    }
    if version > current.version {
        return Err(CodecError::TooNew { event_type, version, known: current.version });
    }
    let mut value = serde_json::from_slice(payload).map_err(json)?;
    for from in version..current.version {
        let step = upcasts.iter().find(|step| step.event_type == event_type && step.from == from);
        let step = step.ok_or(CodecError::NoUpcast { event_type, version: from })?;
        value = (step.lift)(value);
    }
    serde_json::from_value(value).map_err(json)
}

/// Makes an enum of event types a [`StoredEvent`]. Each variant holds the payload of one type:
/// `Added(TitleAdded) = 1` is stored as type `TitleAdded`, schema version 1.
macro_rules! stored_events {
    ($(#[$doc:meta])* pub enum $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident($payload:ident) = $version:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant($payload),)+
        }

        impl $crate::codec::StoredEvent for $name {
            const TYPES: &'static [$crate::codec::EventType] = &[
                $($crate::codec::EventType { name: stringify!($payload), version: $version },)+
            ];

            fn event_type(&self) -> $crate::codec::EventType {
                match self {
                    $(Self::$variant(_) => $crate::codec::EventType {
                        name: stringify!($payload),
                        version: $version,
                    },)+
                }
            }

            fn to_json(&self) -> Result<Vec<u8>, $crate::codec::CodecError> {
                match self {
                    $(Self::$variant(payload) => {
                        $crate::codec::encode(self.event_type(), payload)
                    })+
                }
            }

            fn from_json(
                event_type: &str,
                version: u16,
                payload: &[u8],
            ) -> Result<Self, $crate::codec::CodecError> {
                match event_type {
                    $(stringify!($payload) => $crate::codec::decode(
                        $crate::codec::EventType {
                            name: stringify!($payload),
                            version: $version,
                        },
                        version,
                        payload,
                        $crate::codec::UPCASTS,
                    )
                    .map(Self::$variant),)+
                    _ => Err($crate::codec::CodecError::UnknownType {
                        event_type: event_type.to_owned(),
                    }),
                }
            }
        }
    };
}
pub(crate) use stored_events;
