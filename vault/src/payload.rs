//! Whole payloads: each marker replaced, everything else copied.

use std::borrow::Cow;

use crate::error::VaultError;
use crate::field::{self, Envelope};
use crate::keys::KeyState;
use crate::marker::{self, Kind, Marker, PAYLOAD_BYTES_MAX};
use crate::secret::{Key, random_nonce};

/// The personal fields of a payload that is to be recorded.
///
/// # Errors
/// [`marker::find`] refuses it, or something in it is sealed or erased already.
pub(crate) fn personal(payload: &[u8]) -> Result<Vec<Marker<'_>>, VaultError> {
    let markers = marker::find(payload)?;
    match markers.iter().find(|marker| marker.kind != Kind::Personal) {
        Some(marker) => Err(marker.misplaced("must not be in what is to be sealed")),
        None => Ok(markers),
    }
}

/// The sealed fields of a payload that was recorded.
///
/// # Errors
/// [`marker::find`] refuses it, or something in it is in clear or erased.
pub(crate) fn sealed(payload: &[u8]) -> Result<Vec<Marker<'_>>, VaultError> {
    let markers = marker::find(payload)?;
    match markers.iter().find(|marker| marker.kind != Kind::Sealed) {
        Some(marker) => Err(marker.misplaced("must not be in what was recorded")),
        None => Ok(markers),
    }
}

/// That a payload of nobody has no marker at all.
///
/// # Errors
/// It has one, or [`marker::find`] refuses it.
pub(crate) fn without_markers(payload: &[u8]) -> Result<(), VaultError> {
    match marker::find(payload)?.first() {
        Some(marker) => Err(marker.misplaced("is in a stream that is nobody's")),
        None => Ok(()),
    }
}

/// Seals the personal fields of a payload.
pub(crate) fn seal(
    key: &Key,
    envelope: &Envelope<'_>,
    payload: &[u8],
    fields: &[Marker<'_>],
) -> Result<Vec<u8>, VaultError> {
    let sealed = replace(payload, fields, |field| {
        let text = field::seal(key, random_nonce()?, envelope, &field.pointer, field.value)?;
        Ok(format!("{{\"{}\":\"{text}\"}}", Kind::Sealed.key()).into_bytes())
    })?;
    if sealed.len() > PAYLOAD_BYTES_MAX {
        return Err(VaultError::TooLarge { limit: PAYLOAD_BYTES_MAX, unit: "bytes when sealed" });
    }
    Ok(sealed)
}

/// Unseals the sealed fields of a payload, or says that they are gone.
pub(crate) fn unseal<'p>(
    key: &KeyState,
    envelope: &Envelope<'_>,
    payload: &'p [u8],
    fields: &[Marker<'_>],
) -> Result<Cow<'p, [u8]>, VaultError> {
    let unsealed = replace(payload, fields, |field| {
        let KeyState::Known(key) = key else {
            return Ok(format!("{{\"{}\":true}}", Kind::Erased.key()).into_bytes());
        };
        let refused = || VaultError::NotSealed {
            pointer: field.pointer.clone(),
            reason: "it is not a string",
        };
        // The text between the quotes: base64url needs no escapes, and others are not taken.
        let text = field.value.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let value = field::open(key, envelope, &field.pointer, text.ok_or_else(refused)?)?;
        let before = format!("{{\"{}\":", Kind::Personal.key());
        Ok([before.as_bytes(), &value, b"}"].concat())
    })?;
    Ok(Cow::Owned(unsealed))
}

/// The payload with each of the fields replaced. They are in their order and do not overlap.
fn replace(
    payload: &[u8],
    fields: &[Marker<'_>],
    mut by: impl FnMut(&Marker<'_>) -> Result<Vec<u8>, VaultError>,
) -> Result<Vec<u8>, VaultError> {
    let mut replaced = Vec::with_capacity(payload.len());
    let mut copied = 0;
    for field in fields {
        replaced.extend_from_slice(payload.get(copied..field.span.start).unwrap_or_default());
        replaced.extend_from_slice(&by(field)?);
        copied = field.span.end;
    }
    replaced.extend_from_slice(payload.get(copied..).unwrap_or_default());
    Ok(replaced)
}

#[cfg(test)]
mod tests;
