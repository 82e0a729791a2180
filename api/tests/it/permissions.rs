//! Who may do what: each operation is run by every kind of caller on something of their own, of
//! somebody else and on nothing. Documents are made from the schema, so that a new field is in here
//! by itself.

use std::collections::BTreeSet;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, ServiceDocument, Type, TypeKind,
    TypeSystemDefinition,
};
use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::BodyExt;
use playhead_api::Role;
use playhead_api::permissions::{Access, FIELDS, PARTS, of_field};
use serde_json::json;
use tower::ServiceExt;
use uuid::Uuid;

use crate::harness::{TestApi, text};

const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// The schema as it is published.
struct Sdl(ServiceDocument);

impl Sdl {
    fn read() -> Self {
        Self(parse_schema(playhead_api::sdl()).unwrap())
    }

    fn kind(&self, name: &str) -> Option<&TypeKind> {
        self.0.definitions.iter().find_map(|definition| match definition {
            TypeSystemDefinition::Type(ty) if ty.node.name.node == name => Some(&ty.node.kind),
            _ => None,
        })
    }

    fn fields(&self, name: &str) -> Vec<&FieldDefinition> {
        match self.kind(name) {
            Some(TypeKind::Object(object)) => object.fields.iter().map(|it| &it.node).collect(),
            _ => vec![],
        }
    }

    /// Every field of the roots, by its name in the table of classes.
    fn operations(&self) -> Vec<(String, &'static str, &FieldDefinition)> {
        let named = |root: &'static str| {
            let fields = self.fields(root).into_iter();
            fields.map(move |field| (format!("{root}.{}", field.name.node), root, field))
        };
        ROOTS.into_iter().flat_map(named).collect()
    }

    /// A document that runs a field with values for what it needs, and every id it takes.
    fn document(&self, root: &str, field: &FieldDefinition, ids: &Ids) -> String {
        let arguments = self.values(field.arguments.iter().map(|it| &it.node), ids);
        let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
        let (name, root) = (&field.name.node, root.to_lowercase());
        let ty = base(&field.ty.node);
        let selection = if !self.fields(ty).iter().any(|it| it.name.node == "errors") {
            "{ __typename }"
        } else {
            "{ __typename errors { __typename code message } }"
        };
        let scalar = matches!(self.kind(ty), Some(TypeKind::Scalar | TypeKind::Enum(_)) | None);
        let selection = if scalar { "" } else { selection };
        format!("{root} {{ {name}{arguments} {selection} }}")
    }

    fn values<'a>(
        &self,
        wanted: impl Iterator<Item = &'a InputValueDefinition>,
        ids: &Ids,
    ) -> String {
        let given = wanted.filter_map(|wanted| {
            let name = wanted.name.node.as_str();
            let id = ids.of(name).filter(|_| base(&wanted.ty.node) == "ID");
            let needed = !wanted.ty.node.nullable && wanted.default_value.is_none();
            let needed = needed || name == "input";
            let value = id.map(|id| format!("{id:?}"));
            let value = value.or_else(|| needed.then(|| self.value(name, &wanted.ty.node, ids)))?;
            Some(format!("{name}: {value}"))
        });
        given.collect::<Vec<_>>().join(", ")
    }

    fn value(&self, name: &str, ty: &Type, ids: &Ids) -> String {
        let BaseType::Named(base) = &ty.base else { return "[]".to_owned() };
        match self.kind(base) {
            Some(TypeKind::InputObject(input)) => {
                format!("{{ {} }}", self.values(input.fields.iter().map(|it| &it.node), ids))
            }
            Some(TypeKind::Enum(values)) => values.values[0].node.value.node.to_string(),
            _ => match (base.as_str(), name) {
                ("Boolean", _) => "true".to_owned(),
                ("Int" | "Milliseconds", _) => "1".to_owned(),
                ("DateTime", _) => r#""2027-01-15T08:00:00.000Z""#.to_owned(),
                (_, "pin") => r#""4711""#.to_owned(),
                (_, "email" | "newEmail") => r#""somebody@example.org""#.to_owned(),
                (_, "country") => r#""AT""#.to_owned(),
                ("ID", _) => format!("{:?}", Uuid::from_u128(77).to_string()),
                _ => r#""quite a plain sentence""#.to_owned(),
            },
        }
    }
}

fn base(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base(inner),
    }
}

/// What an operation is run on.
#[derive(Clone)]
struct Ids {
    account: String,
    profile: String,
    title: String,
    session: String,
    /// What `node` is asked for.
    node: String,
}

impl Ids {
    fn of(&self, name: &str) -> Option<&str> {
        match name {
            "accountId" => Some(&self.account),
            "profileId" => Some(&self.profile),
            "titleId" => Some(&self.title),
            "sessionId" | "deviceId" | "signInId" => Some(&self.session),
            "id" => Some(&self.node),
            _ => None,
        }
    }

    /// An answer without anything that tells one thing from another.
    fn strip(&self, answer: &str) -> String {
        let ids = [&self.account, &self.profile, &self.session, &self.node];
        ids.into_iter().fold(answer.to_owned(), |answer, id| answer.replace(id.as_str(), "ID"))
    }
}

fn global(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Something that is not there: an account that was never opened, a profile that was never added.
fn missing(account: u128, title: &str) -> Ids {
    let (account, nobody) = (Uuid::from_u128(account), Uuid::from_u128(0xDEAD));
    let profile = global(&format!("Profile:{account}.{nobody}"));
    Ids {
        account: global(&format!("Account:{nobody}")),
        node: profile.clone(),
        profile,
        title: title.to_owned(),
        session: nobody.to_string(),
    }
}

/// What an account has.
async fn belongings(api: &TestApi, account: u128, title: &str) -> Ids {
    let profile = api.client(account).join("Ada").await;
    Ids {
        account: global(&format!("Account:{}", Uuid::from_u128(account))),
        node: profile.clone(),
        profile,
        title: title.to_owned(),
        session: Uuid::from_u128(account << 32).to_string(),
    }
}

async fn ask(api: &TestApi, root: &str, document: &str, token: Option<&str>) -> (u16, String) {
    let body = json!({ "query": document }).to_string();
    let accept = if root == "Subscription" { "text/event-stream" } else { "application/json" };
    let mut request = Request::post("/graphql")
        .header("accept", accept)
        .header("content-type", "application/json")
        .header("playhead-correlation-id", Uuid::nil().to_string());
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::from(body)).unwrap();
    let response = api.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Whether a caller with these roles, or without a token, gets what the class says.
fn assert_class(access: Access, roles: Option<&[Role]>, answer: &str, cell: &str) {
    let says = |code: &str| answer.contains(&format!("\"code\":\"{code}\""));
    for never in ["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "INTERNAL"] {
        assert!(!says(never), "{cell}: {answer}");
    }
    let (unauthenticated, forbidden) = match (access, roles) {
        (Access::Public | Access::Proof, _) => (false, false),
        (Access::Own | Access::Role(_) | Access::Titles, None) => (true, false),
        (Access::Own, Some(_)) => (false, false),
        (Access::Titles, Some(roles)) => {
            (false, !roles.contains(&Role::ContentAdmin) && !roles.contains(&Role::Creator))
        }
        (Access::Role(role), Some(roles)) => (false, !roles.contains(&role)),
    };
    assert_eq!(says("UNAUTHENTICATED"), unauthenticated, "{cell}: {answer}");
    assert_eq!(says("FORBIDDEN"), forbidden, "{cell}: {answer}");
}

fn callers() -> Vec<Option<Vec<Role>>> {
    let each = Role::ALL.iter().map(|role| Some(vec![*role]));
    std::iter::once(None).chain(each).chain([Some(Role::ALL.to_vec())]).collect()
}

#[test]
fn every_field_has_a_class_and_every_class_a_field() {
    let sdl = Sdl::read();
    let fields: BTreeSet<String> = sdl.operations().into_iter().map(|(name, ..)| name).collect();
    let classes: BTreeSet<String> = FIELDS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(fields, classes);
    assert_eq!(classes.len(), FIELDS.len(), "a field has two classes");
    for (part, _) in PARTS {
        let (ty, field) = part.split_once('.').unwrap_or((part, "id"));
        assert!(sdl.fields(ty).iter().any(|it| it.name.node == field), "{part}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_keeps_its_class_for_everybody_on_own_others_and_missing_things() {
    let (api, sdl) = (TestApi::start().await, Sdl::read());
    let title = api.client(2).film("Metropolis").await;
    let theirs = belongings(&api, 2, &title).await;
    let (mut cells, mut account) = (0, 1_000);
    for (name, root, field) in sdl.operations() {
        let access = of_field(&name).unwrap();
        for roles in callers() {
            account += 1;
            let own = belongings(&api, account, &title).await;
            let token = roles.as_ref().map(|roles| api.token(account, roles));
            let (roles, token) = (roles.as_deref(), token.as_deref());
            let mut answers = vec![];
            for ids in [&theirs, &missing(account, &title), &missing(9, &title), &own] {
                // Its answer has no end.
                if root == "Subscription" && ids.profile == own.profile && token.is_some() {
                    continue;
                }
                let document = sdl.document(root, field, ids);
                let (_, answer) = ask(&api, root, &document, token).await;
                let cell = format!("{name} by {roles:?}: {document}");
                assert_class(access, roles, &answer, &cell);
                if ids.profile == own.profile && token.is_some() {
                    assert!(!answer.contains("UNKNOWN_PROFILE"), "{cell}: {answer}");
                }
                answers.push((cell, ids.strip(&answer)));
                cells += 1;
            }
            // Whoever runs the service acts on the accounts of others by right; and what names no
            // thing is about the caller.
            let document = |ids| sdl.document(root, field, ids);
            let names = document(&theirs) != document(&missing(account, &title));
            if names && !matches!(access, Access::Role(_) | Access::Titles) {
                for (cell, answer) in &answers[1..3] {
                    assert_eq!(&answers[0].1, answer, "{cell}");
                }
            }
        }
    }
    assert!(cells >= 1_000, "{cells} cells");
}

#[tokio::test]
async fn a_node_of_another_account_is_answered_as_nothing_byte_by_byte() {
    let (api, sdl) = (TestApi::start().await, Sdl::read());
    let title = api.client(2).film("Metropolis").await;
    let theirs = belongings(&api, 2, &title).await;
    let node = sdl.fields("Query").into_iter().find(|it| it.name.node == "node").unwrap();
    for roles in callers() {
        let token = roles.as_ref().map(|roles| api.token(1, roles));
        let mut answers = BTreeSet::new();
        let missing = missing(1, &title);
        for id in [&theirs.account, &theirs.profile, &missing.account, &missing.profile] {
            let document = format!("{{ {}(id: {id:?}) {{ id }} }}", node.name.node);
            answers.insert(ask(&api, "Query", &document, token.as_deref()).await);
        }
        assert_eq!(answers.len(), 1, "{roles:?}: {answers:?}");
    }
}

#[tokio::test]
async fn every_route_keeps_its_class_for_everybody() {
    let api = TestApi::start().await;
    belongings(&api, 1, "").await;
    for (path, access) in playhead_api::route_classes() {
        for roles in callers() {
            for method in [Method::GET, Method::POST] {
                let mut request = Request::builder().method(method.clone()).uri(path);
                if let Some(roles) = &roles {
                    let token = api.token(1, roles);
                    request = request.header("authorization", format!("Bearer {token}"));
                }
                let answer = api.send(request.body(Body::empty()).unwrap()).await;
                let status = answer.status.as_u16();
                let refused = access == Access::Own && roles.is_none() && status != 405;
                assert_eq!(status == 401, refused, "{method} {path} by {roles:?}: {status}");
                assert_ne!(status, 403, "{method} {path} by {roles:?}");
                assert_ne!(status, 404, "{method} {path} by {roles:?}");
            }
        }
    }
}

#[tokio::test]
async fn only_content_administrators_see_schedules() {
    let api = TestApi::start().await;
    let mut admin = api.client(1);
    let film = admin.film("Metropolis").await;
    let input = json!({ "titleId": film, "territories": ["AT"] });
    let blocked = admin.mutate("blockTerritories", input, "title { id }").await;
    assert_eq!(text(&blocked["title"]["id"]), film);
    let document = format!("{{ title(id: {film:?}) {{ availability {{ blockedTerritories }} }} }}");
    let seen = admin.ask(&document).await;
    assert_eq!(seen["title"]["availability"]["blockedTerritories"], json!(["AT"]));
    api.places.move_to(Some("DE"), false);
    let viewer = api.client_as(1, &[Role::Viewer]);
    assert_eq!(viewer.run(&document, json!({})).await.code(), "FORBIDDEN");
}
