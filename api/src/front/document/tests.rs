use super::*;
use async_graphql::parser::parse_query;
use serde_json::json;

fn code(text: &str) -> Option<Code> {
    code_with(text, None, Variables::default())
}

fn code_with(text: &str, name: Option<&str>, variables: Variables) -> Option<Code> {
    let document = parse_query(text).unwrap();
    check(&document, name, &variables).err().map(|fault| fault.code)
}

#[test]
fn fragments_that_double_each_other_are_refused_at_once() {
    let mut text = "{ ...f0 }".to_owned();
    for n in 0..25 {
        let next = n + 1;
        text.push_str(&format!("fragment f{n} on Query{{...f{next} ...f{next}}}"));
    }
    text.push_str("fragment f25 on Query{__typename}");
    assert!(text.len() < 1_200);
    assert_eq!(code(&text), Some(Code::QueryTooComplex));
}

#[test]
fn a_long_chain_of_fragments_is_fine() {
    let mut text = "{ ...f0 }".to_owned();
    for n in 0..200 {
        text.push_str(&format!("fragment f{n} on Query{{...f{}}}", n + 1));
    }
    text.push_str("fragment f200 on Query{__typename}");
    assert_eq!(code(&text), None);
}

#[test]
fn a_fragment_that_spreads_itself_is_refused() {
    let text = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }";
    assert_eq!(code(text), Some(Code::GraphqlValidationFailed));
    assert_eq!(code("{ ...nowhere }"), Some(Code::GraphqlValidationFailed));
}

#[test]
fn a_mutation_names_each_result_once() {
    let invalid = Some(Code::GraphqlValidationFailed);
    assert_eq!(code("mutation { a a a }"), invalid);
    assert_eq!(code("mutation { x: a x: b }"), invalid);
    assert_eq!(code("mutation { a ... { a } }"), invalid);
    assert_eq!(code("mutation { a ...f } fragment f on Mutation { a }"), invalid);
    assert_eq!(code("mutation { ...f ...f } fragment f on Mutation { a }"), invalid);
    assert_eq!(code("mutation { a b: a { c c } }"), None);
    assert_eq!(code("query { a a a }"), None, "a query may");
}

#[test]
fn a_subscription_has_one_field() {
    assert_eq!(code("subscription { a }"), None);
    assert_eq!(code("subscription { a b }"), Some(Code::GraphqlValidationFailed));
    assert_eq!(code("subscription { a ... { b } }"), Some(Code::GraphqlValidationFailed));
}

#[test]
fn depth_is_bounded_and_larger_for_introspection() {
    let nested = |root: &str, levels: usize| {
        let (open, close) = ("{ a ".repeat(levels), "}".repeat(levels));
        format!("{{ {root} {open} {close} }}")
    };
    assert_eq!(code(&nested("a", 11)), None);
    assert_eq!(code(&nested("a", 12)), Some(Code::QueryTooComplex));
    assert_eq!(code(&nested("__schema", 19)), None);
    assert_eq!(code(&nested("__schema", 20)), Some(Code::QueryTooComplex));
}

#[test]
fn wide_documents_are_bounded_over_all_operations() {
    let field = "a ".repeat(1_001);
    assert_eq!(code(&format!("{{ {field} }}")), None);
    let two = format!("query a {{ {field} }} query b {{ {field} }}");
    assert_eq!(code_with(&two, Some("a"), Variables::default()), Some(Code::QueryTooComplex));
}

#[test]
fn the_operation_must_be_named_unless_there_is_only_one() {
    let two = "query a { x } mutation b { x }";
    assert_eq!(code(two), Some(Code::BadRequest));
    assert_eq!(code_with(two, Some("c"), Variables::default()), Some(Code::BadRequest));
    let document = parse_query(two).unwrap();
    let chosen = check(&document, Some("b"), &Variables::default()).unwrap();
    assert_eq!(chosen, OperationType::Mutation);
    assert_eq!(code("query only { x }"), None);
}

#[test]
fn a_variable_that_must_not_be_null_must_be_given() {
    let given = |value| Variables::from_json(json!({ "id": value }));
    let text = "query($id: ID!) { a(id: $id) }";
    assert_eq!(code(text), Some(Code::BadRequest));
    assert_eq!(code_with(text, None, given(json!(null))), Some(Code::BadRequest));
    assert_eq!(code_with(text, None, given(json!("x"))), None);
    assert_eq!(code("query($id: ID) { a(id: $id) }"), None);
    assert_eq!(code("query($id: ID! = \"x\") { a(id: $id) }"), None);
}
