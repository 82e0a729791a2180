//! The GraphQL schema: one file for each thing that clients see.

mod account;
mod availability;
mod browse;
mod continue_watching;
mod device;
mod eyes;
mod history;
mod home;
mod maturity;
mod me;
mod mutation;
mod mutation_error;
mod page;
mod play_error;
mod preferences;
mod profile;
mod progress;
mod query;
mod scalars;
mod search;
mod stream;
mod subscription;
mod title;
mod title_list;
mod viewer;

use async_graphql::{MergedObject, Schema, ValidationMode};

use mutation::FailingApart;
use query::CommonQuery;
use subscription::Subscription;

pub(crate) use eyes::Eyes;
pub(crate) use scalars::DateTime;
pub(crate) use title::{Title, titles_loader};
pub(crate) use viewer::account_state;

/// The most that a query may cost: fields, each counted as often as its list asks for it.
const COMPLEXITY_MAX: usize = 10_000;

/// What can be asked.
#[derive(Default, MergedObject)]
#[graphql(name = "Query")]
pub(crate) struct Query(CommonQuery, home::HomeQuery, browse::BrowseQuery, search::SearchQuery);

/// The schema with its limits.
pub(crate) type Api = Schema<Query, FailingApart, Subscription>;

/// Builds the schema. It holds no state: what resolvers need comes with each request.
pub(crate) fn build(introspection: bool) -> Api {
    let builder = Schema::build(Query::default(), FailingApart::default(), Subscription)
        .validation_mode(ValidationMode::Strict)
        .limit_complexity(COMPLEXITY_MAX)
        // Counted before, where it costs less; this one must merely not be in the way.
        .limit_recursive_depth(usize::MAX);
    let builder = if introspection { builder } else { builder.disable_introspection() };
    builder.finish()
}

/// The schema as text, as it is published in `schemas/schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().prefer_single_line_descriptions();
    build(true).sdl_with_options(options)
}
