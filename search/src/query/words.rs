//! Matches word by word: every word of a text wherever it stands.

use tantivy::DocId;
use tantivy::postings::TermInfo;
use tantivy::schema::Field;

use super::fuzzy::Near;
use super::pass::Pass;
use super::plan::{Reading, Word};
use super::tier::{Grade, Tier};
use crate::index::{Error, Fields, each_doc};

/// What it costs that a word is where it is. The name weighs three times, people twice, and the
/// rest once: each step down costs the same.
const PEOPLE: u8 = 4;
const TEXT: u8 = 8;
/// The word is the beginning of one, or has the stem of one.
const BEGINNING: u8 = 1;
const STEM: u8 = 2;
/// An optional word is missing.
const MISSING: u16 = 1;
/// Words of people count less than the whole name of one: "tom hanks" is not Tom Kemp and Colin Hanks.
const SCATTERED: u16 = 1;
/// For each edit: more than all else that can be said of a word.
const EDIT: u8 = 32;

/// The most words of one text that are corrected.
const CORRECTED_MAX: usize = 8;

/// Where the terms of one word are, and what they cost.
type Places = Vec<(Field, TermInfo, u8)>;

/// What is known of the documents of one segment, word by word.
pub(super) struct Tally {
    costs: Vec<u16>,
    /// The highest cost of any word.
    worst: Vec<u8>,
    words: Vec<u32>,
    word: Vec<u8>,
    touched: Vec<DocId>,
}

impl Tally {
    pub(super) fn new(docs: usize) -> Self {
        Self {
            costs: vec![0; docs],
            worst: vec![0; docs],
            words: vec![0; docs],
            word: vec![u8::MAX; docs],
            touched: vec![],
        }
    }

    fn touch(&mut self, doc: DocId, cost: u8) {
        if let Some(held) = self.word.get_mut(doc as usize) {
            if *held == u8::MAX {
                self.touched.push(doc);
            }
            *held = cost.min(*held);
        }
    }

    /// Adds what one word found to what is known.
    fn close(&mut self, word: usize) {
        for doc in self.touched.drain(..) {
            let at = doc as usize;
            if let (Some(held), Some(cost), Some(worst), Some(words)) = (
                self.word.get_mut(at),
                self.costs.get_mut(at),
                self.worst.get_mut(at),
                self.words.get_mut(at),
            ) {
                *cost += u16::from(*held);
                *worst = (*worst).max(*held);
                *words |= 1 << word;
                *held = u8::MAX;
            }
        }
    }
}

impl Pass<'_> {
    /// Titles that have all words, each in the name, in the people or in the text. `corrected`
    /// are automata for the words that may be misspelt, by word.
    pub(super) fn words(
        &mut self,
        reading: &Reading,
        corrected: Option<&[Option<Near>]>,
    ) -> Result<(), Error> {
        let mut tally = Tally::new(self.grades.len());
        let mut required = 0_u32;
        let mut optional = 0_u32;
        for (at, word) in reading.words.iter().enumerate() {
            let bit = if word.is_optional { &mut optional } else { &mut required };
            *bit |= 1 << at;
            let mut places = self.places(word)?;
            if let Some(near) = corrected.and_then(|list| list.get(at)).and_then(Option::as_ref) {
                self.places_near(near, &mut places)?;
            }
            for (field, info, cost) in places {
                each_doc(&*self.dictionary(field)?, &info, |doc| tally.touch(doc, cost))?;
            }
            tally.close(at);
        }
        self.offer_words(reading, &tally, required, optional, corrected.is_some());
        Ok(())
    }

    fn offer_words(
        &mut self,
        reading: &Reading,
        tally: &Tally,
        required: u32,
        optional: u32,
        is_last: bool,
    ) {
        let wanted = required.count_ones();
        for (doc, (words, cost)) in tally.words.iter().zip(&tally.costs).enumerate() {
            let has = (words & required).count_ones();
            if *words == 0 || has * 2 < wanted || (has < wanted && !is_last) {
                continue;
            }
            let missing = (optional & !words).count_ones();
            let cost = cost + MISSING * u16::try_from(missing).unwrap_or(u16::MAX);
            let worst = tally.worst.get(doc).copied().unwrap_or_default();
            let grade = if has < wanted {
                let lacks = u16::try_from(wanted - has).unwrap_or(u16::MAX);
                Grade::new(Tier::SomeWords, lacks * 1_024 + cost)
            } else if worst >= EDIT {
                Grade::new(Tier::WordsEdited, cost)
            } else if worst <= BEGINNING {
                Grade::new(Tier::NameWords, cost)
            } else if worst <= PEOPLE + BEGINNING && worst != STEM {
                Grade::new(Tier::PeopleWords, SCATTERED)
            } else {
                Grade::new(Tier::Words, cost)
            };
            let doc = u32::try_from(doc).unwrap_or(u32::MAX);
            self.offer(reading, doc, grade);
        }
    }

    fn places(&self, word: &Word) -> Result<Places, Error> {
        let Fields { title, stem, people, text, .. } = *self.fields;
        let mut places = vec![];
        let mut put = |field, term: &str, cost| -> Result<(), Error> {
            places.extend(self.term(field, term)?.map(|info| (field, info, cost)));
            Ok(())
        };
        put(title, &word.text, 0)?;
        put(people, &word.text, PEOPLE)?;
        if let Some(canonical) = &word.canonical {
            put(title, canonical, 0)?;
        }
        put(stem, &word.text, STEM)?;
        if !word.is_optional {
            put(text, &word.text, TEXT)?;
        }
        for stemmed in &word.stems {
            put(title, stemmed, STEM)?;
            put(stem, stemmed, STEM)?;
            put(text, stemmed, TEXT)?;
        }
        if word.is_open && !word.is_dense {
            self.beginnings(title, &word.text, BEGINNING, &mut places)?;
            self.beginnings(people, &word.text, PEOPLE + BEGINNING, &mut places)?;
        }
        Ok(places)
    }

    fn beginnings(
        &self,
        field: Field,
        text: &str,
        cost: u8,
        places: &mut Places,
    ) -> Result<(), Error> {
        let inverted = self.dictionary(field)?;
        let mut stream =
            inverted.terms().range().gt(text).lt(format!("{text}\u{10ffff}")).into_stream()?;
        while stream.advance() {
            places.push((field, stream.value().clone(), cost));
        }
        Ok(())
    }

    fn places_near(&self, near: &Near, places: &mut Places) -> Result<(), Error> {
        let Fields { title, people, .. } = *self.fields;
        for (field, cost) in [(title, 0), (people, PEOPLE)] {
            let inverted = self.dictionary(field)?;
            let mut stream = inverted.terms().search(near).into_stream()?;
            while stream.advance() {
                let edits = near.edits(stream.key()).unwrap_or(2);
                places.push((field, stream.value().clone(), cost + EDIT * edits));
            }
        }
        Ok(())
    }
}

/// The automata for the words that may be misspelt, by word.
pub(super) fn corrected(reading: &Reading) -> Vec<Option<Near>> {
    let mut left = CORRECTED_MAX;
    reading
        .words
        .iter()
        .map(|word| {
            let edits = word.edits_max();
            (edits > 0 && left > 0).then(|| {
                left -= 1;
                if word.is_open {
                    Near::prefix(&word.text, edits.min(1))
                } else {
                    Near::new(&word.text, edits)
                }
            })
        })
        .collect()
}
