//! Seals the personal fields of events, with one key for each person.
//!
//! The log is never changed, yet a person may ask to be forgotten. So what is personal is encrypted
//! before it enters the log, under a key that belongs to that person alone; deleting the key makes
//! every copy of the log, backups included, forget ("crypto-shredding"). The keys are in a small
//! SQLite file of their own, wrapped under a master key that is not in it.
//!
//! - In clear an event holds `{"$personal": x}`. [`Vault::seal`] replaces it by
//!   `{"$sealed": "…"}` before the append; [`Vault::unseal`] brings it back, or answers
//!   `{"$erased": true}` when the person was erased. Everything else is passed on byte for byte, and
//!   a payload without a marker is not even parsed.
//! - Readers of many events fetch a [`Keyring`] for a batch and unseal without waiting.
//! - [`SealedLog`] is an event log that does both, so that nobody above it needs to know.
//! - [`Vault::blind_index`] turns an e-mail address into a name under which it can be found.
//! - [`Vault::erase`] forgets a person, [`Vault::rewrap`] moves to another master key.
//!
//! # What it protects against
//! - *Whoever reads the log, its backups or the disks they are on* learns no personal field
//!   without the key file and the master key. Wrapped keys alone are useless.
//! - *An erased person's data comes back from nowhere:* not from the log, an old backup of it or the
//!   key file. When [`Vault::erase`] has answered, no byte of the wrapped key is in the key file or
//!   its journal, and the change is on the disk.
//! - *Whoever can write to the log* cannot pass off a sealed value as another: it is bound to its
//!   stream, event, type, schema version and place in the payload, and to the person's key. A changed,
//!   shortened or moved value is an error and never plaintext. Nor can plaintext or
//!   `{"$erased": true}` be slipped in: both are refused where they should not be.
//! - *Several keys for one ciphertext:* XChaCha20-Poly1305 commits to no key, so a ciphertext can be
//!   made that opens under two (Albertini, Duong, Gueron, Kölbl, Luykx, Schmieg: How to Abuse and Fix
//!   Authenticated Encryption Without Key Commitment, USENIX Security 2022). The sealed form holds a
//!   commitment; see [`field`].
//!
//! # What it does not protect against
//! - *Copies of the key file.* Whoever keeps a copy from before an erasure, and the master key, can
//!   read the erased person. Keep copies apart from those of the log, few, and only as long as the law
//!   leaves for an erasure; but keep some, because without the file all personal data is gone.
//! - *The medium.* Overwritten blocks may survive in the flash of a disk, in a journal or a snapshot of
//!   the file system. A new master key ([`Vault::rewrap`]) and the destruction of the old one make
//!   such remains useless.
//! - *Whoever reads the memory of the process.* Keys are overwritten when they are dropped, but the
//!   unsealed payloads are not, nor are the inner states of the hash function.
//! - *Read models.* They hold what they unsealed, and must drop it when they fold the erasure.
//! - *Shape and place.* The length of a value, which fields an event has and when it was recorded are
//!   in clear. So is a blind index: equal texts have equal ones, and whoever holds the vault can try
//!   guesses.
//! - *Taking events away or repeating old ones.* That is the log's matter.
//!
//! # Limits
//! A payload with markers has at most [`PAYLOAD_BYTES_MAX`] bytes, [`FIELDS_MAX`] of them, and none
//! deeper than [`DEPTH_MAX`]. [`KEYS_CACHED`] keys are kept in memory, unwrapped. One process uses a key
//! file at a time, any number of threads.
//!
//! # Randomness and time
//! This crate stands at the edge: keys and nonces come from the operating system, because a caller
//! that could choose them could break the encryption. It knows no clock.

pub mod error;
pub mod field;
pub mod log;

mod keyring;
mod keys;
mod marker;
mod master;
mod payload;
mod rewrap;
mod secret;
mod vault;

#[cfg(test)]
mod testing;

pub use error::VaultError;
pub use field::Envelope;
pub use keyring::Keyring;
pub use log::SealedLog;
pub use marker::{DEPTH_MAX, FIELDS_MAX, PAYLOAD_BYTES_MAX, holds_sealed, may_hold_marker};
pub use master::MasterKey;
pub use vault::{KEYS_CACHED, Vault};
