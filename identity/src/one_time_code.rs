//! Codes that prove one thing once: that somebody reads the mail of an address, or that the person
//! at a phone means the TV that shows a code (RFC 8628).
//!
//! How long a code is valid and how often it may be tried is for the domain to say.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playhead_domain::ids::{DeviceCodeKey, SecretHash};

use crate::random::{self, RandomError};
use crate::secret;

/// How long codes of 32 random bytes are in base64url.
const TEXT_BYTES: usize = 43;

macro_rules! random_code {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 32 random bytes, 43 characters of base64url.
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// A new code.
            ///
            /// # Errors
            /// There are no random bytes.
            pub fn generate() -> Result<Self, RandomError> {
                Ok(Self(URL_SAFE_NO_PAD.encode(random::bytes::<32>()?)))
            }

            /// Reads what somebody shows; nothing about it is proven yet.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let canonical = text.len() == TEXT_BYTES && URL_SAFE_NO_PAD.decode(text).is_ok();
                canonical.then(|| Self(text.to_owned()))
            }

            /// The code, for the one who is to have it and nobody else.
            #[must_use]
            pub fn reveal(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

random_code! {
    /// A code in a link of a mail, which verifies an address or lets a password be set anew.
    OneTimeCode
}
random_code! {
    /// What a TV polls with until somebody has approved it (RFC 8628, section 3.2).
    DeviceCode
}

impl OneTimeCode {
    /// What is stored of it: its SHA-256.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        secret::hash_of(&self.0)
    }

    /// Whether this is the secret of the stored hash; takes the same time wherever they differ.
    #[must_use]
    pub fn matches(&self, stored: SecretHash) -> bool {
        secret::equal(self.hash(), stored)
    }
}

impl DeviceCode {
    /// What is stored of it, and names its stream: its SHA-256.
    #[must_use]
    pub fn key(&self) -> DeviceCodeKey {
        DeviceCodeKey(secret::hash_of(&self.0).0)
    }
}

/// The letters of user codes: no vowels, so that no words come about, and none that look alike
/// (RFC 8628, section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// How many letters a user code has: 20⁸ codes, 34.5 bits.
const USER_CODE_LETTERS: usize = 8;

/// What a TV shows and somebody types into a phone (RFC 8628, section 3.3).
///
/// It has 34.5 bits, so it must be short-lived, tries must be limited, and it must be stored as a
/// hash under a key: a plain one could be tried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UserCode([u8; USER_CODE_LETTERS]);

impl UserCode {
    /// A new code; each is as likely as any other.
    ///
    /// # Errors
    /// There are no random bytes.
    pub fn generate() -> Result<Self, RandomError> {
        let mut code = [0; USER_CODE_LETTERS];
        let mut filled = 0;
        while filled < USER_CODE_LETTERS {
            for byte in random::bytes::<16>()? {
                // 240 is the highest multiple of 20 in a byte; beyond it the first letters would
                // be likelier.
                let letter = LETTERS.get(usize::from(byte % 20)).filter(|_| byte < 240);
                if let (Some(letter), Some(place)) = (letter, code.get_mut(filled)) {
                    *place = *letter;
                    filled += 1;
                }
            }
        }
        Ok(Self(code))
    }

    /// Reads what somebody typed: small and capital letters, with dashes and spaces anywhere.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 4 * USER_CODE_LETTERS {
            return None;
        }
        let letters = text.bytes().filter(|byte| !matches!(byte, b'-' | b' '));
        let letters: Vec<u8> = letters.map(|byte| byte.to_ascii_uppercase()).collect();
        let known = letters.iter().all(|letter| LETTERS.contains(letter));
        known.then_some(Self(letters.try_into().ok()?))
    }

    /// The eight letters, without the dash: what is hashed under a key to find the TV again.
    #[must_use]
    pub fn letters(&self) -> String {
        self.0.iter().copied().map(char::from).collect()
    }
}

/// As it is shown, such as `BCDF-GHJK`.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, letter) in self.0.iter().enumerate() {
            let dash = if index == USER_CODE_LETTERS / 2 { "-" } else { "" };
            write!(f, "{dash}{}", char::from(*letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_reads_back_and_is_stored_as_its_hash() {
        let code = OneTimeCode::generate().unwrap();
        assert_eq!(code.reveal().len(), 43);
        assert_eq!(OneTimeCode::parse(code.reveal()), Some(code.clone()));
        assert!(code.matches(code.hash()));
        assert!(!code.matches(OneTimeCode::generate().unwrap().hash()));
        let device = DeviceCode::generate().unwrap();
        assert_eq!(DeviceCode::parse(device.reveal()).unwrap().key(), device.key());
        assert!(!format!("{code:?}{device:?}").contains(&code.reveal()[..8]));
    }

    #[test]
    fn other_lengths_and_spellings_are_no_codes() {
        let good = OneTimeCode::generate().unwrap().reveal().to_owned();
        let padded = format!("{good}=");
        // 43 characters hold 258 bits, so the last two of them must be zero.
        let trailing = format!("{}B", "A".repeat(42));
        for bad in ["", &good[1..], &padded, &trailing, &format!(" {}", &good[1..])] {
            assert_eq!(OneTimeCode::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_user_code_is_shown_in_two_groups_and_read_however_it_is_typed() {
        let code = UserCode::parse("WDJBMJHT").unwrap();
        assert_eq!(code.to_string(), "WDJB-MJHT");
        assert_eq!(code.letters(), "WDJBMJHT");
        for typed in ["wdjb-mjht", "WDJBMJHT", " w d j b - m j h t ", "WDJB–MJHT", "wdJB--MJht"] {
            assert_eq!(UserCode::parse(typed), typed.is_ascii().then_some(code), "{typed}");
        }
        for bad in ["", "WDJBMJH", "WDJBMJHTT", "WDJBMJHA", "WDJBMJH0", &"-".repeat(1_000)] {
            assert_eq!(UserCode::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn user_codes_use_every_letter() {
        let codes: Vec<_> = (0..200).map(|_| UserCode::generate().unwrap()).collect();
        let letters: BTreeSet<u8> = codes.iter().flat_map(|code| code.0).collect();
        assert_eq!(letters, LETTERS.iter().copied().collect());
        assert!(codes.iter().all(|code| UserCode::parse(&code.to_string()) == Some(*code)));
    }
}
