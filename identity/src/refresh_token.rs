//! The refresh token: what a device shows to stay signed in.
//!
//! An opaque text, `prt1_` and then, in base64url, 16 bytes of the account, 16 of the sign-in, 4 of
//! the generation (big-endian) and 32 random bytes. The ids say where to look; only the random part
//! proves anything. Each use replaces the token by one of the next generation, and showing an older
//! one again ends the sign-in (RFC 9700, section 4.14.2); the domain decides that.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playhead_domain::ids::SecretHash;
use playhead_domain::{AccountId, SignInId};
use uuid::Uuid;

use crate::random::{self, RandomError};
use crate::secret;

/// What every refresh token begins with, so that one that leaks is recognised for what it is.
pub const PREFIX: &str = "prt1_";

/// How long every refresh token is, in bytes: the prefix and 68 bytes in base64url.
pub const TEXT_BYTES: usize = PREFIX.len() + 91;

/// A refresh token as the device holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    account_id: AccountId,
    sign_in_id: SignInId,
    generation: u32,
    text: String,
}

impl RefreshToken {
    /// A new token.
    ///
    /// # Errors
    /// There are no random bytes.
    pub fn generate(
        account_id: AccountId,
        sign_in_id: SignInId,
        generation: u32,
    ) -> Result<Self, RandomError> {
        let secret: [u8; 32] = random::bytes()?;
        let bytes = [
            account_id.0.as_bytes().as_slice(),
            sign_in_id.0.as_bytes(),
            &generation.to_be_bytes(),
            &secret,
        ]
        .concat();
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        Ok(Self { account_id, sign_in_id, generation, text })
    }

    /// Reads what a device shows; nothing about it is proven yet. `None`: it never was a refresh
    /// token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != TEXT_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (account, rest) = bytes.split_first_chunk::<16>()?;
        let (sign_in, rest) = rest.split_first_chunk::<16>()?;
        let (generation, _) = rest.split_first_chunk::<4>()?;
        Some(Self {
            account_id: AccountId(Uuid::from_bytes(*account)),
            sign_in_id: SignInId(Uuid::from_bytes(*sign_in)),
            generation: u32::from_be_bytes(*generation),
            text: text.to_owned(),
        })
    }

    /// Whose it claims to be.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        self.account_id
    }

    /// Which sign-in it claims to continue.
    #[must_use]
    pub fn sign_in_id(&self) -> SignInId {
        self.sign_in_id
    }

    /// How many tokens of the sign-in came before, as it claims.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The token, for the answer to its device and nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What is stored of it: its SHA-256.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        secret::hash_of(&self.text)
    }

    /// Whether this is the secret of the stored hash; takes the same time wherever they differ.
    #[must_use]
    pub fn matches(&self, stored: SecretHash) -> bool {
        secret::equal(self.hash(), stored)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("account_id", &self.account_id)
            .field("sign_in_id", &self.sign_in_id)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(generation: u32) -> RefreshToken {
        let account_id = AccountId(Uuid::from_u128(7));
        RefreshToken::generate(account_id, SignInId(Uuid::from_u128(8)), generation).unwrap()
    }

    #[test]
    fn a_token_reads_back_with_its_ids_and_generation() {
        for generation in [0, 1, u32::MAX] {
            let token = token(generation);
            assert_eq!(token.reveal().len(), TEXT_BYTES);
            let read = RefreshToken::parse(token.reveal()).unwrap();
            assert_eq!(read, token);
            assert!(read.matches(token.hash()));
            assert_eq!((read.account_id().0, read.generation()), (Uuid::from_u128(7), generation));
            assert_eq!(read.sign_in_id().0, Uuid::from_u128(8));
        }
    }

    #[test]
    fn no_two_tokens_are_equal() {
        assert_ne!(token(1).hash(), token(1).hash());
    }

    #[test]
    fn whatever_was_altered_has_another_hash_or_is_no_token() {
        let token = token(3);
        for index in 0..TEXT_BYTES {
            let mut altered = token.reveal().as_bytes().to_vec();
            altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
            let altered = RefreshToken::parse(std::str::from_utf8(&altered).unwrap());
            assert!(altered.is_none_or(|altered| altered.hash() != token.hash()), "{index}");
        }
    }

    #[test]
    fn other_lengths_and_spellings_are_no_tokens() {
        let good = token(1).reveal().to_owned();
        for bad in [
            String::new(),
            good[1..].to_owned(),
            good[..TEXT_BYTES - 1].to_owned(),
            format!("{good}A"),
            format!("{good}="),
            format!(" {}", &good[..TEXT_BYTES - 1]),
            good.replace("prt1_", "prt2_"),
            format!("{}é", &good[..TEXT_BYTES - 2]),
        ] {
            assert_eq!(RefreshToken::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_is_not_written_to_logs() {
        let token = token(1);
        let shown = format!("{token:?}");
        assert!(!shown.contains(&token.reveal()[60..]), "{shown}");
    }

    proptest! {
        #[test]
        fn no_text_makes_parsing_panic(text in "prt1_[A-Za-z0-9_-]{91}|.{0,120}") {
            if let Some(token) = RefreshToken::parse(&text) {
                prop_assert_eq!(token.reveal(), text);
            }
        }
    }
}
