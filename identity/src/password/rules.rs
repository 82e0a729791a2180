//! What a new password or PIN must be.

use playhead_domain::InvalidValue;
use playhead_domain::values::check;

use super::common::COMMON;

/// The fewest characters of a password (NIST SP 800-63B, section 5.1.1.1).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// The most characters of a password; at least 64 must be allowed (the same section).
pub const PASSWORD_CHARS_MAX: usize = 128;
/// How many digits a PIN has.
pub const PIN_DIGITS: usize = 4;

/// Shorter local parts stand in passwords by chance.
const LOCAL_PART_CHARS_MIN: usize = 3;

/// Whether somebody with this e-mail address may take this password. There are no rules on kinds of
/// characters: they lead to worse passwords (NIST SP 800-63B, appendix A).
///
/// # Errors
/// It breaks a rule; `password` is the field.
pub fn check_new_password(password: &str, email: &str) -> Result<(), InvalidValue> {
    let field = "password";
    // Not all of a long text needs to be counted.
    let chars = password.chars().take(PASSWORD_CHARS_MAX + 1).count();
    let fits = (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&chars);
    check(fits, field, "8 to 128 characters long")?;
    let lower = password.to_lowercase();
    let rare = !COMMON.contains(&lower.as_str());
    check(rare, field, "other than the passwords that are tried first")?;
    let local = email.rsplit_once('@').map_or(email, |(local, _)| local).to_lowercase();
    let telling = local.chars().count() >= LOCAL_PART_CHARS_MIN && lower.contains(&local);
    check(!telling, field, "without the part of the e-mail address before the @")
}

/// Whether this can be a PIN: four digits from 0 to 9.
///
/// # Errors
/// It breaks the rule; `pin` is the field.
pub fn check_pin(pin: &str) -> Result<(), InvalidValue> {
    let digits = pin.len() == PIN_DIGITS && pin.bytes().all(|byte| byte.is_ascii_digit());
    check(digits, "pin", "4 digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(password: &str) -> Option<&'static str> {
        let refused = check_new_password(password, "Ada.Lovelace@example.org").err()?;
        assert_eq!(refused.field, "password");
        Some(refused.rule)
    }

    #[test]
    fn a_password_has_8_to_128_characters_however_many_bytes_they_take() {
        let long = "ü".repeat(128);
        for good in ["12ab!x?8", "correct horse battery staple", "密码很长的一个密码", &long]
        {
            assert_eq!(rule(good), None, "{good}");
        }
        for bad in ["", "1234567", &format!("{long}x"), &"x".repeat(1_000_000)] {
            assert_eq!(rule(bad), Some("8 to 128 characters long"), "{bad:.20}");
        }
    }

    #[test]
    fn the_passwords_that_are_tried_first_are_refused_in_any_case() {
        for bad in ["password", "PassWord1", "12345678", "QWERTYUIOP"] {
            assert_eq!(rule(bad), Some("other than the passwords that are tried first"), "{bad}");
        }
    }

    #[test]
    fn a_password_does_not_hold_the_name_of_its_mailbox() {
        let expected = Some("without the part of the e-mail address before the @");
        assert_eq!(rule("xx-ADA.lovelace-7"), expected);
        assert!(check_new_password("bobbob77!", "bob@example.org").is_err());
        assert_eq!(check_new_password("a long password", "a@example.org"), Ok(()), "by chance");
    }

    #[test]
    fn a_pin_has_four_digits() {
        assert_eq!(check_pin("0420"), Ok(()));
        for bad in ["", "042", "04200", "04a0", " 042", "٠٤٢٠", "-042"] {
            assert_eq!(check_pin(bad).unwrap_err().to_string(), "pin must be 4 digits", "{bad}");
        }
    }

    #[test]
    fn the_list_holds_only_what_the_length_would_let_through() {
        for common in COMMON {
            assert!(common.len() >= PASSWORD_CHARS_MIN, "{common}");
            assert_eq!(common.to_lowercase(), *common);
        }
    }
}
