//! Page sizes that an operation takes from a variable which the client left out.
//!
//! An argument whose variable is left out counts as left out itself (GraphQL, section 6.4.1). The
//! library knows that while it resolves, but not while it adds up what an operation costs, which
//! depends on page sizes: there it refuses the operation. Null is understood in both places, and as
//! a page size it means the usual one.

use std::collections::HashSet;
use std::convert::Infallible;

use async_graphql::parser::types::{ExecutableDocument, Selection};
use async_graphql::{Name, Value, Variables};

/// The argument that costs depend on.
const PAGE_SIZE: &str = "first";

/// Says null for every variable that is nothing but a page size, has no default, and was left out.
/// Elsewhere null may mean something else than to be left out, so other variables stay as they are.
pub(crate) fn fill(document: &ExecutableDocument, variables: &mut Variables) {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node);
    let definitions = operations.flat_map(|operation| &operation.variable_definitions);
    let omitted: HashSet<&Name> = definitions
        .map(|definition| &definition.node)
        .filter(|it| it.default_value.is_none() && !variables.contains_key(&it.name.node))
        .map(|definition| &definition.name.node)
        .collect();
    if omitted.is_empty() {
        return;
    }
    let Uses { sizes, others } = Uses::of(document);
    let wanted = sizes.difference(&others).filter(|name| omitted.contains(name)).cloned();
    let wanted: Vec<Name> = wanted.collect();
    variables.extend(wanted.into_iter().map(|name| (name, Value::Null)));
}

/// What the variables of a document are used for.
#[derive(Debug, Default)]
struct Uses {
    /// Page sizes.
    sizes: HashSet<Name>,
    /// Anything else.
    others: HashSet<Name>,
}

impl Uses {
    fn of(document: &ExecutableDocument) -> Self {
        let (mut selections, mut directives, mut values) = (vec![], vec![], vec![]);
        for (_, operation) in document.operations.iter() {
            directives.push(&operation.node.directives);
            selections.push(&operation.node.selection_set.node);
        }
        for fragment in document.fragments.values() {
            directives.push(&fragment.node.directives);
            selections.push(&fragment.node.selection_set.node);
        }
        while let Some(set) = selections.pop() {
            for selection in &set.items {
                directives.push(match &selection.node {
                    Selection::Field(field) => {
                        let arguments = field.node.arguments.iter();
                        values.extend(arguments.map(|(it, value)| (it.node == PAGE_SIZE, value)));
                        selections.push(&field.node.selection_set.node);
                        &field.node.directives
                    }
                    Selection::InlineFragment(inline) => {
                        selections.push(&inline.node.selection_set.node);
                        &inline.node.directives
                    }
                    Selection::FragmentSpread(spread) => &spread.node.directives,
                });
            }
        }
        let arguments = directives.into_iter().flatten().flat_map(|it| &it.node.arguments);
        values.extend(arguments.map(|(_, value)| (false, value)));
        let mut uses = Self::default();
        for (is_size, value) in values {
            let names = if is_size { &mut uses.sizes } else { &mut uses.others };
            let Ok(_) = value.node.clone().into_const_with(|name| {
                names.insert(name);
                Ok::<_, Infallible>(Value::Null)
            });
        }
        uses
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn filled(text: &str, given: serde_json::Value) -> serde_json::Value {
        let mut variables = Variables::from_json(given);
        fill(&parse_query(text).unwrap(), &mut variables);
        serde_json::to_value(variables).unwrap()
    }

    #[test]
    fn a_page_size_that_was_left_out_is_null() {
        let null = json!({ "n": null });
        for text in [
            "query($n: Int) { a(first: $n) }",
            "query($n: Int) { a { ...f } } fragment f on A { ... { b(first: $n) } }",
            "query($n: Int, $x: Int) { a(first: $n, x: $x) }",
        ] {
            assert_eq!(filled(text, json!({})), null, "{text}");
        }
        assert_eq!(filled("query($n: Int) { a(first: $n) }", json!({ "n": 5 })), json!({ "n": 5 }));
    }

    #[test]
    fn what_has_a_default_or_another_use_stays_left_out() {
        for text in [
            "query($n: Int = 5) { a(first: $n) }",
            "query($n: Int) { a(last: $n) }",
            "query($n: Int) { a(first: $n, x: { y: [$n] }) }",
            "query($n: Int) { a(first: $n) b @d(x: $n) }",
            "query($n: Int) { a(first: $n) ...f @d(x: $n) } fragment f on A { b }",
            "query { a(first: $n) }",
        ] {
            assert_eq!(filled(text, json!({})), json!({}), "{text}");
        }
    }
}
