//! People of the catalogue, and their titles.

use async_graphql::{Context, Error, Object};
use playhead_domain::TitleId;
use playhead_projections::catalog::PersonId;

use super::Title;
use super::list::{RelatedTitleConnection, Walk};
use super::parts::CreditRole;
use crate::caller::Caller;
use crate::errors::{Code, Fault};
use crate::schema::eyes::Eyes;
use crate::schema::page::{FIRST_DEFAULT, after, list_cost, page_len};

/// Somebody who has a credit of a title.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(super) id: PersonId,
    pub(super) name: String,
    pub(super) key: Option<String>,
    /// With whose eyes their titles are looked at.
    pub(super) eyes: Eyes,
}

/// Somebody who has a credit of a title. People of one name count as one, unless a catalogue that
/// they were imported from tells them apart.
#[Object]
impl Person {
    /// Their name.
    async fn name(&self) -> &str {
        &self.name
    }

    /// What tells them apart from people of the same name, if anything is known: a catalogue and
    /// their key there, such as `imdb:nm0000199`.
    async fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Their titles that the viewer may see, newest year first; 1 to 100 at a time. With a role,
    /// those where they did that.
    #[graphql(complexity = "list_cost(first, child_complexity)")]
    async fn titles(
        &self,
        context: &Context<'_>,
        #[graphql(default_with = "Some(FIRST_DEFAULT)")] first: Option<i32>,
        after: Option<String>,
        role: Option<CreditRole>,
    ) -> Result<RelatedTitleConnection, Error> {
        let caller = Caller::of(context)?;
        Ok(self.page(caller, page_len(first), after.as_deref(), role).await?)
    }
}

impl Person {
    /// Whoever has this key, or else this name, and a credit of something that these eyes may see.
    ///
    /// # Errors
    /// Neither or both are given, or the catalogue cannot be read.
    pub(crate) async fn find(
        caller: &Caller,
        key: Option<String>,
        name: Option<String>,
        eyes: Eyes,
    ) -> Result<Option<Self>, Fault> {
        let id = match (&key, &name) {
            (Some(key), None) => PersonId::of_key(key),
            (None, Some(name)) => PersonId::of_name(name),
            _ => return Err(Fault::new(Code::BadRequest, "give either the key or the name")),
        };
        let audience = eyes.audience(caller.now_ms);
        let rows = caller.services.catalog.of_person(&id, None, &audience, None, 1).await;
        let rows = rows.map_err(|error| caller.internal("titles cannot be listed", &error))?;
        let credits = rows.first().map(|row| row.metadata.credits.as_slice());
        let credit = credits.unwrap_or_default().iter().find(|it| PersonId::of(it) == id);
        Ok(credit.map(|credit| Self { name: credit.name.clone(), id, key, eyes }))
    }

    async fn page(
        &self,
        caller: &Caller,
        len: u32,
        cursor: Option<&str>,
        role: Option<CreditRole>,
    ) -> Result<RelatedTitleConnection, Fault> {
        let role = role.map(Into::into);
        let mut list = caller.list("titlesOfPerson", &(&self.id, role, self.eyes));
        let key = after::<(u16, TitleId)>(&mut list, cursor)?;
        let audience = self.eyes.audience(caller.now_ms);
        let catalog = &caller.services.catalog;
        let rows = catalog.of_person(&self.id, role, &audience, key, len + 1).await;
        let walk = Walk { caller, list, len, goes_on: key.is_some() };
        walk.page(rows, |row| row.year_key(), |row| Title::of(row, self.eyes))
    }
}
