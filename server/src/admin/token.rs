//! `playhead admin token`: an access token without a sign-in, for operators and programs.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;
use playhead_api::access::{Role as Granted, without_sign_in};
use playhead_domain::AccountId;
use playhead_identity::access_token::LIFETIME_MAX_MS;
use serde::Serialize;

use crate::config::Config;
use crate::keys::signing;
use crate::{clock, output, people, progress};

/// The longest time that a token is valid: nothing but time ends one that was made without a sign-in.
const VALID_MAX: Duration = Duration::from_millis(LIFETIME_MAX_MS.unsigned_abs());

/// Whose token, and what it allows.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  TOKEN=$(playhead admin token)
  TOKEN=$(playhead admin token --role content_admin --valid 10m)
  playhead admin token --account 0198c5a0-7d1e-7c44-8a51-2f9d3c1b6e07 --json
  curl -H \"Authorization: Bearer $TOKEN\" …

The token alone goes to standard output, the account to standard error. Needs no running server.")]
pub struct TokenArgs {
    /// The account; without it a new one, which openAccount then opens
    #[arg(long, value_name = "UUID")]
    pub account: Option<AccountId>,
    /// What it allows; may be given again [default: viewer]
    #[arg(long = "role", value_enum, value_name = "ROLE")]
    pub roles: Vec<Role>,
    /// How long it is valid, such as 90s or 30m; at most 1h
    #[arg(long, value_parser = duration, default_value = "1h", value_name = "TIME")]
    pub valid: Duration,
    /// One JSON object: {token, accountId, roles, expiresAt}
    #[arg(long)]
    pub json: bool,
}

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Role {
    /// Watch, and manage the own account
    Viewer,
    /// Upload and describe own titles
    Creator,
    /// Add, edit and withdraw titles
    ContentAdmin,
    /// See what is watched
    Analyst,
    /// Check what happened
    Auditor,
    /// Run the service
    Operator,
}

impl From<Role> for Granted {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Creator => Self::Creator,
            Role::ContentAdmin => Self::ContentAdmin,
            Role::Analyst => Self::Analyst,
            Role::Auditor => Self::Auditor,
            Role::Operator => Self::Operator,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    token: String,
    account_id: AccountId,
    roles: BTreeSet<Granted>,
    expires_at: String,
}

/// Makes a token and prints it.
pub(super) fn run(config: &Config, args: &TokenArgs) -> anyhow::Result<()> {
    let token = mint(config, args)?;
    output::print(args.json, &token, || token.token.clone())?;
    if !args.json {
        let roles = args.roles.iter().filter_map(ValueEnum::to_possible_value);
        let roles: Vec<_> = roles.map(|role| role.get_name().to_owned()).collect();
        let roles = if roles.is_empty() { "viewer".to_owned() } else { roles.join(", ") };
        let quiet = indicatif::ProgressBar::hidden();
        progress::say(
            &quiet,
            format_args!(
                "account {}, roles {roles}, valid until {}",
                token.account_id, token.expires_at
            ),
        );
    }
    Ok(())
}

fn mint(config: &Config, args: &TokenArgs) -> anyhow::Result<Token> {
    let ring = signing::open(&config.data)?;
    let account_id = args.account.unwrap_or_else(|| AccountId(clock::new_id()));
    let mut roles: BTreeSet<Granted> = args.roles.iter().copied().map(Granted::from).collect();
    if roles.is_empty() {
        roles.insert(Granted::Viewer);
    }
    let valid_ms = i64::try_from(args.valid.as_millis())?;
    let now_ms = clock::now_ms();
    let caller = without_sign_in(account_id, roles.clone(), now_ms);
    let issued = people::access_tokens(config).issue_for(&ring, &caller, now_ms, valid_ms)?;
    let expires_at = clock::rfc3339(issued.expires_at_ms);
    Ok(Token { token: issued.text, account_id, roles, expires_at })
}

/// Reads `30s`, `15m` or `1h`.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let seconds = match text.strip_prefix(digits) {
        Some("s") => 1,
        Some("m") => 60,
        Some("h") => 3_600,
        _ => bail!("write a number with s, m or h behind it, such as 30m"),
    };
    let number: u64 = digits.parse()?;
    let valid = Duration::from_secs(number.saturating_mul(seconds));
    if valid.is_zero() || valid > VALID_MAX {
        bail!("a token is valid for 1s to 1h");
    }
    Ok(valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_a_limit() {
        assert_eq!(duration("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("60m").unwrap(), duration("1h").unwrap());
        for text in ["12", "h", "", "0h", "61m", "7d", "-1h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_names_its_account_and_is_accepted() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config { data: dir.path().to_owned(), ..Config::default() };
        let args = TokenArgs {
            account: None,
            roles: vec![Role::ContentAdmin],
            valid: Duration::from_secs(60),
            json: false,
        };
        let token = mint(&config, &args).unwrap();
        let ring = signing::open(dir.path()).unwrap();
        let tokens = people::access_tokens(&config);
        let caller = tokens.verify(&ring, &token.token, clock::now_ms()).unwrap().caller;
        assert_eq!(caller.account_id, token.account_id);
        assert_eq!(caller.roles, [Granted::ContentAdmin].into());
    }
}
