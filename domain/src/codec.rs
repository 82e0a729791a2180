//! How events are stored: a type name, a schema version and JSON.
//!
//! A type name and the meaning of its fields are kept for ever. When a type has to change in a way
//! that old payloads do not fit, its version goes up by one and an [`Upcast`] lifts payloads of the
//! version before; a payload is lifted step by step until it has the current version.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::{
    account, device_code, devices, email, identity, playback, sign_in, subscription, title, video,
    viewing,
};

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

/// Every upcast there is, each from one version to the next.
pub const UPCASTS: &[Upcast] = &[
    // Version 2 may say which device asked; without it, any device may poll.
    Upcast { event_type: "DeviceCodeRequested", from: 1, lift: |payload| payload },
    Upcast { event_type: "PlaybackStarted", from: 1, lift: playback::lift_started_from_1 },
    // Version 3 may say where the viewer was; without it, nobody knows.
    Upcast { event_type: "PlaybackStarted", from: 2, lift: |payload| payload },
    Upcast { event_type: "ProfileAdded", from: 1, lift: account::lift_from_1 },
    Upcast { event_type: "ProfileChanged", from: 1, lift: account::lift_from_1 },
    // Version 2 may say for whom a title is; without it, the title counts as for adults.
    Upcast { event_type: "TitleAdded", from: 1, lift: |payload| payload },
    Upcast { event_type: "TitleAdded", from: 2, lift: title::lift_from_2 },
    Upcast { event_type: "TitleEdited", from: 1, lift: |payload| payload },
    Upcast { event_type: "TitleEdited", from: 2, lift: title::lift_from_2 },
];

/// Every event type that Playhead writes, with its current version.
pub fn event_types() -> impl Iterator<Item = EventType> {
    [
        account::Event::TYPES,
        device_code::Event::TYPES,
        devices::Event::TYPES,
        email::Event::TYPES,
        identity::Event::TYPES,
        playback::Event::TYPES,
        sign_in::Event::TYPES,
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    /// A type with a history: version 1 counted stars of five, version 2 said of how many, and
    /// version 3 holds a share.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Rated {
        percent: u64,
    }

    const RATED: EventType = EventType { name: "Rated", version: 3 };
    const GOLDEN_1: &[u8] = br#"{"stars":4}"#;
    const GOLDEN_2: &[u8] = br#"{"stars":3,"stars_max":4}"#;
    const GOLDEN_3: &[u8] = br#"{"percent":60}"#;

    const FROM_1: Upcast = Upcast { event_type: "Rated", from: 1, lift: say_of_how_many };
    const FROM_2: Upcast = Upcast { event_type: "Rated", from: 2, lift: divide };
    const OF_ANOTHER: Upcast = Upcast { event_type: "Liked", from: 1, lift: |_| Value::Null };

    fn say_of_how_many(mut payload: Value) -> Value {
        payload["stars_max"] = json!(5);
        payload
    }

    fn divide(payload: Value) -> Value {
        let stars = payload["stars"].as_u64().unwrap_or(0);
        json!({ "percent": stars * 100 / payload["stars_max"].as_u64().unwrap_or(1) })
    }

    fn read(version: u16, payload: &[u8], upcasts: &[Upcast]) -> Result<Rated, CodecError> {
        decode(RATED, version, payload, upcasts)
    }

    #[test]
    fn a_payload_of_the_current_version_needs_no_upcast() {
        assert_eq!(read(3, GOLDEN_3, &[]).unwrap(), Rated { percent: 60 });
    }

    #[test]
    fn a_payload_of_the_version_before_is_lifted_by_one_step() {
        assert_eq!(read(2, GOLDEN_2, &[FROM_2]).unwrap(), Rated { percent: 75 });
    }

    #[test]
    fn a_payload_of_the_first_version_is_lifted_step_by_step() {
        assert_eq!(read(1, GOLDEN_1, &[FROM_1, FROM_2]).unwrap(), Rated { percent: 80 });
    }

    #[test]
    fn the_order_in_which_upcasts_are_listed_does_not_matter() {
        let upcasts = [FROM_2, OF_ANOTHER, FROM_1];
        assert_eq!(read(1, GOLDEN_1, &upcasts).unwrap(), Rated { percent: 80 });
    }

    #[test]
    fn a_chain_without_its_first_step_has_a_hole() {
        let error = read(1, GOLDEN_1, &[FROM_2]).unwrap_err();
        assert!(matches!(error, CodecError::NoUpcast { event_type: "Rated", version: 1 }));
    }

    #[test]
    fn a_chain_without_its_last_step_breaks_there() {
        let error = read(1, GOLDEN_1, &[FROM_1]).unwrap_err();
        assert_eq!(error.to_string(), "Rated has no upcast from schema version 2");
    }

    #[test]
    fn the_upcast_of_another_type_does_not_fill_a_hole() {
        let error = read(1, GOLDEN_1, &[OF_ANOTHER, FROM_2]).unwrap_err();
        assert!(matches!(error, CodecError::NoUpcast { event_type: "Rated", version: 1 }));
    }

    #[test]
    fn no_version_comes_before_the_first() {
        let error = read(0, GOLDEN_1, &[FROM_1, FROM_2]).unwrap_err();
        assert!(matches!(error, CodecError::NoUpcast { event_type: "Rated", version: 0 }));
    }

    #[test]
    fn a_payload_of_a_newer_program_is_not_read() {
        let error = read(4, GOLDEN_3, &[FROM_1, FROM_2]).unwrap_err();
        let says = "Rated has schema version 4; this program knows up to 3";
        assert_eq!(error.to_string(), says);
    }

    #[test]
    fn bad_json_is_reported_with_its_type() {
        let bad: [(u16, &[u8]); 5] =
            [(3, b"{"), (1, b"{"), (3, b""), (3, b"\xff"), (3, br#"{"percent":60} more"#)];
        for (version, payload) in bad {
            let error = read(version, payload, &[FROM_1, FROM_2]).unwrap_err();
            assert!(matches!(error, CodecError::Json { event_type: "Rated", .. }), "{error}");
        }
    }

    #[test]
    fn a_payload_that_does_not_fit_is_reported_with_its_type_and_field() {
        for payload in [br#"{}"#.as_slice(), br#"{"percent":-1}"#, br#"{"percent":"60"}"#, b"null"]
        {
            let error = read(3, payload, &[]).unwrap_err();
            assert!(error.to_string().starts_with("Rated: "), "{error}");
        }
        let missing = read(3, b"{}", &[]).unwrap_err().to_string();
        assert!(missing.contains("percent"), "{missing}");
    }

    #[test]
    fn a_lifted_payload_that_does_not_fit_is_reported_with_its_type() {
        let astray = Upcast { event_type: "Rated", from: 2, lift: |_| json!({ "share": 1 }) };
        let error = read(2, GOLDEN_2, &[astray]).unwrap_err();
        assert!(matches!(error, CodecError::Json { event_type: "Rated", .. }), "{error}");
    }

    #[test]
    fn a_field_that_a_newer_program_added_is_ignored() {
        let extended = br#"{"percent":60,"because":"it is long"}"#;
        assert_eq!(read(3, extended, &[]).unwrap(), Rated { percent: 60 });
    }

    #[test]
    fn a_payload_is_written_as_it_is_read() {
        assert_eq!(encode(RATED, &Rated { percent: 60 }).unwrap(), GOLDEN_3);
    }

    #[test]
    fn what_json_cannot_hold_is_reported_with_its_type() {
        let keys_are_no_text = std::collections::BTreeMap::from([(vec![1], 1)]);
        let error = encode(RATED, &keys_are_no_text).unwrap_err();
        assert!(matches!(error, CodecError::Json { event_type: "Rated", .. }), "{error}");
    }

    #[test]
    fn a_type_of_another_set_is_unknown() {
        let error = title::Event::from_json("PlaybackStarted", 1, b"{}").unwrap_err();
        assert_eq!(error.to_string(), "event type \"PlaybackStarted\" is not known here");
    }

    #[test]
    fn a_set_reads_only_the_versions_it_knows() {
        let error = title::Event::from_json("TitleWithdrawn", 2, b"{}").unwrap_err();
        let known = CodecError::TooNew { event_type: "TitleWithdrawn", version: 2, known: 1 };
        assert_eq!(error.to_string(), known.to_string());
    }

    #[test]
    fn no_two_types_have_one_name() {
        let mut names: Vec<_> = event_types().map(|of| of.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_type_that_has_older_versions_has_a_whole_chain_of_upcasts() {
        let needed = event_types().flat_map(|of| (1..of.version).map(move |from| (of.name, from)));
        let mut needed: Vec<_> = needed.collect();
        let mut there: Vec<_> = UPCASTS.iter().map(|step| (step.event_type, step.from)).collect();
        needed.sort_unstable();
        there.sort_unstable();
        assert_eq!(there, needed, "one upcast from each older version, and no other");
    }
}
