//! Reading and writing a payload of any type by its name.

use playhead_domain::codec::{CodecError, EventType, event_types};
use playhead_domain::{
    StoredEvent, account, device_code, devices, email, identity, playback, sign_in, subscription,
    title, video, viewing,
};
use serde_json::Value;

type RoundTrip = fn(&str, u16, &[u8]) -> Result<Value, CodecError>;

/// Each set of events, and how a payload of it is read and written again.
const SETS: &[(&[EventType], RoundTrip)] = &[
    (account::Event::TYPES, round_trip_of::<account::Event>),
    (device_code::Event::TYPES, round_trip_of::<device_code::Event>),
    (devices::Event::TYPES, round_trip_of::<devices::Event>),
    (email::Event::TYPES, round_trip_of::<email::Event>),
    (identity::Event::TYPES, round_trip_of::<identity::Event>),
    (playback::Event::TYPES, round_trip_of::<playback::Event>),
    (sign_in::Event::TYPES, round_trip_of::<sign_in::Event>),
    (subscription::Event::TYPES, round_trip_of::<subscription::Event>),
    (title::Event::TYPES, round_trip_of::<title::Event>),
    (video::Event::TYPES, round_trip_of::<video::Event>),
    (viewing::Event::TYPES, round_trip_of::<viewing::Event>),
];

fn round_trip_of<E: StoredEvent>(
    event_type: &str,
    version: u16,
    payload: &[u8],
) -> Result<Value, CodecError> {
    let written = E::from_json(event_type, version, payload)?.to_json()?;
    Ok(serde_json::from_slice(&written).unwrap())
}

/// Reads a payload of any version and writes it in the current one.
pub(crate) fn round_trip(name: &str, version: u16, payload: &Value) -> Result<Value, CodecError> {
    let (_, round_trip) = SETS
        .iter()
        .find(|(types, _)| types.iter().any(|of| of.name == name))
        .unwrap_or_else(|| panic!("{name} is in no set"));
    round_trip(name, version, payload.to_string().as_bytes())
}

#[test]
fn every_event_type_is_in_one_of_the_sets() {
    let mut listed: Vec<_> = event_types().map(|of| (of.name, of.version)).collect();
    let mut here: Vec<_> =
        SETS.iter().flat_map(|(types, _)| *types).map(|of| (of.name, of.version)).collect();
    listed.sort_unstable();
    here.sort_unstable();
    assert_eq!(here, listed);
}
