//! Proofs of who somebody is: passwords, keys, tokens, codes, and the mail that carries codes.
//!
//! Nothing here decides what a person may do; that is the domain's. This crate turns secrets into
//! facts for the domain's commands ("the password is right", "the token names this account") and
//! makes the secrets that are handed out.
//!
//! It stands at the edge, so it takes random bytes from the operating system. It knows no clock:
//! times come as `now_ms`, milliseconds since 1970-01-01 UTC. It keeps nothing; what is stored is
//! for the caller to store, except that [`mail::EmlMailer`] writes files.
//!
//! | module | what it proves | stored as |
//! | --- | --- | --- |
//! | [`password`] | somebody knows a password or a PIN | Argon2id, PHC string |
//! | [`keys`], [`access_token`] | this service said so up to an hour ago | nothing but the keys |
//! | [`refresh_token`] | the device that signed in | SHA-256 |
//! | [`one_time_code`] | somebody reads the mail of an address, or holds a TV | SHA-256 |
//! | `oidc` (feature) | another identity provider said so | nothing |
//!
//! Limits: a token of ours has at most 2,048 bytes and one of others 16,384; a ring holds at most
//! 16 keys, a provider 32; of passwords, as many are hashed at once as there are processors, and 64
//! more wait.

pub mod access_token;
mod compact;
pub mod keys;
pub mod mail;
#[cfg(feature = "oidc")]
pub mod oidc;
pub mod one_time_code;
pub mod password;
mod random;
pub mod refresh_token;
mod secret;
mod strict_json;

pub use random::RandomError;
