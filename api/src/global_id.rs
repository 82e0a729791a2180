//! Ids that are unique over all types, as Relay wants them: base64url, without padding, of
//! `Type:key`. Clients must not look inside.

use async_graphql::ID;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use playhead_domain::{AccountId, ProfileId, TitleId};

/// What a global id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GlobalId {
    /// A title.
    Title(TitleId),
    /// An account.
    Account(AccountId),
    /// A profile of an account.
    Profile(AccountId, ProfileId),
}

/// The longest id that is looked at; ours have about 110 characters.
const CHARS_MAX: usize = 200;

impl GlobalId {
    /// What a text names; `None` if it is none of ours.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        if id.len() > CHARS_MAX {
            return None;
        }
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        let (kind, key) = text.split_once(':')?;
        let parsed = match kind {
            "Title" => Self::Title(key.parse().ok()?),
            "Account" => Self::Account(key.parse().ok()?),
            "Profile" => {
                let (account, profile) = key.split_once('.')?;
                Self::Profile(account.parse().ok()?, profile.parse().ok()?)
            }
            _ => return None,
        };
        (parsed.text() == text).then_some(parsed)
    }

    fn text(self) -> String {
        match self {
            Self::Title(id) => format!("Title:{id}"),
            Self::Account(id) => format!("Account:{id}"),
            Self::Profile(account, profile) => format!("Profile:{account}.{profile}"),
        }
    }
}

impl From<GlobalId> for ID {
    fn from(id: GlobalId) -> Self {
        Self(URL_SAFE_NO_PAD.encode(id.text()))
    }
}

/// The title that an id names.
pub(crate) fn title(id: &ID) -> Option<TitleId> {
    match GlobalId::parse(id)? {
        GlobalId::Title(title) => Some(title),
        GlobalId::Account(_) | GlobalId::Profile(..) => None,
    }
}

/// The profile that an id names, if it is one of this account.
pub(crate) fn profile_of(account_id: AccountId, id: &ID) -> Option<ProfileId> {
    match GlobalId::parse(id)? {
        GlobalId::Profile(account, profile) if account == account_id => Some(profile),
        GlobalId::Profile(..) | GlobalId::Account(_) | GlobalId::Title(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn an_id_survives_the_journey() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let ids = [
            GlobalId::Title(TitleId(one)),
            GlobalId::Account(AccountId(one)),
            GlobalId::Profile(AccountId(one), ProfileId(two)),
        ];
        for id in ids {
            assert_eq!(GlobalId::parse(&ID::from(id)), Some(id));
        }
    }

    #[test]
    fn a_text_of_another_form_is_no_id() {
        let uuid = Uuid::from_u128(1);
        let upper = format!("Title:{}", uuid.simple());
        for text in ["", "Title", "Title:", "Title:1", "Film:x", "Profile:1.2", &upper] {
            assert_eq!(GlobalId::parse(&URL_SAFE_NO_PAD.encode(text)), None, "{text:?}");
        }
        assert_eq!(GlobalId::parse("%%%"), None);
        assert_eq!(GlobalId::parse(&"A".repeat(10_000)), None);
    }

    #[test]
    fn a_profile_of_another_account_is_no_profile() {
        let (mine, theirs) = (AccountId(Uuid::from_u128(1)), AccountId(Uuid::from_u128(2)));
        let profile = ProfileId(Uuid::from_u128(3));
        let id = ID::from(GlobalId::Profile(theirs, profile));
        assert_eq!(profile_of(mine, &id), None);
        assert_eq!(profile_of(theirs, &id), Some(profile));
    }
}
