//! One linear pass over the text of a document, before the parser sees it.

use crate::errors::{Code, Fault};

/// The deepest nesting of brackets. The deepest of our own documents, the introspection query, has
/// 16.
pub(crate) const DEPTH_MAX: usize = 64;
/// The most tokens of a document. The introspection query has about 300.
pub(crate) const TOKENS_MAX: usize = 2_000;

/// Counts brackets and tokens, skipping strings and comments just as the parser does.
///
/// # Errors
/// The document is nested too deeply, has too many tokens, or a string without an end.
pub(crate) fn scan(document: &str) -> Result<(), Fault> {
    let (mut rest, mut depth, mut tokens) = (document.as_bytes(), 0_usize, 0_usize);
    while let Some((&byte, behind)) = rest.split_first() {
        rest = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                rest = behind;
                continue;
            }
            b'#' => {
                rest = after_comment(behind);
                continue;
            }
            b'"' => after_string(behind).ok_or_else(unterminated)?,
            _ if is_word(byte) => after_word(behind),
            _ => behind,
        };
        tokens += 1;
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(too_complex("is nested too deeply", DEPTH_MAX));
        }
        if tokens > TOKENS_MAX {
            return Err(too_complex("has too many tokens", TOKENS_MAX));
        }
    }
    Ok(())
}

fn too_complex(what: &str, limit: usize) -> Fault {
    Fault::new(Code::QueryTooComplex, format!("the document {what}; the limit is {limit}"))
}

fn unterminated() -> Fault {
    Fault::new(Code::GraphqlParseFailed, "the document has a string without an end")
}

/// Bytes of names, numbers and everything beyond ASCII.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn after_word(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().take_while(|byte| is_word(**byte)).count();
    bytes.get(len..).unwrap_or_default()
}

fn after_comment(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count();
    bytes.get(len..).unwrap_or_default()
}

/// What follows a string whose first quote was just read; `None` if it does not end.
fn after_string(bytes: &[u8]) -> Option<&[u8]> {
    if let Some(block) = bytes.strip_prefix(br#""""#) {
        return after_block(block);
    }
    let mut rest = bytes;
    loop {
        rest = match rest {
            [b'"', behind @ ..] => return Some(behind),
            [b'\\', b'\n' | b'\r', ..] | [b'\n' | b'\r', ..] | [] => return None,
            [b'\\', _, behind @ ..] | [_, behind @ ..] => behind,
        };
    }
}

fn after_block(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        if let Some(behind) = rest.strip_prefix(br#"""""#) {
            return Some(behind);
        }
        rest = match rest.strip_prefix(br#"\""""#) {
            Some(behind) => behind,
            None => rest.split_first()?.1,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(document: &str) -> Option<Code> {
        scan(document).err().map(|fault| fault.code)
    }

    #[test]
    fn two_thousand_brackets_never_reach_the_parser() {
        for (open, close) in [("[", "]"), ("{a:", "}")] {
            let literal = format!("{}{}", open.repeat(2_000), close.repeat(2_000));
            let document = format!("{{ titles(filter: {literal}) {{ totalCount }} }}");
            assert_eq!(code(&document), Some(Code::QueryTooComplex));
        }
        assert_eq!(code(&"{a".repeat(DEPTH_MAX + 1)), Some(Code::QueryTooComplex));
        assert_eq!(code(&"{a".repeat(DEPTH_MAX)), None);
    }

    #[test]
    fn tokens_are_counted() {
        assert_eq!(code(&"a ".repeat(TOKENS_MAX)), None);
        assert_eq!(code(&"a ".repeat(TOKENS_MAX + 1)), Some(Code::QueryTooComplex));
        assert_eq!(code(&"a".repeat(TOKENS_MAX + 1)), None, "one long name is one token");
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let brackets = "[".repeat(100);
        for document in [
            format!(r#"{{ a(b: "{brackets}") }}"#),
            format!(r#"{{ a(b: "\"{brackets}") }}"#),
            format!(r#"{{ a(b: """{brackets}" "" \"""{brackets}""") }}"#),
            format!("{{ a # {brackets}\n }}"),
            format!("{{ a # {brackets}\r }}"),
        ] {
            assert_eq!(code(&document), None, "{document}");
        }
    }

    #[test]
    fn brackets_behind_strings_and_comments_count() {
        let brackets = "[".repeat(100);
        for before in [r#""""#, r#""\\""#, r#""""a""""#, r#""""\"""" """"#, "#\r", "#\n"] {
            let document = format!("{{ a(b: {before} {brackets}");
            assert_eq!(code(&document), Some(Code::QueryTooComplex), "{document}");
        }
    }

    /// The parser, finding no end of a block string, would read two short strings instead and go on
    /// behind them; so would brackets be hidden from the count.
    #[test]
    fn a_string_without_an_end_is_refused() {
        for string in ["\"", "\"abc", "\"\"\"x\" [[[[", "\"\"\"\\\"\"\"", "\"a\nb\"", "\"\\\n\""] {
            let document = format!("{{ a(b: {string}");
            assert_eq!(code(&document), Some(Code::GraphqlParseFailed), "{document}");
        }
    }
}
