//! The parameters of a GraphQL request, from a body, a URL or a message.

use async_graphql::Variables;
use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::{HeaderMap, Uri, header};
use bytes::BytesMut;
use futures::StreamExt;
use serde_json::{Map, Value};

use crate::errors::{Code, Fault};

/// The largest body of a GraphQL request.
pub(crate) const GRAPHQL_BYTES_MAX: usize = 128 * 1_024;

/// What is to be run.
#[derive(Debug)]
pub(crate) struct Parameters {
    /// The document.
    pub(crate) query: String,
    /// Which of its operations.
    pub(crate) operation_name: Option<String>,
    /// Their variables.
    pub(crate) variables: Variables,
}

/// How much of a body that is too large is read all the same, and thrown away: a connection that is
/// closed while the client still sends is reset, and the client never sees the answer (RFC 9112,
/// section 9.6). Room for what somebody sends by mistake; whoever sends more is cut off. How long it
/// may take is bounded like every request.
const DISCARDED_BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// Reads a body, at most so many bytes. What is behind them is thrown away.
///
/// # Errors
/// It is larger, or the connection broke.
pub(crate) async fn read(body: Body, headers: &HeaderMap, limit: usize) -> Result<Bytes, Fault> {
    let too_large =
        || Fault::new(Code::BodyTooLarge, format!("the body is larger than {limit} bytes"));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok());
    let announced = announced.and_then(|len| len.parse::<u64>().ok());
    let fits = announced.is_none_or(|len| len <= limit as u64);
    // Who asks first whether to send it is told no, and sends nothing.
    if !fits && headers.contains_key(header::EXPECT) {
        return Err(too_large());
    }
    let (mut kept, mut seen) = (BytesMut::new(), 0_usize);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| bad("the connection broke within the body"))?;
        seen = seen.saturating_add(chunk.len());
        if fits && seen <= limit {
            kept.extend_from_slice(&chunk);
        } else if seen > DISCARDED_BYTES_MAX {
            break;
        }
    }
    if fits && seen <= limit { Ok(kept.freeze()) } else { Err(too_large()) }
}

/// The parameters in a JSON body.
///
/// # Errors
/// The body is not an object with the right members.
pub(crate) fn from_json(body: &[u8]) -> Result<Parameters, Fault> {
    let value = serde_json::from_slice(body);
    let value = value.map_err(|error| bad(format!("the body is not JSON: {error}")))?;
    from_value(value)
}

/// The parameters in a JSON value.
///
/// # Errors
/// The value is not an object with the right members.
pub(crate) fn from_value(value: Value) -> Result<Parameters, Fault> {
    let Value::Object(mut members) = value else {
        return Err(bad("the body must be one JSON object; batches are not taken"));
    };
    let query = match members.remove("query") {
        Some(Value::String(query)) => query,
        _ => return Err(bad("query must be a string")),
    };
    let operation_name = match members.remove("operationName") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name),
        Some(_) => return Err(bad("operationName must be a string")),
    };
    let variables = object(&mut members, "variables")?;
    object(&mut members, "extensions")?;
    Ok(Parameters { query, operation_name, variables: Variables::from_json(variables) })
}

/// The parameters in the query of a URL: `variables` and `extensions` are JSON in it.
///
/// # Errors
/// One of them is missing, malformed or there twice.
pub(crate) fn from_uri(uri: &Uri) -> Result<Parameters, Fault> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let Query(pairs) = pairs.map_err(|_| bad("the query of the URL is malformed"))?;
    let mut members = Map::new();
    for (name, text) in pairs {
        let value = match name.as_str() {
            "query" => Value::String(text),
            "operationName" if text.is_empty() => Value::Null,
            "operationName" => Value::String(text),
            "variables" | "extensions" if text.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&text)
                .map_err(|error| bad(format!("{name} is not JSON: {error}")))?,
            _ => continue,
        };
        if members.insert(name.clone(), value).is_some() {
            return Err(bad(format!("{name} is there twice")));
        }
    }
    from_value(Value::Object(members))
}

fn object(members: &mut Map<String, Value>, name: &str) -> Result<Value, Fault> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(Value::Object(Map::new())),
        Some(value @ Value::Object(_)) => Ok(value),
        Some(_) => Err(bad(format!("{name} must be an object"))),
    }
}

fn bad(message: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
    Fault::new(Code::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn is_bad(body: &str) -> bool {
        matches!(from_json(body.as_bytes()), Err(Fault { code: Code::BadRequest, .. }))
    }

    /// A body of so many pieces of 64 KiB, and a count of those that were taken.
    fn pieces(count: usize) -> (Body, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let stream = futures::stream::iter(0..count).map(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 65_536]))
        });
        (Body::from_stream(stream), taken)
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_read_to_its_end_so_that_the_answer_is_seen() {
        for announced in [Some("10485760"), None] {
            let (body, taken) = pieces(160);
            let mut headers = HeaderMap::new();
            if let Some(len) = announced {
                headers.insert(header::CONTENT_LENGTH, len.parse().unwrap());
            }
            let fault = read(body, &headers, GRAPHQL_BYTES_MAX).await.unwrap_err();
            assert_eq!((fault.code, taken.load(Ordering::Relaxed)), (Code::BodyTooLarge, 160));
        }
    }

    #[tokio::test]
    async fn a_body_without_end_is_cut_off() {
        let (body, taken) = pieces(usize::MAX);
        let fault = read(body, &HeaderMap::new(), GRAPHQL_BYTES_MAX).await.unwrap_err();
        assert_eq!((fault.code, taken.load(Ordering::Relaxed)), (Code::BodyTooLarge, 513));
    }

    #[tokio::test]
    async fn who_asks_before_sending_too_much_is_told_at_once() {
        let (body, taken) = pieces(160);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, "10485760".parse().unwrap());
        headers.insert(header::EXPECT, "100-continue".parse().unwrap());
        let fault = read(body, &headers, GRAPHQL_BYTES_MAX).await.unwrap_err();
        assert_eq!((fault.code, taken.load(Ordering::Relaxed)), (Code::BodyTooLarge, 0));
    }

    #[tokio::test]
    async fn a_body_that_fits_is_read_whole() {
        let (body, _) = pieces(2);
        let read = read(body, &HeaderMap::new(), GRAPHQL_BYTES_MAX).await.unwrap();
        assert_eq!(read.len(), GRAPHQL_BYTES_MAX);
    }

    #[test]
    fn only_an_object_with_a_query_is_taken() {
        for body in [
            "",
            "{",
            "null",
            "3",
            "[]",
            r#"[{"query":"{ a }"}]"#,
            "{}",
            r#"{"query":null}"#,
            r#"{"query":["a"]}"#,
            r#"{"query":"{ a }","operationName":1}"#,
            r#"{"query":"{ a }","variables":[]}"#,
            r#"{"query":"{ a }","variables":"{}"}"#,
            r#"{"query":"{ a }","extensions":0}"#,
        ] {
            assert!(is_bad(body), "{body}");
        }
        let nulls = r#"{"query":"{ a }","operationName":null,"variables":null,"extensions":null}"#;
        assert!(from_json(nulls.as_bytes()).is_ok());
    }

    #[test]
    fn json_that_is_nested_without_end_is_refused() {
        let nested = format!(r#"{{"query":"a","variables":{}"#, r#"{"a":"#.repeat(50_000));
        assert!(is_bad(&nested));
    }

    #[test]
    fn a_url_holds_the_same_parameters() {
        let uri = "/graphql?query=%7Ba%7D&variables=%7B%22x%22%3A1%7D&operationName=&other=1";
        let parameters = from_uri(&uri.parse().unwrap()).unwrap();
        assert_eq!(parameters.query, "{a}");
        assert_eq!(parameters.operation_name, None);
        assert_eq!(parameters.variables.len(), 1);
        for uri in ["/graphql", "/graphql?query=a&query=b", "/graphql?query=a&variables=x"] {
            assert!(from_uri(&uri.parse().unwrap()).is_err(), "{uri}");
        }
    }
}
