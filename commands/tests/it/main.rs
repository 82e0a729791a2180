//! Commands against a log in memory.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test a panic is how one fails"
)]

mod execute;
mod heartbeats;
mod people;
mod tokens;

use std::sync::Arc;

use playhead_commands::{Commands, Context};
use playhead_domain::account::{self, Profile};
use playhead_domain::title::{self, Kind, Metadata};
use playhead_domain::{AccountId, Plan, ProfileId, TitleId, subscription};
use playhead_eventlog::memory::MemoryLog;
use playhead_eventlog::{EventLog, PartitionCount};
use uuid::Uuid;

/// Now, in every test.
const NOW_MS: i64 = 1_700_000_000_000;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0198_c5a0_0000_7000_8000_0000_0000_0000 + (number << 16))
}

fn context(number: u128) -> Context {
    Context {
        command_id: id(number),
        at_ms: NOW_MS,
        actor: "test:commands".into(),
        correlation_id: id(number),
    }
}

fn metadata(name: &str) -> Metadata {
    Metadata { year: Some(1927), runtime_ms: Some(7_200_000), ..Metadata::new(Kind::Movie, name) }
}

/// A household that may watch one film.
struct Household {
    log: Arc<dyn EventLog>,
    commands: Arc<Commands>,
    account_id: AccountId,
    profile_id: ProfileId,
    title_id: TitleId,
}

impl Household {
    async fn on(plan: Plan) -> Self {
        let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new(PartitionCount::DEFAULT));
        let commands = Arc::new(Commands::new(Arc::clone(&log)));
        let (account_id, profile_id, title_id) =
            (AccountId(id(1)), ProfileId(id(2)), TitleId(id(3)));
        let open = account::Command::Open { account_id, at_ms: NOW_MS };
        commands.accounts.execute(&account_id, &open, &context(11)).await.unwrap();
        let profile = Profile::new("Ada", "en", false);
        let add = account::Command::AddProfile {
            account_id,
            profile_id,
            profile,
            account_right: true,
            at_ms: NOW_MS,
        };
        commands.accounts.execute(&account_id, &add, &context(12)).await.unwrap();
        let subscribe = subscription::Command::Subscribe { account_id, plan, at_ms: NOW_MS };
        commands.subscriptions.execute(&account_id, &subscribe, &context(13)).await.unwrap();
        let metadata = metadata("Metropolis");
        let add =
            title::Command::Add { title_id, metadata, owner: None, draft: false, at_ms: NOW_MS };
        commands.titles.execute(&title_id, &add, &context(14)).await.unwrap();
        Self { log, commands, account_id, profile_id, title_id }
    }
}
