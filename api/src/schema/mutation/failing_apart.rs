//! Mutations of one document, each of which fails alone.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container_serial;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult,
    Value,
};

use super::Mutation;

/// The root of mutations. The library gives the whole document up when a field of it fails, and what
/// the fields before did would never be answered. Here a field that fails is null, its error stands
/// beside the data, and those behind it are run, as the specification wants it of nullable fields
/// (GraphQL, section 6.4.4).
#[derive(Default)]
pub(crate) struct FailingApart(Mutation);

impl OutputType for FailingApart {
    fn type_name() -> Cow<'static, str> {
        Mutation::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Mutation::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container_serial(ctx, self).await
    }
}

impl ContainerType for FailingApart {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match self.0.resolve_field(ctx).await {
            Err(error) => {
                ctx.add_error(error);
                Ok(Some(Value::Null))
            }
            resolved => resolved,
        }
    }
}

impl ObjectType for FailingApart {}
