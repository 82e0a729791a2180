//! Bounds on a parsed document, checked before validation and execution see it.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
    OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Value};
use async_graphql::{Positioned, Variables};

use crate::errors::{Code, Fault};

/// The most fields of a document once all fragments are expanded.
pub(crate) const FIELDS_MAX: u64 = 2_000;
/// The deepest nesting of fields in an operation.
pub(crate) const DEPTH_MAX: u64 = 12;
/// The deepest nesting of fields under `__schema` and `__type`: the standard introspection query
/// follows nine `ofType` and needs 15.
pub(crate) const INTROSPECTION_DEPTH_MAX: u64 = 20;

/// Checks the whole document, picks the operation to run and answers its kind.
///
/// # Errors
/// The document would cost too much, runs something twice, or has no such operation.
pub(crate) fn check(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Variables,
) -> Result<OperationType, Fault> {
    let mut expansion = Expansion::of(document);
    let mut fields = 0_u64;
    for (_, operation) in document.operations.iter() {
        let cost = expansion.selections(&operation.node.selection_set.node)?;
        fields = fields.saturating_add(cost.fields);
        refuse_above(cost.depth, DEPTH_MAX, "levels")?;
    }
    refuse_above(fields, FIELDS_MAX, "fields")?;
    let operation = choose(document, operation_name)?;
    if operation.ty != OperationType::Query {
        let mut seen = HashSet::new();
        expansion.refuse_repeated(&operation.selection_set.node, &mut seen)?;
        if operation.ty == OperationType::Subscription && seen.len() > 1 {
            let message = "a subscription has one field";
            return Err(Fault::new(Code::GraphqlValidationFailed, message));
        }
    }
    refuse_missing_variables(operation, variables)?;
    Ok(operation.ty)
}

fn choose<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Fault> {
    let found = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next()
        }
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Single(_), Some(_)) | (DocumentOperations::Multiple(_), None) => None,
    };
    let none = || Fault::new(Code::BadRequest, "operationName must name one of the operations");
    found.map(|operation| &operation.node).ok_or_else(none)
}

/// The library finds a missing variable only while it resolves, when other fields have run already.
fn refuse_missing_variables(
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), Fault> {
    let missing = operation.variable_definitions.iter().map(|definition| &definition.node).find(
        |definition| {
            let given = variables.get(&definition.name.node);
            let null = given.is_none_or(|value| *value == Value::Null);
            let absent = given.is_none() && definition.default_value.is_some();
            !definition.var_type.node.nullable && null && !absent
        },
    );
    missing.map_or(Ok(()), |definition| {
        let name = &definition.name.node;
        Err(Fault::new(Code::BadRequest, format!("variable ${name} must be given and not null")))
    })
}

/// What a selection comes to when its fragments are expanded.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    fields: u64,
    depth: u64,
}

impl Cost {
    fn beside(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            depth: self.depth.max(other.depth),
        }
    }
}

/// Costs of fragments, each computed once.
struct Expansion<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// `None` while a fragment is being computed: meeting it then means that it spreads itself.
    costs: HashMap<&'a str, Option<Cost>>,
}

impl<'a> Expansion<'a> {
    fn of(document: &'a ExecutableDocument) -> Self {
        Self { fragments: &document.fragments, costs: HashMap::new() }
    }

    fn selections(&mut self, set: &'a SelectionSet) -> Result<Cost, Fault> {
        let mut sum = Cost::default();
        for selection in &set.items {
            let cost = match &selection.node {
                Selection::Field(field) => self.field(&field.node)?,
                Selection::InlineFragment(inline) => {
                    self.selections(&inline.node.selection_set.node)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node)?
                }
            };
            sum = sum.beside(cost);
            refuse_above(sum.fields, FIELDS_MAX, "fields")?;
        }
        Ok(sum)
    }

    fn field(&mut self, field: &'a Field) -> Result<Cost, Fault> {
        let inner = self.selections(&field.selection_set.node)?;
        let mut depth = inner.depth.saturating_add(1);
        if matches!(field.name.node.as_str(), "__schema" | "__type") {
            refuse_above(depth, INTROSPECTION_DEPTH_MAX, "levels")?;
            depth = 1;
        }
        Ok(Cost { fields: inner.fields.saturating_add(1), depth })
    }

    fn fragment(&mut self, name: &'a str) -> Result<Cost, Fault> {
        match self.costs.get(name) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => {
                let message = format!("fragment {name} spreads itself");
                return Err(Fault::new(Code::GraphqlValidationFailed, message));
            }
            None => {}
        }
        let Some(fragment) = self.fragments.get(name) else {
            let message = format!("there is no fragment {name}");
            return Err(Fault::new(Code::GraphqlValidationFailed, message));
        };
        self.costs.insert(name, None);
        let cost = self.selections(&fragment.node.selection_set.node)?;
        self.costs.insert(name, Some(cost));
        Ok(cost)
    }

    /// The library runs `mutation { pay pay }` twice instead of merging the fields.
    fn refuse_repeated(
        &self,
        set: &'a SelectionSet,
        seen: &mut HashSet<&'a str>,
    ) -> Result<(), Fault> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    if !seen.insert(key) {
                        let message = format!("the operation has the field {key} twice");
                        return Err(Fault::new(Code::GraphqlValidationFailed, message));
                    }
                }
                Selection::InlineFragment(inline) => {
                    self.refuse_repeated(&inline.node.selection_set.node, seen)?;
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        self.refuse_repeated(&fragment.node.selection_set.node, seen)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn refuse_above(value: u64, limit: u64, what: &str) -> Result<(), Fault> {
    if value <= limit {
        return Ok(());
    }
    let message = format!("the document has more than {limit} {what}, fragments expanded");
    Err(Fault::new(Code::QueryTooComplex, message))
}

#[cfg(test)]
mod tests;
