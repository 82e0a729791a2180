//! Passwords and PINs: the rules for new ones, and hashing with Argon2id (RFC 9106).
//!
//! The parameters are the first that OWASP's Password Storage Cheat Sheet names for Argon2id: 19 MiB
//! of memory, two passes, one lane. Hashes are PHC strings, which name their parameters, so old ones
//! still verify after the parameters have changed and [`needs_rehash`] finds them.
//!
//! What this module does *not* do: it limits no tries (the domain does, per account and PIN), and it
//! does not normalise Unicode, so a password with accents must be typed the same way again.

mod common;
mod rules;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::task;

use crate::random::{self, RandomError};
pub use rules::{
    PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PIN_DIGITS, check_new_password, check_pin,
};

/// Memory of one hashing, in KiB (OWASP Password Storage Cheat Sheet: m=19456, t=2, p=1).
pub const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
pub const PASSES: u32 = 2;
/// Lanes, which could be filled in parallel.
pub const LANES: u32 = 1;

/// Longer texts are no passwords of ours: 128 characters have at most 512 bytes.
const BYTES_MAX: usize = 4 * PASSWORD_CHARS_MAX;

/// How many passwords wait for a processor unless the caller says otherwise. One takes about 20 ms.
const WAITING_MAX: usize = 64;

/// Why a password could not be hashed or compared. None of these says anything about the password.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// Too many wait already. Try again in a second.
    #[error("too many passwords are waiting to be checked")]
    Overloaded,
    /// There are no random bytes; try again later.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The text is longer than any password may be.
    #[error("the password is too long")]
    TooLong,
    /// What is stored is no hash of ours, or there was no memory.
    #[error("hashing a password failed: {0}")]
    Hash(password_hash::Error),
    /// Hashing stopped; the process is ending.
    #[error("hashing a password was interrupted")]
    Interrupted(#[source] task::JoinError),
}

impl PasswordError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Overloaded | Self::Random(_) | Self::Interrupted(_) => true,
            Self::TooLong | Self::Hash(_) => false,
        }
    }
}

/// How much hashing may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordLimits {
    /// How many passwords are hashed at once, each on a thread of its own with [`MEMORY_KIB`].
    pub running_max: NonZeroUsize,
    /// How many more may wait.
    pub waiting_max: usize,
}

impl Default for PasswordLimits {
    /// As many as there are processors, and 64 more wait.
    fn default() -> Self {
        let running_max = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { running_max, waiting_max: WAITING_MAX }
    }
}

/// Hashes and compares passwords and PINs, away from the threads that answer requests.
#[derive(Clone)]
pub struct Passwords {
    /// A permit for each that runs or waits.
    admitted: Arc<Semaphore>,
    /// A permit for each that runs.
    running: Arc<Semaphore>,
    /// What is compared with when there is nothing to compare with.
    nobody: Arc<str>,
}

impl Passwords {
    /// Takes as long as one hashing.
    ///
    /// # Errors
    /// There are no random bytes or no memory.
    pub fn new(limits: PasswordLimits) -> Result<Self, PasswordError> {
        let running_max = limits.running_max.get().min(Semaphore::MAX_PERMITS);
        let admitted_max = running_max.saturating_add(limits.waiting_max);
        Ok(Self {
            admitted: Arc::new(Semaphore::new(admitted_max.min(Semaphore::MAX_PERMITS))),
            running: Arc::new(Semaphore::new(running_max)),
            nobody: hash_now(&random::bytes::<32>()?)?.into(),
        })
    }

    /// The hash of a new password or PIN, to be stored. Check it before with [`check_new_password`]
    /// or [`check_pin`].
    ///
    /// # Errors
    /// Too many wait, or hashing failed.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        if password.len() > BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        let password = password.to_owned();
        self.run(move || hash_now(password.as_bytes())).await
    }

    /// Whether this is the password of the stored hash. Without one the answer is no, after the
    /// same work: how long it takes does not tell whether there is such an account. (It does tell
    /// accounts whose hash [`needs_rehash`].)
    ///
    /// # Errors
    /// Too many wait, or the stored text is no Argon2 hash.
    pub async fn verify(
        &self,
        stored: Option<&str>,
        password: &str,
    ) -> Result<bool, PasswordError> {
        let possible = password.len() <= BYTES_MAX;
        let known = stored.is_some() && possible;
        let stored = stored.map_or_else(|| Arc::clone(&self.nobody), Arc::from);
        let password = if possible { password.to_owned() } else { String::new() };
        let equal = self.run(move || verify_now(&stored, password.as_bytes())).await?;
        Ok(equal && known)
    }

    /// Runs on a thread that may block. The permits go along: if the caller gives up, the work goes
    /// on, and still counts.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(overloaded)?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        let running = running.map_err(|_| PasswordError::Overloaded)?;
        // In this order: who is let in finds a thread.
        let permits: [OwnedSemaphorePermit; 2] = [running, admitted];
        let working = task::spawn_blocking(move || {
            let result = work();
            drop(permits);
            result
        });
        working.await.map_err(PasswordError::Interrupted)?
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("running", &self.running).finish_non_exhaustive()
    }
}

fn overloaded(_: TryAcquireError) -> PasswordError {
    PasswordError::Overloaded
}

/// Whether a stored hash was made otherwise than new ones are. If so, hash the password anew when
/// somebody has signed in with it.
#[must_use]
pub fn needs_rehash(stored: &str) -> bool {
    let Ok(hash) = PasswordHash::new(stored) else { return true };
    let Ok(params) = Params::try_from(&hash) else { return true };
    let current = hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES)
        && hash.hash.is_some_and(|output| output.len() == Params::DEFAULT_OUTPUT_LEN);
    !current
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|error| PasswordError::Hash(error.into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &[u8]) -> Result<String, PasswordError> {
    let salt: [u8; 16] = random::bytes()?;
    let hash = argon2()?.hash_password_with_salt(password, &salt).map_err(PasswordError::Hash)?;
    Ok(hash.to_string())
}

fn verify_now(stored: &str, password: &[u8]) -> Result<bool, PasswordError> {
    match argon2()?.verify_password(password, stored) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(other) => Err(PasswordError::Hash(other)),
    }
}

#[cfg(test)]
mod tests;
