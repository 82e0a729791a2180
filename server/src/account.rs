//! `playhead account`: adds, exports and forgets accounts while no server runs.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use clap::Subcommand;
use playhead_commands::people::{
    Admission, DeviceCodes, NoSignIns, People, PortError, SigningKeys,
};
use playhead_commands::{Commands, Context};
use playhead_domain::{AccountId, DeviceCodeKey, SecretHash};
use serde_json::json;

use crate::config::Config;
use crate::failure::advised;
use crate::keys::signing;
use crate::output;
use crate::people::{Lookups, people};
use crate::processes::erasures::Notes;
use crate::store::Store;
use crate::{clock, store};

/// What to do with an account.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do with an account.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Open an account whose address needs no code
    Add(AddArgs),
    /// Everything that is known of a person, as JSON
    Export(AccountArgs),
    /// Forget a person at once
    Erase(EraseArgs),
}

/// Whose account.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead account add ada@example.org
  playhead account add ada@example.org --json | jq -r .accountId

The person signs in by setting a password: the app asks for a reset, and the code goes to the address.
Stop the server first.")]
pub struct AddArgs {
    /// The e-mail address
    #[arg(value_name = "ADDRESS")]
    pub email: String,
    /// One JSON object: {accountId}
    #[arg(long)]
    pub json: bool,
}

/// Which account.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead account export 0198c5a0-7d1e-7c44-8a51-2f9d3c1b6e07 > person.json

Every event of the account's streams in clear, without hashes of passwords and PINs (GDPR, articles 15 and
20). Stop the server first; people export their own data from a running one.")]
pub struct AccountArgs {
    /// The account
    #[arg(value_name = "UUID")]
    pub account_id: AccountId,
}

/// Whom to forget.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  playhead account erase 0198c5a0-7d1e-7c44-8a51-2f9d3c1b6e07 --yes

Cannot be undone: the key of the person is destroyed. Stop the server first; when it starts, it drops what
the read models know and scrubs their files. Copies of DIR/keys from before still open the old data.")]
pub struct EraseArgs {
    /// The account
    #[arg(value_name = "UUID")]
    pub account_id: AccountId,
    /// Really
    #[arg(long)]
    pub yes: bool,
}

/// Nobody can show a device code to a command line.
struct NoDeviceCodes;

#[async_trait]
impl DeviceCodes for NoDeviceCodes {
    async fn find(&self, _: SecretHash) -> Result<Option<DeviceCodeKey>, PortError> {
        Ok(None)
    }
}

/// Does it.
///
/// # Errors
/// There is no such account, the rules forbid it, or the log or the keys cannot be used.
pub async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    if let What::Erase(args) = &args.what
        && !args.yes
    {
        return Err(advised(
            format!("everything personal of {} would be lost for good", args.account_id),
            "add --yes if that is meant",
        ));
    }
    if !matches!(args.what, What::Add(_)) {
        // A directory without a log is an error here, not a new log.
        drop(store::open_read_only(config).await?);
    }
    let store = Store::open(config, "playhead account").await?;
    let done = with_store(config, &store, &args.what).await;
    store.close().await;
    done
}

async fn with_store(config: &Config, store: &Store, what: &What) -> anyhow::Result<()> {
    // Nobody waits for an operator to change their mind.
    let config = Config { erasure_delay_hours: 0, ..config.clone() };
    let commands = Arc::new(Commands::new(Arc::clone(&store.log)));
    let keys = Arc::new(SigningKeys::new(signing::open(&config.data)?));
    let lookups = Lookups { device_codes: Arc::new(NoDeviceCodes), sign_ins: Arc::new(NoSignIns) };
    let people = people(&config, store, commands, keys, lookups)?;
    match what {
        What::Add(args) => add(&people, args).await,
        What::Export(args) => export(&people, args.account_id).await,
        What::Erase(args) => {
            let account_id = args.account_id;
            erase(&people, &Notes::of(&config.data), account_id).await?;
            let line =
                || format!("{account_id} is forgotten; read models follow at the next start");
            Ok(output::print(false, &(), line)?)
        }
    }
}

async fn add(people: &People, args: &AddArgs) -> anyhow::Result<()> {
    let account_id = AccountId(clock::new_id());
    let admission = Admission { account_id, email: args.email.clone(), password: None };
    people.admit(admission, &context()).await.context("adding the account failed")?;
    let added = json!({ "accountId": account_id });
    Ok(output::print(args.json, &added, || account_id.to_string())?)
}

async fn export(people: &People, account_id: AccountId) -> anyhow::Result<()> {
    known(people, account_id).await?;
    let export = people.export(account_id).await.context("exporting the account failed")?;
    Ok(output::print(false, &(), || format!("{export:#}"))?)
}

/// Forgets somebody, and notes it for the next server, which scrubs the read models.
async fn erase(people: &People, notes: &Notes, account_id: AccountId) -> anyhow::Result<()> {
    known(people, account_id).await?;
    notes.add(account_id).context("noting the erasure failed")?;
    let context = context();
    let failed = "erasing the account failed";
    // An earlier wish has a later day, so it is taken back first.
    people.withdraw_erasure(account_id, &context).await.context(failed)?;
    people.request_erasure(account_id, &context).await.context(failed)?;
    people.erase_due(account_id, &context).await.context(failed)?;
    Ok(())
}

async fn known(people: &People, account_id: AccountId) -> anyhow::Result<()> {
    match people.identity(account_id).await?.status() {
        Some(_) => Ok(()),
        None => Err(advised(
            format!("there is no account {account_id}"),
            "see `playhead log read --type AccountRegistered --json` for those that there are",
        )),
    }
}

fn context() -> Context {
    let command_id = clock::new_id();
    Context {
        command_id,
        at_ms: clock::now_ms(),
        actor: "system:operator".into(),
        correlation_id: command_id,
    }
}

#[cfg(test)]
mod tests {
    use playhead_domain::identity::Status;

    use super::*;
    use crate::people::testing::people_in;

    #[tokio::test]
    async fn an_account_is_exported_and_then_forgotten_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config { erasure_delay_hours: 0, ..Config::default() };
        let (people, store) = people_in(&config, dir.path()).await;
        let account_id = AccountId(clock::new_id());
        let email = "canary@example.org".to_owned();
        people.admit(Admission { account_id, email, password: None }, &context()).await.unwrap();
        let before = people.export(account_id).await.unwrap().to_string();
        assert!(before.contains("canary@example.org"));
        erase(&people, &Notes::of(dir.path()), account_id).await.unwrap();
        let status = people.identity(account_id).await.unwrap().status();
        assert_eq!(status, Some(Status::Erased));
        let after = people.export(account_id).await.unwrap().to_string();
        assert!(!after.contains("canary"), "{after}");
        assert!(dir.path().join("erasing").join(account_id.to_string()).exists());
        store.close().await;
    }

    #[tokio::test]
    async fn nobody_is_forgotten_by_accident_or_by_a_wrong_id() {
        let dir = tempfile::tempdir().unwrap();
        let account_id = AccountId(clock::new_id());
        let config = Config { data: dir.path().to_owned(), ..Config::default() };
        let what = What::Erase(EraseArgs { account_id, yes: false });
        let error = run(&config, Args { what }).await.unwrap_err();
        assert!(error.to_string().contains("lost for good"), "{error}");
        let (people, store) = people_in(&config, dir.path()).await;
        let refused = erase(&people, &Notes::of(dir.path()), account_id).await;
        assert!(refused.unwrap_err().to_string().contains("there is no account"));
        store.close().await;
    }
}
