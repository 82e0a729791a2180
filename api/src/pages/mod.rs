//! The pages that links in mails and codes of televisions lead to, for people who have no app at hand.
//!
//! Each is one file without any dependency, and does its work by the GraphQL API. What is secret
//! stands behind the `#` of the link, which browsers keep to themselves; the script takes it out of
//! the address before anything else. Nothing is done before somebody presses a button, because
//! programs that look at mails open links, too.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{Html, IntoResponse, Response};

use crate::explorer::source_hash;

const SHELL: &str = include_str!("shell.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What the pages are called, the heading of each, and what stands below it.
const PAGES: [(&str, &str, &str); 5] = [
    ("verify-email", "Confirm your e-mail address", include_str!("verify-email.html")),
    ("confirm-email", "Confirm your new e-mail address", include_str!("confirm-email.html")),
    ("reset-password", "Choose a new password", include_str!("reset-password.html")),
    ("forgot-password", "Forgotten your password?", include_str!("forgot-password.html")),
    ("device", "Let a device in", include_str!("device.html")),
];

/// The paths of the pages.
pub(crate) const PATHS: [&str; 5] =
    ["/verify-email", "/confirm-email", "/reset-password", "/forgot-password", "/device"];

static MADE: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
    PAGES.iter().map(|(name, title, main)| (*name, made(name, title, main))).collect()
});

/// Only the pages' own script and style run, by their hashes, and they reach only this server
/// (Content Security Policy Level 3).
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let (script, style) = (source_hash(SCRIPT), source_hash(STYLE));
    format!(
        "default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

fn made(name: &str, title: &str, main: &str) -> String {
    // The script last, since it holds braces of its own.
    SHELL
        .replace("{title}", title)
        .replace("{name}", name)
        .replace("{main}", main.trim_end())
        .replace("{style}", STYLE)
        .replace("{script}", SCRIPT)
}

/// The page that the path names.
pub(crate) async fn serve(uri: Uri) -> Response {
    let Some(page) = MADE.get(uri.path().trim_start_matches('/')) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(page.as_str())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_its_page() {
        let names: Vec<_> = PAGES.iter().map(|(name, ..)| format!("/{name}")).collect();
        assert_eq!(names, PATHS);
    }

    #[test]
    fn every_field_has_a_label_and_every_page_says_how_it_went() {
        for (name, title, main) in PAGES {
            let page = made(name, title, main);
            for field in main.split("<input id=\"").skip(1) {
                let id = field.split_once('"').unwrap().0;
                assert!(main.contains(&format!("<label for=\"{id}\">")), "{name}: {id}");
            }
            for part in ["lang=\"en\"", "width=device-width", "role=\"alert\"", "role=\"status\""] {
                assert!(page.contains(part), "{name}: {part}");
            }
            assert_eq!(page.matches("<h1>").count(), 1, "{name}");
        }
    }

    #[test]
    fn the_policy_lets_the_script_and_the_style_of_every_page_run() {
        for page in MADE.values() {
            for (from, to) in [("<script>", "</script>"), ("<style>", "</style>")] {
                let inner = page.split_once(from).unwrap().1.split_once(to).unwrap().0;
                assert!(POLICY.contains(&source_hash(inner)), "{from}");
            }
        }
    }
}
