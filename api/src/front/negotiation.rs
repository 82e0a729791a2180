//! Which media types go in and out of the GraphQL endpoint.

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};

use crate::errors::{Code, Fault};

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`: a document that cannot be run is answered with status 200.
    Json,
    /// `application/graphql-response+json`: a document that cannot be run is answered with 400.
    GraphqlResponse,
    /// `text/event-stream`: results as server-sent events, one after another.
    EventStream,
}

impl Media {
    /// The value of the answer's `Content-Type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::EventStream => "text/event-stream; charset=utf-8",
        }
    }
}

/// The form that the client likes best; of equal ones, the first that it names. `*/*` and a missing
/// header mean JSON, as the GraphQL-over-HTTP draft says for old clients.
///
/// # Errors
/// The client takes none of them.
pub(crate) fn accepted(headers: &HeaderMap) -> Result<Media, Fault> {
    let mut best: Option<(Media, u16)> = None;
    let mut named = false;
    for range in values(headers, ACCEPT.as_str()).flat_map(|value| value.split(',')) {
        let Some(range) = Range::parse(range) else { continue };
        named = true;
        if let Some(media) = range.media
            && range.thousandths > best.map_or(0, |(_, thousandths)| thousandths)
        {
            best = Some((media, range.thousandths));
        }
    }
    match best {
        Some((media, _)) => Ok(media),
        None if !named => Ok(Media::Json),
        None => Err(Fault::new(
            Code::NotAcceptable,
            "answers have the type application/graphql-response+json, application/json or \
             text/event-stream",
        )),
    }
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

/// One element of an `Accept` header (RFC 9110, section 12.5.1).
struct Range {
    /// What of ours it covers.
    media: Option<Media>,
    /// Its weight, in thousandths.
    thousandths: u16,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
        let (mut thousandths, mut utf8) = (1_000, true);
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            match key.trim().to_ascii_lowercase().as_str() {
                "q" => thousandths = weight(value.trim()),
                "charset" => utf8 = is_utf8(value),
                _ => {}
            }
        }
        let media = match name.as_str() {
            "*/*" | "application/*" | "application/json" => Some(Media::Json),
            "application/graphql-response+json" => Some(Media::GraphqlResponse),
            "text/event-stream" => Some(Media::EventStream),
            _ => None,
        };
        Some(Self { media: media.filter(|_| utf8), thousandths })
    }
}

/// `0`, `0.5`, `1.000` in thousandths; a malformed weight counts as none.
fn weight(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 {
        return 0;
    }
    let fraction = format!("{fraction:0<3}");
    match (whole, fraction.parse::<u16>()) {
        ("0", Ok(thousandths)) => thousandths,
        ("1", Ok(0)) => 1_000,
        _ => 0,
    }
}

fn is_utf8(charset: &str) -> bool {
    charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
}

/// Whether a body is JSON in UTF-8.
pub(crate) fn is_json(content_type: Option<&HeaderValue>) -> bool {
    let Some(text) = content_type.and_then(|value| value.to_str().ok()) else { return false };
    let mut parts = text.split(';').map(str::trim);
    let json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    json && parts.filter(|part| !part.is_empty()).all(|part| match part.split_once('=') {
        Some((key, value)) => !key.trim().eq_ignore_ascii_case("charset") || is_utf8(value),
        None => false,
    })
}

/// Fails unless the body is JSON. Forms are refused with everything else, so that no foreign web
/// page can send one without asking first (CORS).
///
/// # Errors
/// The body is something else.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Fault> {
    if is_json(headers.get(CONTENT_TYPE)) {
        return Ok(());
    }
    let message = "the body must be application/json in UTF-8";
    Err(Fault::new(Code::UnsupportedMediaType, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(values: &[&str]) -> Option<Media> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        accepted(&headers).ok()
    }

    #[test]
    fn the_client_gets_what_it_likes_best() {
        let response = "application/graphql-response+json";
        let table: [(&[&str], Option<Media>); 16] = [
            (&[], Some(Media::Json)),
            (&[""], Some(Media::Json)),
            (&["*/*"], Some(Media::Json)),
            (&["application/*"], Some(Media::Json)),
            (&["application/json"], Some(Media::Json)),
            (&["Application/JSON; Charset=\"UTF-8\""], Some(Media::Json)),
            (&["application/json; charset=latin1"], None),
            (&[response], Some(Media::GraphqlResponse)),
            (
                &["application/graphql-response+json, application/json;q=0.9"],
                Some(Media::GraphqlResponse),
            ),
            (&["application/json;q=0.2", response], Some(Media::GraphqlResponse)),
            (&["application/graphql-response+json;q=0.5, */*;q=0.8"], Some(Media::Json)),
            (&["text/event-stream"], Some(Media::EventStream)),
            (&["application/json;q=0"], None),
            (&["application/json;q=nonsense"], None),
            (&["text/html"], None),
            (&["text/html, */*;q=0.1"], Some(Media::Json)),
        ];
        for (values, media) in table {
            assert_eq!(accept(values), media, "{values:?}");
        }
    }

    #[test]
    fn only_json_in_utf8_goes_in() {
        for (text, json) in [
            ("application/json", true),
            ("application/json;charset=utf-8", true),
            ("APPLICATION/JSON ; charset=\"UTF-8\"", true),
            ("application/json; charset=latin1", false),
            ("application/json; nonsense", false),
            ("text/plain", false),
            ("application/graphql", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ] {
            assert_eq!(is_json(Some(&text.parse().unwrap())), json, "{text:?}");
        }
        assert!(!is_json(None));
    }
}
