//! Ids that follow from the ids of other catalogues, so that importing twice means the same things.
//!
//! All are version 5 of RFC 9562 (SHA-1 of a namespace and a name). **Invariant:** never changes,
//! or the next import would add everything once more.

use playhead_domain::{AccountId, ProfileId, SessionId, TitleId};
use uuid::{Uuid, uuid};

/// The namespace of everything that Playhead derives; made at random once.
const NAMESPACE: Uuid = uuid!("7b0a1c1e-52f7-4c1b-9a53-0d3c5a2f6e84");

/// The title that a catalogue calls by this key.
#[must_use]
pub fn title(catalogue: &str, key: &str) -> TitleId {
    TitleId(derived(&["title", catalogue, key]))
}

/// The account that stands for a user of another service.
#[must_use]
pub fn account(service: &str, user: &str) -> AccountId {
    AccountId(derived(&["account", service, user]))
}

/// The only profile of an imported account.
#[must_use]
pub fn profile(account_id: AccountId) -> ProfileId {
    ProfileId(Uuid::new_v5(&account_id.0, b"profile"))
}

/// The session in which an account played a title to this moment.
#[must_use]
pub fn session(account_id: AccountId, title_id: TitleId, ended_at_ms: i64) -> SessionId {
    let name = format!("session/{title_id}/{ended_at_ms}");
    SessionId(Uuid::new_v5(&account_id.0, name.as_bytes()))
}

/// The command that does `what` to a thing.
#[must_use]
pub fn command(subject: Uuid, what: &str) -> Uuid {
    Uuid::new_v5(&subject, what.as_bytes())
}

/// 32 hexadecimal digits that stand for a text.
#[must_use]
pub fn digest(text: &str) -> String {
    Uuid::new_v5(&NAMESPACE, text.as_bytes()).simple().to_string()
}

/// Joined by a character that no part has, so that no two lists of parts make the same name.
fn derived(parts: &[&str]) -> Uuid {
    Uuid::new_v5(&NAMESPACE, parts.join("\u{1f}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with Python's `uuid.uuid5`.
    #[test]
    fn derived_ids_never_change() {
        let title_id = title("imdb", "tt0114709");
        let account_id = account("movielens", "1001");
        assert_eq!(title_id.to_string(), "0fd448e8-e6b5-5959-8b70-42eb40035854");
        assert_eq!(account_id.to_string(), "e055deff-e368-5f3c-a03f-fe50665d01aa");
        let session_id = session(account_id, title_id, 964_982_703_000);
        assert_eq!(session_id.to_string(), "a27a10bc-1204-53c4-be4a-47b3001d3da8");
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(title("a", "bc"), title("ab", "c"));
    }
}
