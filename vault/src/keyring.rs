//! The keys of a few persons, for readers that cannot wait.

use std::borrow::Cow;
use std::collections::HashMap;

use uuid::Uuid;

use crate::error::VaultError;
use crate::field::Envelope;
use crate::keys::KeyState;
use crate::payload;

/// The keys of the persons it was [asked for](crate::Vault::keyring), as they were then. Meant for
/// one batch of events: who is erased afterwards is still readable with it, so drop it soon.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: HashMap<Uuid, KeyState>,
}

impl Keyring {
    pub(crate) fn insert(&mut self, subject: Uuid, key: KeyState) {
        self.keys.insert(subject, key);
    }

    /// Brings back the personal fields of a recorded payload. Without a marker it is answered as it
    /// is, and nothing is asked of the keyring.
    ///
    /// The person's sealed values become `{"$personal": x}`, or `{"$erased": true}` if the person was
    /// erased.
    ///
    /// # Errors
    /// A value is not what was sealed for this person, event and place; the payload holds a marker
    /// that must not be recorded, is not JSON or exceeds a limit; or [`VaultError::NoKey`] if the
    /// keyring was not asked for the person or the vault does not know them.
    pub fn unseal<'p>(
        &self,
        subject: Uuid,
        envelope: &Envelope<'_>,
        payload: &'p [u8],
    ) -> Result<Cow<'p, [u8]>, VaultError> {
        let fields = payload::sealed(payload)?;
        if fields.is_empty() {
            return Ok(Cow::Borrowed(payload));
        }
        let key = self.keys.get(&subject).ok_or(VaultError::NoKey { subject })?;
        payload::unseal(key, envelope, payload, &fields)
    }
}
