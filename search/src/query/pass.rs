//! Looks for the titles of one segment that match, and grades them.

use std::sync::Arc;

use tantivy::postings::TermInfo;
use tantivy::schema::Field;
use tantivy::{DocId, InvertedIndexReader};

use super::fuzzy::Near;
use super::gate::SegmentGate;
use super::plan::Reading;
use super::tier::{Grade, Tier};
use crate::index::{Error, Fields, Posted, Segment, each_doc};

/// A search in one segment.
pub(super) struct Pass<'a> {
    pub(super) segment: &'a Segment,
    pub(super) fields: &'a Fields,
    gate: SegmentGate<'a>,
    /// By document.
    pub(super) grades: Vec<Grade>,
    /// The documents that match, each once.
    pub(super) found: Vec<DocId>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(segment: &'a Segment, fields: &'a Fields, gate: SegmentGate<'a>) -> Self {
        let grades = vec![Grade::NONE; segment.core.rows.len()];
        Self { segment, fields, gate, grades, found: vec![] }
    }

    /// How many titles match as they were typed, in their name or in their people.
    pub(super) fn well_matched(&self) -> usize {
        let grades = self.found.iter().filter_map(|doc| self.grades.get(*doc as usize));
        grades.filter(|grade| **grade < Grade::new(Tier::PeopleWords, u16::MAX)).count()
    }

    /// The best grade of any title.
    pub(super) fn best(&self) -> Option<Grade> {
        self.found.iter().filter_map(|doc| self.grades.get(*doc as usize)).min().copied()
    }

    /// Titles that share at least one in six runs of three characters with a text, and may be shown;
    /// with how many they share. One edit changes up to three runs, so that three edits in twelve
    /// characters leave two of eleven.
    pub(super) fn alike(&mut self, reading: &Reading) -> Result<Vec<(DocId, u32)>, Error> {
        let inverted = self.dictionary(self.fields.gram)?;
        let mut counts = vec![0_u32; self.grades.len()];
        for gram in &reading.grams {
            if let Some(info) = inverted.terms().get(gram)? {
                each_doc(&inverted, &info, |doc| {
                    if let Some(count) = counts.get_mut(doc as usize) {
                        *count += 1;
                    }
                })?;
            }
        }
        let enough = u32::try_from(reading.grams.len() / 6).unwrap_or(u32::MAX).max(1);
        let shared = counts.into_iter().zip(0..).filter(|(count, _)| *count >= enough);
        let shared: Vec<_> = shared.map(|(count, doc)| (doc, count)).collect();
        Ok(shared.into_iter().filter(|(doc, _)| self.gate.admits(*doc)).collect())
    }

    pub(super) fn dictionary(&self, field: Field) -> Result<Arc<InvertedIndexReader>, Error> {
        Ok(self.segment.reader.inverted_index(field)?)
    }

    pub(super) fn term(&self, field: Field, term: &str) -> Result<Option<TermInfo>, Error> {
        Ok(self.dictionary(field)?.terms().get(term)?)
    }

    /// Grades a title, unless it has a better grade already or may not be shown.
    pub(super) fn offer(&mut self, reading: &Reading, doc: DocId, grade: Grade) {
        let Some(held) = self.grades.get_mut(doc as usize) else { return };
        if *held <= grade {
            return;
        }
        let year = self.segment.row(doc).map(|row| row.year);
        if reading.year.is_some() && year != reading.year {
            return;
        }
        if *held == Grade::NONE {
            if !self.gate.admits(doc) {
                *held = Grade::REFUSED;
                return;
            }
            self.found.push(doc);
        }
        *held = grade;
    }

    fn offer_term(
        &mut self,
        reading: &Reading,
        field: Field,
        term: &str,
        grade: Grade,
    ) -> Result<(), Error> {
        let inverted = self.dictionary(field)?;
        if let Some(info) = inverted.terms().get(term)? {
            each_doc(&inverted, &info, |doc| self.offer(reading, doc, grade))?;
        }
        Ok(())
    }

    fn docs(&self, field: Field, term: &str) -> Result<Vec<DocId>, Error> {
        let inverted = self.dictionary(field)?;
        let mut docs = vec![];
        if let Some(info) = inverted.terms().get(term)? {
            each_doc(&inverted, &info, |doc| docs.push(doc))?;
        }
        Ok(docs)
    }

    /// The documents of all terms from one text up to, and without, another.
    pub(super) fn range(
        &self,
        field: Field,
        from: &str,
        until: &str,
    ) -> Result<&'a [DocId], Error> {
        let inverted = self.dictionary(field)?;
        let terms = inverted.terms();
        let place = |text: &str| -> Result<u64, Error> {
            let mut stream = terms.range().ge(text).into_stream()?;
            Ok(if stream.advance() { stream.term_ord() } else { terms.num_terms() as u64 })
        };
        Ok(self.posted(field).docs(place(from)?, place(until)?))
    }

    fn posted(&self, field: Field) -> &'a Posted {
        let core = &self.segment.core;
        match field {
            it if it == self.fields.name => &core.name,
            it if it == self.fields.bare => &core.bare,
            _ => &core.whole,
        }
    }

    /// Names that are the text, that have its words, and that begin with it; and titles of somebody
    /// who is called so.
    pub(super) fn names(&mut self, reading: &Reading) -> Result<(), Error> {
        let Fields { name, bare, whole, canonical, bag, person, .. } = *self.fields;
        let (whole_among, bag_among) = (reading.whole_among(), reading.bag_among());
        let canonical_among = if reading.words.len() > 1 { whole_among } else { bag_among };
        for (field, term, tier, among, step) in [
            (name, reading.name.trim_end(), Tier::Whole, whole_among, 0),
            // Whoever types no space at all does not say where there is none.
            (whole, &reading.whole, Tier::Whole, whole_among, u16::from(reading.words.len() > 1)),
            (canonical, &reading.canonical, Tier::Whole, canonical_among, 2),
            (bag, &reading.bag, Tier::SameWords, bag_among, 0),
        ] {
            let step = if tier == among { step } else { 0 };
            self.offer_term(reading, field, term, Grade::among(tier, among, step))?;
        }
        for doc in self.range(name, &reading.name, &end_of(&reading.name))? {
            self.offer(reading, *doc, Grade::new(Tier::Prefix, 0));
        }
        for doc in self.range(bare, &reading.name, &end_of(&reading.name))? {
            self.offer(reading, *doc, Grade::new(Tier::BarePrefix, 0));
        }
        for doc in self.range(whole, &reading.whole, &end_of(&reading.whole))? {
            self.offer(reading, *doc, Grade::new(Tier::JoinedPrefix, 0));
        }
        self.offer_term(reading, person, &reading.whole, Grade::new(Tier::PeopleWords, 0))
    }

    /// Names of which the text is the beginning, followed or preceded by a person's name.
    pub(super) fn name_and_person(&mut self, reading: &Reading) -> Result<(), Error> {
        let words: Vec<&str> = reading.words.iter().map(|word| word.text.as_str()).collect();
        for cut in 1..words.len() {
            let (left, right) = words.split_at(cut);
            self.name_with_person(reading, left, right)?;
            self.name_with_person(reading, right, left)?;
        }
        Ok(())
    }

    fn name_with_person(
        &mut self,
        reading: &Reading,
        name: &[&str],
        person: &[&str],
    ) -> Result<(), Error> {
        let person = person.concat();
        let (with, leads) =
            (self.docs(self.fields.person, &person)?, self.docs(self.fields.lead, &person)?);
        if with.is_empty() {
            return Ok(());
        }
        let name = name.join(" ");
        // "!" is the first character after the space.
        for (field, bare) in [(self.fields.name, 0), (self.fields.bare, 1)] {
            for doc in self.range(field, &name, &format!("{name}!"))? {
                if with.binary_search(doc).is_ok() {
                    let step = 2 * u16::from(leads.binary_search(doc).is_err()) + bare;
                    self.offer(reading, *doc, Grade::new(Tier::NameAndPerson, step));
                }
            }
        }
        Ok(())
    }

    /// Whole names and beginnings of names that are a few edits away.
    pub(super) fn names_edited(
        &mut self,
        reading: &Reading,
        near: &NearNames,
    ) -> Result<(), Error> {
        let Fields { name, whole, .. } = *self.fields;
        if let Some(automaton) = &near.whole {
            self.near(whole, automaton, |pass, doc, edits| {
                let grade = match edits {
                    0 | 1 => Grade::among(Tier::WholeOneEdit, Tier::PeopleWords, 0),
                    _ => Grade::new(Tier::WholeTwoEdits, 0),
                };
                pass.offer(reading, doc, grade);
            })?;
        }
        if let Some(automaton) = &near.prefix {
            self.near(name, automaton, |pass, doc, edits| {
                pass.offer(reading, doc, Grade::new(Tier::PrefixOneEdit, edits.into()));
            })?;
        }
        Ok(())
    }

    fn near(
        &mut self,
        field: Field,
        automaton: &Near,
        mut found: impl FnMut(&mut Self, DocId, u8),
    ) -> Result<(), Error> {
        let inverted = self.dictionary(field)?;
        let posted = self.posted(field);
        let mut stream = inverted.terms().search(automaton).into_stream()?;
        while stream.advance() {
            let edits = automaton.edits(stream.key()).unwrap_or(2);
            for doc in posted.docs(stream.term_ord(), stream.term_ord() + 1) {
                found(self, *doc, edits);
            }
        }
        Ok(())
    }
}

/// The automata for the names that are near a text; built once, used in every segment.
pub(super) struct NearNames {
    whole: Option<Near>,
    prefix: Option<Near>,
}

/// Misspellings of whole names are looked for up to so many bytes: hardly a name is longer, and what an
/// automaton takes to build grows with them. The words of a longer text are still corrected.
const NEAR_BYTES_MAX: usize = 240;

impl NearNames {
    pub(super) fn of(reading: &Reading) -> Self {
        if reading.name.len() > NEAR_BYTES_MAX {
            return Self { whole: None, prefix: None };
        }
        let length = reading.whole.chars().count();
        let whole_edits = match length {
            0..3 => 0,
            3..5 => 1,
            _ => 2,
        };
        let prefix_edits = u8::from(length >= 4 && reading.year.is_none());
        Self {
            whole: (whole_edits > 0).then(|| Near::new(&reading.whole, whole_edits)),
            prefix: (prefix_edits > 0).then(|| Near::prefix(&reading.name, prefix_edits)),
        }
    }
}

/// The first text, in the order of bytes, that does not begin with a text and comes after all that
/// do. No UTF-8 text has the byte `0xff`, and the last code point comes after all others.
fn end_of(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}
