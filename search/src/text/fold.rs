//! The one definition of how text is compared.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::tokens::tokens;

/// The form in which a text is compared: its words, folded, with one space between them.
///
/// A text without any letter, digit or emoji (there are films called "$" and "...") is only made
/// small and rid of space and control characters, so that it still can be found.
#[must_use]
pub fn normalize(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    for token in tokens(text) {
        if !whole.is_empty() {
            whole.push(' ');
        }
        whole.push_str(&token.text);
    }
    if whole.is_empty() {
        let shown = |c: &char| !c.is_whitespace() && !c.is_control() && !is_invisible(*c);
        whole = text.chars().filter(shown).flat_map(char::to_lowercase).collect();
    }
    whole
}

/// Folds a run of characters that has no space and no punctuation in it.
pub(super) fn fold(run: &str) -> String {
    if run.is_ascii() {
        return run.to_ascii_lowercase();
    }
    run.nfkd()
        .flat_map(char::to_lowercase)
        .filter(|c| !is_mark_to_drop(*c) && !is_invisible(*c))
        .flat_map(spell)
        .nfc()
        .collect()
}

/// Letters that do not come apart in NFKD, in the letters that people type for them.
fn spell(c: char) -> impl Iterator<Item = char> {
    let spelled: &[char] = match c {
        'ß' => &['s', 's'],
        'æ' => &['a', 'e'],
        'œ' => &['o', 'e'],
        'ø' => &['o'],
        'đ' | 'ð' => &['d'],
        'ł' => &['l'],
        'þ' => &['t', 'h'],
        'ħ' => &['h'],
        'ı' => &['i'],
        'ς' => &['σ'],
        'ى' => &['ي'],
        'ة' => &['ه'],
        'ٱ' => &['ا'],
        'ـ' => &[],
        _ => return Spelled::One(Some(c)),
    };
    Spelled::Several(spelled.iter())
}

enum Spelled {
    One(Option<char>),
    Several(std::slice::Iter<'static, char>),
}

impl Iterator for Spelled {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        match self {
            Self::One(c) => c.take(),
            Self::Several(spelled) => spelled.next().copied(),
        }
    }
}

/// Marks that readers leave out when they type. Marks that make another letter or syllable (Thai
/// and Indic vowels, the voicing of kana) stay.
fn is_mark_to_drop(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{591}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6ed}')
}

/// Characters that join, direct or vary others and show nothing themselves.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// What a character is to a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Part of a word that ends at a space.
    Letter,
    /// Part of a script that puts no space between words, or of Hangul, whose words carry endings.
    Dense,
    /// A word by itself.
    Emoji,
    /// "&": the word "and".
    And,
    /// Left out, and does not end a word.
    Dropped,
    /// Between words.
    Gap,
}

pub(super) fn class(c: char) -> Class {
    if c.is_ascii() {
        return match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Letter,
            '&' => Class::And,
            '\'' | '`' => Class::Dropped,
            _ => Class::Gap,
        };
    }
    match c {
        '’' | '‘' | '´' | 'ʼ' | 'ʻ' | '′' | '＇' | '‛' => Class::Dropped,
        '＆' => Class::And,
        '\u{1f3fb}'..='\u{1f3ff}' => Class::Dropped,
        c if is_invisible(c) => Class::Dropped,
        '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{2600}'..='\u{27bf}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' => Class::Emoji,
        c if is_dense(c) => Class::Dense,
        c if c.is_alphanumeric() || is_combining_mark(c) => Class::Letter,
        _ => Class::Gap,
    }
}

fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{1100}'..='\u{11ff}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30fa}'
        | '\u{30fc}'..='\u{30ff}' | '\u{3105}'..='\u{318f}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}
