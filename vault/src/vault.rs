//! The vault: keys, and what is done with them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::VaultError;
use crate::field::Envelope;
use crate::keyring::Keyring;
use crate::keys::{KeyState, Keys};
use crate::marker::may_hold_marker;
use crate::master::{Master, MasterKey};
use crate::payload;
use crate::rewrap::Step;
use crate::secret::{Key, length_prefixed, random_nonce};

/// How many persons' keys are kept in memory at most, unwrapped: about 10 MB. Whoever is left out costs
/// a look into the file.
pub const KEYS_CACHED: usize = 65_536;
/// How many new keys share a commit at most.
const KEYS_TOGETHER: usize = 256;

/// One key for each person, and what is sealed with it. Clones share everything.
#[derive(Clone)]
pub struct Vault {
    shared: Arc<Shared>,
}

struct Shared {
    /// Whoever holds it may use the file and put keys into the cache. So a key that was read before an
    /// erasure cannot be put there behind it.
    keys: tokio::sync::Mutex<Keys>,
    cache: Cache<Uuid, KeyState>,
    /// Who waits for a first key. The one who gets hold of the file makes those of all.
    waiting: Mutex<BTreeSet<Uuid>>,
    index_key: Key,
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Vault").field("cached", &self.shared.cache.len()).finish()
    }
}

impl Shared {
    /// No code panics while it holds the lock, so a poisoned set is still a whole one.
    fn waiting(&self) -> MutexGuard<'_, BTreeSet<Uuid>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some of those who wait, and this one.
    fn take_waiting(&self, subject: Uuid) -> Vec<Uuid> {
        let mut waiting = self.waiting();
        waiting.remove(&subject);
        let mut taken = vec![subject];
        while taken.len() < KEYS_TOGETHER {
            let Some(other) = waiting.pop_first() else { break };
            taken.push(other);
        }
        taken
    }
}

impl Vault {
    /// Opens the key file at a path, or makes a new one that only its owner can read. Its directory
    /// must exist. It is in use until the vault is [closed](Self::close).
    ///
    /// Use [`open_existing`](Self::open_existing) when there is a log already: an empty key file in
    /// place of a lost one would begin new keys for persons who have some.
    ///
    /// # Errors
    /// [`VaultError::WrongMasterKey`], [`VaultError::MasterKeyReplaced`], [`VaultError::InUse`],
    /// [`VaultError::OtherFormat`], or it cannot be read or written.
    pub async fn open(path: &Path, master: MasterKey) -> Result<Self, VaultError> {
        let (keys, index_key) = Keys::open(path, Master::new(&master)).await?;
        let shared = Shared {
            keys: tokio::sync::Mutex::new(keys),
            cache: Cache::new(KEYS_CACHED),
            waiting: Mutex::default(),
            index_key,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The same, but makes no new file.
    ///
    /// # Errors
    /// [`VaultError::Missing`] if there is none, and all of [`open`](Self::open).
    pub async fn open_existing(path: &Path, master: MasterKey) -> Result<Self, VaultError> {
        match tokio::fs::try_exists(path).await {
            Ok(true) => Self::open(path, master).await,
            Ok(false) => Err(VaultError::Missing { path: path.to_owned() }),
            Err(error) => Err(VaultError::io(path)(error)),
        }
    }

    /// Closes the key file; whatever needs it fails afterwards.
    pub async fn close(&self) {
        self.shared.keys.lock().await.close().await;
    }

    /// Seals the personal fields of a payload that is about to be recorded: every `{"$personal": x}`
    /// becomes `{"$sealed": "…"}`, everything else stays byte for byte. A payload that
    /// [may hold no marker](may_hold_marker) is answered as it is.
    ///
    /// A person's first value makes their key; it is on the disk before the answer. The same payload
    /// sealed twice is different bytes.
    ///
    /// # Errors
    /// [`VaultError::Erased`] if the person was erased. [`VaultError::Misplaced`] if the payload has
    /// `$sealed` or `$erased` in it, a marker inside another's value, or one beside other keys: rather
    /// than guessing what was meant, nothing is sealed. [`VaultError::NotJson`] and
    /// [`VaultError::TooLarge`], only if it may hold a marker. Or the key file cannot be used.
    pub async fn seal<'p>(
        &self,
        subject: Uuid,
        envelope: &Envelope<'_>,
        payload: &'p [u8],
    ) -> Result<Cow<'p, [u8]>, VaultError> {
        let fields = payload::personal(payload)?;
        if fields.is_empty() {
            return Ok(Cow::Borrowed(payload));
        }
        match self.key_to_seal(subject).await? {
            KeyState::Erased => Err(VaultError::Erased { subject }),
            KeyState::Known(key) => payload::seal(&key, envelope, payload, &fields).map(Cow::Owned),
        }
    }

    /// Brings back the personal fields of a recorded payload; see [`Keyring::unseal`].
    ///
    /// # Errors
    /// Those of [`Keyring::unseal`], or the key file cannot be read.
    pub async fn unseal<'p>(
        &self,
        subject: Uuid,
        envelope: &Envelope<'_>,
        payload: &'p [u8],
    ) -> Result<Cow<'p, [u8]>, VaultError> {
        if !may_hold_marker(payload) {
            return Ok(Cow::Borrowed(payload));
        }
        self.keyring([subject]).await?.unseal(subject, envelope, payload)
    }

    /// The keys of some persons, for a batch of events. Ask only for those whose payloads
    /// [may hold a marker](may_hold_marker). All that are not in memory take one look into the file
    /// together. Unknown persons are left out.
    ///
    /// # Errors
    /// The key file cannot be read, or a key in it is damaged.
    pub async fn keyring(
        &self,
        subjects: impl IntoIterator<Item = Uuid>,
    ) -> Result<Keyring, VaultError> {
        let mut keyring = Keyring::default();
        let mut missing = BTreeSet::new();
        for subject in subjects {
            match self.shared.cache.get(&subject) {
                Some(state) => keyring.insert(subject, state),
                None => {
                    missing.insert(subject);
                }
            }
        }
        if missing.is_empty() {
            return Ok(keyring);
        }
        let missing: Vec<Uuid> = missing.into_iter().collect();
        let keys = self.shared.keys.lock().await;
        for (subject, state) in keys.find(&missing).await? {
            self.shared.cache.insert(subject, state.clone());
            keyring.insert(subject, state);
        }
        Ok(keyring)
    }

    /// The person's key; a new one if they have none.
    async fn key_to_seal(&self, subject: Uuid) -> Result<KeyState, VaultError> {
        let cache = &self.shared.cache;
        if let Some(state) = cache.get(&subject) {
            return Ok(state);
        }
        self.shared.waiting().insert(subject);
        let keys = self.shared.keys.lock().await;
        if let Some(state) = cache.get(&subject) {
            self.shared.waiting().remove(&subject);
            return Ok(state);
        }
        let wanted = self.shared.take_waiting(subject);
        let mut found = keys.find(&wanted).await?;
        let known: BTreeSet<Uuid> = found.iter().map(|(subject, _)| *subject).collect();
        let unknown: Vec<Uuid> = wanted.into_iter().filter(|id| !known.contains(id)).collect();
        if !unknown.is_empty() {
            found.extend(keys.add(&unknown).await?);
        }
        let mut own = None;
        for (id, state) in found {
            if id == subject {
                own = Some(state.clone());
            }
            cache.insert(id, state);
        }
        own.ok_or(VaultError::NoKey { subject })
    }

    /// Forgets a person for good. Their key is overwritten on the disk and dropped from memory; what
    /// is sealed under it can never be read again, and nothing can be sealed for them. Answers whether
    /// there was a key. Doing it again changes nothing. Of a person who never had a key it is
    /// remembered, too, that they were erased.
    ///
    /// A [`Keyring`] that was taken before, and a seal that is under way, can still use the key.
    ///
    /// # Errors
    /// The key file cannot be written. The key may be gone or not; erase again.
    pub async fn erase(&self, subject: Uuid) -> Result<bool, VaultError> {
        let keys = self.shared.keys.lock().await;
        // Before the commit, so that an erasure whose caller gives up leaves no key in the cache.
        self.shared.cache.remove(&subject);
        let had_key = keys.erase(subject).await?;
        self.shared.cache.insert(subject, KeyState::Erased);
        Ok(had_key)
    }

    /// Those of some persons whom the vault does not know to be erased: they have a key, or nothing is
    /// known of them. Asks the file for all at once, so ask for a few hundred.
    ///
    /// # Errors
    /// The key file cannot be read, or a key in it is damaged.
    pub async fn not_erased(&self, subjects: &[Uuid]) -> Result<Vec<Uuid>, VaultError> {
        let found = self.shared.keys.lock().await.find(subjects).await?;
        let erased: BTreeSet<Uuid> = found
            .into_iter()
            .filter_map(|(id, state)| matches!(state, KeyState::Erased).then_some(id))
            .collect();
        Ok(subjects.iter().copied().filter(|id| !erased.contains(id)).collect())
    }

    /// Moves all keys under a new master key; answers how many were moved. Sealed values and blind
    /// indexes stay as they are, and the vault can be used meanwhile.
    ///
    /// If it fails or the process dies, do it again with the same key: it goes on where it was. From
    /// its first step on, the file opens with the new key only ([`VaultError::MasterKeyReplaced`]
    /// otherwise). When it has answered, the old key opens nothing in the file, and no wrapped key of
    /// before is in it.
    ///
    /// # Errors
    /// The key file cannot be written, or a key in it is damaged.
    pub async fn rewrap(&self, new: MasterKey) -> Result<u64, VaultError> {
        let new = Master::new(&new);
        let before = self.finish_rewrap().await?;
        self.shared.keys.lock().await.replace_master(&new).await?;
        Ok(self.finish_rewrap().await?.saturating_add(before))
    }

    /// Whether a new master key was set and not all keys are under it. Then
    /// [rewrap](Self::rewrap) again.
    pub async fn is_rewrapping(&self) -> bool {
        self.shared.keys.lock().await.previous.is_some()
    }

    async fn finish_rewrap(&self) -> Result<u64, VaultError> {
        let (mut moved, mut after) = (0_u64, 0);
        loop {
            match self.shared.keys.lock().await.rewrap_step(after).await? {
                Step::Done => return Ok(moved),
                Step::Moved { keys, last } => {
                    moved = moved.saturating_add(keys);
                    after = last;
                }
            }
        }
    }

    /// Encrypts a text that is nobody's alone and lies outside of the log for a while, under a key of
    /// the label (XChaCha20-Poly1305; HKDF-SHA-256 derives it from that of blind indexes).
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub fn lock(&self, label: &str, text: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce = random_nonce()?;
        let locked = self.lock_key(label).encrypt(nonce, text, &[]);
        let too_large = || VaultError::TooLarge { limit: usize::MAX, unit: "bytes" };
        Ok([&nonce, locked.ok_or_else(too_large)?.as_slice()].concat())
    }

    /// What was [locked](Self::lock) under the same label; `None` for anything else.
    #[must_use]
    pub fn unlock(&self, label: &str, locked: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, locked) = locked.split_first_chunk()?;
        self.lock_key(label).decrypt(*nonce, locked, &[])
    }

    fn lock_key(&self, label: &str) -> Key {
        let info = length_prefixed(&[b"playhead vault v1 lock", label.as_bytes()]);
        self.shared.index_key.derive(None, &info)
    }

    /// A name for a text under which it can be looked up: equal texts have equal names, and without
    /// the vault nobody can tell the text or try guesses. Names of different labels have nothing in
    /// common.
    ///
    /// HMAC-SHA-256 (RFC 2104) under a key of the label, which HKDF-SHA-256 (RFC 5869) derives from a
    /// random one in the key file. It outlives every master key and erasure. Spell the text in one way
    /// before, such as an address in lower case: what differs in a byte has another name.
    #[must_use]
    pub fn blind_index(&self, label: &str, text: &str) -> [u8; 32] {
        blind_index(&self.shared.index_key, label, text)
    }
}

#[cfg(test)]
impl Vault {
    /// The key file, for tests that look into it or take single steps.
    pub(crate) async fn keys(&self) -> tokio::sync::MutexGuard<'_, Keys> {
        self.shared.keys.lock().await
    }
}

fn blind_index(index_key: &Key, label: &str, text: &str) -> [u8; 32] {
    let info = length_prefixed(&[b"playhead vault v1 blind index", label.as_bytes()]);
    index_key.derive(None, &info).authenticate(text.as_bytes())
}

#[cfg(test)]
mod tests;
