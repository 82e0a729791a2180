//! What a profile likes, by what it watched last.

use std::collections::{BTreeMap, HashSet};

use async_graphql::ID;
use playhead_search::query::Taste;

use crate::caller::Caller;
use crate::errors::Fault;
use crate::global_id;
use crate::schema::eyes::Eyes;

/// How many of the profile's newest sessions say what it likes.
const SESSIONS_ASKED: u32 = 50;

/// With one query; nothing if the profile watched nothing.
pub(super) async fn of_profile(
    caller: &Caller,
    profile_id: &ID,
    eyes: Eyes,
) -> Result<Option<Taste>, Fault> {
    let Some(profile_id) = global_id::profile_of(caller.account_id()?, profile_id) else {
        return Ok(None);
    };
    let audience = eyes.audience(caller.now_ms);
    let store = &caller.services.continue_watching;
    let watched = store.history(profile_id, &audience, None, SESSIONS_ASKED).await;
    let watched = watched.map_err(|error| caller.internal("a history cannot be read", &error))?;
    let snapshot = caller.services.search.snapshot();
    let mut counts: BTreeMap<&str, u16> = BTreeMap::new();
    let titles: HashSet<_> = watched.iter().map(|session| session.title_id).collect();
    for title_id in titles {
        let genres = snapshot.genres_of(title_id);
        let failed = |error| caller.internal("the search index cannot be read", &error);
        for genre in genres.map_err(failed)? {
            *counts.entry(genre).or_default() += 1;
        }
    }
    let Some(most) = counts.values().copied().max() else { return Ok(None) };
    let liked =
        |(genre, count): (&str, u16)| (genre.to_owned(), f32::from(count) / f32::from(most));
    Ok(Some(Taste { genres: counts.into_iter().map(liked).collect() }))
}
