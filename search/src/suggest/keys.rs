//! Where people may begin to type: the keys of a text.

use crate::text::{normalize, tokens};

/// The most characters of a key, which is also the most that is looked at of an input.
pub(super) const KEY_CHARS_MAX: usize = 100;

/// The most keys of a text: few titles have more words, and nobody begins at a later one.
const KEYS_MAX: usize = 16;

/// English words with which titles begin and which people leave out.
const ARTICLES: [&str; 3] = ["the", "a", "an"];

/// A place in a normalised text at which people may begin to type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    /// In bytes.
    pub(super) offset: u16,
    /// What stands before it.
    pub(super) behind: Behind,
}

/// What stands before a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// Nothing.
    Nothing,
    /// A leading article.
    Article,
    /// More than that.
    Words,
}

/// The starts in a text: its beginning, each of its words, and each character of scripts that put
/// no space between words.
pub(super) fn starts(text: &str) -> Vec<Start> {
    let mut found = vec![Start { offset: 0, behind: Behind::Nothing }];
    let (mut at, mut behind_article) = (0, false);
    for (number, token) in tokens(text).iter().enumerate() {
        let inner = token.text.char_indices().filter(|(inner, _)| *inner == 0 || token.dense);
        for (inner, _) in inner {
            let Ok(offset) = u16::try_from(at + inner) else { return found };
            if found.len() == KEYS_MAX {
                return found;
            }
            if offset > 0 {
                let article = behind_article && inner == 0;
                let behind = if article { Behind::Article } else { Behind::Words };
                found.push(Start { offset, behind });
            }
        }
        behind_article = number == 0 && ARTICLES.contains(&&*token.text);
        at += token.text.len() + 1;
    }
    found
}

/// The key that begins somewhere in a normalised text.
pub(super) fn key(normal: &str, offset: u16) -> &str {
    let rest = normal.get(usize::from(offset)..).unwrap_or_default();
    let end = rest.char_indices().nth(KEY_CHARS_MAX).map_or(rest.len(), |(at, _)| at);
    rest.get(..end).unwrap_or_default()
}

/// The key that is looked for: a space at the end of an input says that its last word is complete.
pub(super) fn typed(input: &str) -> String {
    let mut typed = normalize(input);
    if !typed.is_empty() && input.ends_with(char::is_whitespace) {
        typed.push(' ');
    }
    typed
}

/// Where the bytes `from..from + len` of a normalised text stand in the text, in bytes of it.
pub(super) fn shown(text: &str, from: usize, len: usize) -> std::ops::Range<usize> {
    let tokens = tokens(text);
    let mut at = 0;
    let (mut start, mut end) = (0, if tokens.is_empty() { text.len() } else { 0 });
    for token in &tokens {
        let raw = text.get(token.range.clone()).unwrap_or_default();
        // Where the token has characters of its own length, it is cut within; else it is whole.
        let within = |bytes: usize| {
            let chars = token.text.get(..bytes).map_or(0, |part| part.chars().count());
            let same = raw.chars().count() == token.text.chars().count();
            let cut = raw.char_indices().nth(chars).map_or(raw.len(), |(at, _)| at);
            if same {
                cut
            } else if bytes == 0 {
                0
            } else {
                raw.len()
            }
        };
        if from >= at && from < at + token.text.len().max(1) {
            start = token.range.start + within(from - at);
        }
        if from + len > at {
            end = token.range.start + within((from + len - at).min(token.text.len()));
        }
        at += token.text.len() + 1;
    }
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<(String, Behind)> {
        let normal = normalize(text);
        let of = |start: Start| (key(&normal, start.offset).to_owned(), start.behind);
        starts(text).into_iter().map(of).collect()
    }

    #[test]
    fn every_word_is_a_start_and_the_one_behind_an_article_is_told() {
        let expected = [
            ("the lion king", Behind::Nothing),
            ("lion king", Behind::Article),
            ("king", Behind::Words),
        ];
        assert_eq!(keys("The Lion King"), expected.map(|(key, leads)| (key.to_owned(), leads)));
        let expected = [("face off", Behind::Nothing), ("off", Behind::Words)];
        assert_eq!(keys("Face/Off"), expected.map(|(key, leads)| (key.to_owned(), leads)));
    }

    #[test]
    fn every_character_of_a_script_without_spaces_is_a_start() {
        let keys: Vec<_> = keys("七人の侍").into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["七人の侍", "人の侍", "の侍", "侍"]);
    }

    #[test]
    fn a_text_without_words_is_its_own_key() {
        assert_eq!(keys("$"), [("$".to_owned(), Behind::Nothing)]);
    }

    #[test]
    fn long_texts_have_no_more_than_16_keys_of_100_characters() {
        let keys = keys(&"word ".repeat(90));
        assert_eq!(keys.len(), 16);
        assert!(keys.iter().all(|(key, _)| key.chars().count() <= 100));
    }

    #[test]
    fn a_space_at_the_end_completes_the_word() {
        assert_eq!([typed("The "), typed(" The"), typed("  "), typed("")], ["the ", "the", "", ""]);
    }

    #[test]
    fn what_matched_is_shown_in_the_text_as_it_is_written() {
        let cases = [
            ("The Lion King", 4, 4, "Lion"),
            ("The Lion King", 4, 6, "Lion K"),
            ("Amélie", 0, 3, "Amé"),
            ("Don't Look Now", 0, 5, "Don't"),
            ("Fast & Furious", 5, 3, "&"),
            ("Spider-Man: Far", 0, 10, "Spider-Man"),
            ("七人の侍", 3, 3, "人"),
            ("$", 0, 1, "$"),
            ("The Lion King", 0, 4, "The"),
        ];
        for (text, from, len, expected) in cases {
            assert_eq!(&text[shown(text, from, len)], expected, "{text} {from} {len}");
        }
    }
}
