//! A JSON array, element by element: memory is bounded by the largest element, not by the file.

use std::io::{self, BufRead};

use serde::de::IgnoredAny;

/// The largest element that is read.
const ELEMENT_BYTES_MAX: usize = 1 << 20;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Counted from 1.
    pub(super) line: u64,
    /// Counted from 1, in bytes.
    pub(super) column: u64,
}

impl Place {
    const START: Self = Self { line: 1, column: 1 };

    /// The place behind some bytes that begin here.
    pub(super) fn behind(mut self, bytes: &[u8]) -> Self {
        bytes.iter().for_each(|byte| self.step(*byte));
        self
    }

    /// The place that a parser names which was given the bytes from here on, and counts both line
    /// and column from 1.
    pub(super) fn within(self, error: &serde_json::Error) -> Self {
        let (lines, column) = (number(error.line()), number(error.column()));
        if lines <= 1 {
            Self { line: self.line, column: self.column + column.saturating_sub(1) }
        } else {
            Self { line: self.line + lines - 1, column }
        }
    }

    fn step(&mut self, byte: u8) {
        if byte == b'\n' {
            *self = Self { line: self.line + 1, column: 1 };
        } else {
            self.column += 1;
        }
    }
}

fn number(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// One element, as text.
#[derive(Debug)]
pub(super) struct Element {
    /// From its first byte on; not yet known to be JSON.
    pub(super) text: Vec<u8>,
    /// Where it begins.
    pub(super) place: Place,
}

/// Why there are no more elements.
#[derive(Debug)]
pub(super) enum Broken {
    /// The file cannot be read.
    Io(io::Error),
    /// It is not an array, or something in it is not JSON; the rest cannot be read.
    Syntax(Place, String),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The elements of an array.
pub(super) struct Elements<R> {
    reader: R,
    place: Place,
    next: Next,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    First,
    Comma,
    Nothing,
}

impl<R: BufRead> Elements<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, place: Place::START, next: Next::First }
    }

    /// The next element; `None` behind the last one. After an error there is nothing more.
    pub(super) fn next_element(&mut self) -> Result<Option<Element>, Broken> {
        let before = std::mem::replace(&mut self.next, Next::Nothing);
        match before {
            Next::Nothing => return Ok(None),
            Next::First => {
                self.byte_order_mark()?;
                match self.visible()? {
                    Some(b'[') => {}
                    Some(_) => return Err(self.broken("expected an array of films")),
                    None => {
                        return Err(self.broken("the file is empty; expected an array of films"));
                    }
                }
                self.take(b'[');
            }
            Next::Comma => {}
        }
        let first = before != Next::Comma;
        match self.visible()? {
            Some(b']') => return self.end(),
            Some(b',') if !first => {
                self.take(b',');
                if matches!(self.visible()?, Some(b']') | None) {
                    return Err(self.broken("expected a film behind the comma"));
                }
            }
            Some(_) if first => {}
            Some(_) => return Err(self.broken("expected `,` or `]` behind a film")),
            None => return Err(self.broken("the file ends within the array")),
        }
        let element = self.element()?;
        self.next = Next::Comma;
        Ok(Some(element))
    }

    fn end(&mut self) -> Result<Option<Element>, Broken> {
        self.take(b']');
        match self.visible()? {
            None => Ok(None),
            Some(_) => Err(self.broken("expected nothing behind the array")),
        }
    }

    /// Takes everything up to the comma or bracket that ends the element.
    fn element(&mut self) -> Result<Element, Broken> {
        let mut element = Element { text: Vec::with_capacity(1_024), place: self.place };
        let mut open = Vec::new();
        let (mut in_string, mut escaped) = (false, false);
        while let Some(byte) = self.peek()? {
            if escaped {
                escaped = false;
            } else if in_string {
                escaped = byte == b'\\';
                in_string = byte != b'"';
            } else {
                match byte {
                    b',' | b']' if open.is_empty() => {
                        element.text.truncate(element.text.trim_ascii_end().len());
                        return Ok(element);
                    }
                    b'"' => in_string = true,
                    b'{' => open.push(b'}'),
                    b'[' => open.push(b']'),
                    b'}' | b']' if open.pop() != Some(byte) => break,
                    _ => {}
                }
            }
            if element.text.len() == ELEMENT_BYTES_MAX {
                break;
            }
            element.text.push(byte);
            self.take(byte);
        }
        Err(diagnose(&element))
    }

    fn broken(&self, problem: &str) -> Broken {
        Broken::Syntax(self.place, problem.to_owned())
    }

    fn byte_order_mark(&mut self) -> io::Result<()> {
        if self.reader.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
            self.reader.consume(3);
        }
        Ok(())
    }

    /// The next byte that is no white space.
    fn visible(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => self.take(byte),
                other => return Ok(other),
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.reader.fill_buf()?.first().copied())
    }

    /// Takes the byte that was peeked at.
    fn take(&mut self, byte: u8) {
        self.reader.consume(1);
        self.place.step(byte);
    }
}

/// What is wrong with an element that does not end: the first thing in it that is not JSON.
fn diagnose(element: &Element) -> Broken {
    match serde_json::from_slice::<IgnoredAny>(&element.text) {
        Err(error) => Broken::Syntax(element.place.within(&error), problem(&error)),
        Ok(_) => {
            let end = element.place.behind(&element.text);
            Broken::Syntax(end, "expected `,` or `]` behind a film".to_owned())
        }
    }
}

/// What a parser said, without the place, which is relative.
pub(super) fn problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    format!("not valid JSON: {}", text.strip_suffix(&place).unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, u64, u64)>, Option<String>) {
        // Two bytes at a time, so that no buffer happens to hold everything.
        let mut elements = Elements::new(io::BufReader::with_capacity(2, text.as_bytes()));
        let mut found = Vec::new();
        loop {
            match elements.next_element() {
                Ok(Some(Element { text, place })) => {
                    found.push((String::from_utf8(text).unwrap(), place.line, place.column));
                }
                Ok(None) => return (found, None),
                Err(Broken::Io(error)) => panic!("{error}"),
                Err(Broken::Syntax(place, problem)) => {
                    let error = format!("{}:{}: {problem}", place.line, place.column);
                    assert!(matches!(elements.next_element(), Ok(None)), "{text}");
                    return (found, Some(error));
                }
            }
        }
    }

    fn error(text: &str) -> String {
        read(text).1.unwrap()
    }

    #[test]
    fn elements_come_with_the_place_where_they_begin() {
        let (found, error) = read("[\n  {\"a\": \"],}\\\"\"},\n\n  [1, [2]]\n ,3 ]\n");
        let expected = [("{\"a\": \"],}\\\"\"}", 2, 3), ("[1, [2]]", 4, 3), ("3", 5, 3)];
        assert_eq!(error, None);
        assert_eq!(found, expected.map(|(text, line, column)| (text.to_owned(), line, column)));
    }

    #[test]
    fn an_empty_array_has_no_element() {
        assert_eq!(read(" [ ] "), (vec![], None));
    }

    #[test]
    fn what_is_no_array_is_refused_where_it_begins() {
        assert_eq!(error("\n {}"), "2:2: expected an array of films");
        assert_eq!(error(""), "1:1: the file is empty; expected an array of films");
    }

    #[test]
    fn broken_punctuation_is_found_at_its_place() {
        assert_eq!(error("[1,]"), "1:4: expected a film behind the comma");
        assert_eq!(error("[1,\n2"), "2:2: expected `,` or `]` behind a film");
        assert_eq!(error("[1] 2"), "1:5: expected nothing behind the array");
    }

    #[test]
    fn an_element_that_does_not_end_is_reported_where_it_goes_wrong() {
        assert_eq!(
            error("[\n{\"a\": 1,\n{\"b\": 2}]"),
            "3:1: not valid JSON: key must be a string"
        );
        assert!(error("[{\"a\": \"x").contains("EOF while parsing a string"));
        assert!(error("[{\"a\": [1}]").starts_with("1:"), "{}", error("[{\"a\": [1}]"));
    }
}
