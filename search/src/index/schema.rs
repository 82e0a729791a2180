//! The fields of the index, and how a document fills them.

use std::collections::{BTreeMap, BTreeSet};

use frostem::Algorithm;
use playhead_domain::title::CreditRole;
use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};

use super::{Document, Error};
use crate::text::{
    is_article, is_stop_word, normalize, numerals, squash, stem, terms, tokens, umlaut_spelling,
};

/// The fields. Those of text hold finished terms: [`crate::text`] is their only analyser.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    /// The title id, to replace and remove by.
    pub(crate) id: Field,
    /// The id again, its upper and lower half, to read fast.
    id_high: Field,
    id_low: Field,
    /// Every name, normalised, as one term.
    pub(crate) name: Field,
    /// Every name without the article at its beginning, normalised, as one term; only names that
    /// have one.
    pub(crate) bare: Field,
    /// Every name without spaces, in its own and in its umlaut spelling.
    pub(crate) whole: Field,
    /// Every name without spaces in canonical form.
    pub(crate) canonical: Field,
    /// The words of every name without stop words, in canonical form, sorted, as one term.
    pub(crate) bag: Field,
    /// The words of the names, plain and canonical.
    pub(crate) title: Field,
    /// The stems of the words of the names.
    pub(crate) stem: Field,
    /// Three characters in a row of the names without spaces.
    pub(crate) gram: Field,
    /// Every person's name without spaces, as one term.
    pub(crate) person: Field,
    /// The same of those whom a title is known by: directors and the actor who is named first.
    pub(crate) lead: Field,
    /// The words of the names of people.
    pub(crate) people: Field,
    /// The words and stems of synopses, tags, genres, characters, and the year.
    pub(crate) text: Field,
    /// The document as JSON.
    pub(crate) document: Field,
    /// Who may see it, as JSON: whether it is published, its maturity, its availability. Few distinct
    /// values: the dictionary of the column holds each once.
    audience: Field,
    genres: Field,
    languages: Field,
    kind: Field,
    year: Field,
    rating: Field,
    votes: Field,
    length: Field,
}

/// Names of the fast fields, which Tantivy reads by name.
pub(super) mod column {
    pub(in crate::index) const ID_HIGH: &str = "id_high";
    pub(in crate::index) const ID_LOW: &str = "id_low";
    pub(in crate::index) const AUDIENCE: &str = "audience";
    pub(in crate::index) const GENRES: &str = "genres";
    pub(in crate::index) const LANGUAGES: &str = "languages";
    pub(in crate::index) const KIND: &str = "kind";
    pub(in crate::index) const YEAR: &str = "year";
    pub(in crate::index) const RATING: &str = "rating";
    pub(in crate::index) const VOTES: &str = "votes";
    pub(in crate::index) const LENGTH: &str = "length";
}

/// The most words of all synopses and tags of a title that are indexed; later ones are not found.
const TEXT_WORDS_MAX: usize = 5_000;

impl Fields {
    pub(super) fn schema() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("raw")
            .set_fieldnorms(false)
            .set_index_option(IndexRecordOption::Basic);
        let terms = TextOptions::default().set_indexing_options(indexing);
        let label = TextOptions::default().set_fast("raw");
        let fields = Self {
            id: schema.add_text_field("id", STRING),
            id_high: schema.add_u64_field(column::ID_HIGH, FAST),
            id_low: schema.add_u64_field(column::ID_LOW, FAST),
            name: schema.add_text_field("name", terms.clone()),
            bare: schema.add_text_field("bare", terms.clone()),
            whole: schema.add_text_field("whole", terms.clone()),
            canonical: schema.add_text_field("canonical", terms.clone()),
            bag: schema.add_text_field("bag", terms.clone()),
            title: schema.add_text_field("title", terms.clone()),
            stem: schema.add_text_field("stem", terms.clone()),
            gram: schema.add_text_field("gram", terms.clone()),
            person: schema.add_text_field("person", terms.clone()),
            lead: schema.add_text_field("lead", terms.clone()),
            people: schema.add_text_field("people", terms.clone()),
            text: schema.add_text_field("text", terms),
            document: schema.add_bytes_field("document", STORED),
            audience: schema.add_text_field(column::AUDIENCE, label.clone()),
            genres: schema.add_text_field(column::GENRES, label.clone()),
            languages: schema.add_text_field(column::LANGUAGES, label.clone()),
            kind: schema.add_text_field(column::KIND, label),
            year: schema.add_u64_field(column::YEAR, FAST),
            rating: schema.add_u64_field(column::RATING, FAST),
            votes: schema.add_u64_field(column::VOTES, FAST),
            length: schema.add_u64_field(column::LENGTH, FAST),
        };
        (schema.build(), fields)
    }

    /// A document in the terms of the index.
    pub(super) fn fill(&self, document: &Document) -> Result<TantivyDocument, Error> {
        let mut filled = TantivyDocument::new();
        let id = document.title_id.0;
        let (high, low) = id.as_u64_pair();
        filled.add_text(self.id, id.simple().to_string());
        filled.add_u64(self.id_high, high);
        filled.add_u64(self.id_low, low);
        filled.add_bytes(self.document, &serde_json::to_vec(document)?);
        self.fill_columns(document, &mut filled)?;
        let mut put = Terms { fields: self, sets: BTreeMap::new() };
        put.names(document);
        put.people(document);
        put.texts(document);
        for (field, terms) in put.sets {
            for term in terms {
                filled.add_text(field, term);
            }
        }
        Ok(filled)
    }

    fn fill_columns(&self, document: &Document, filled: &mut TantivyDocument) -> Result<(), Error> {
        let audience = (document.published, document.maturity, &document.availability);
        filled.add_text(self.audience, serde_json::to_string(&audience)?);
        filled.add_text(self.kind, serde_json::to_string(&document.kind)?);
        for genre in &document.genres {
            filled.add_text(self.genres, genre);
        }
        let localized = document.localized.iter().map(|local| &local.language);
        for language in document.language.iter().chain(localized) {
            filled.add_text(self.languages, language);
        }
        if let Some(year) = document.year {
            filled.add_u64(self.year, year.into());
        }
        if let Some(rating) = document.rating_tenths {
            filled.add_u64(self.rating, rating.into());
        }
        let length = squash(&normalize(&document.name)).chars().count();
        filled.add_u64(self.length, length.try_into().unwrap_or(u64::MAX));
        filled.add_u64(self.votes, document.votes.into());
        Ok(())
    }
}

/// The terms of one document, each once.
struct Terms<'a> {
    fields: &'a Fields,
    sets: BTreeMap<Field, BTreeSet<String>>,
}

impl Terms<'_> {
    fn put(&mut self, field: Field, term: impl Into<String>) {
        let term = term.into();
        if !term.is_empty() {
            self.sets.entry(field).or_default().insert(term);
        }
    }

    fn names(&mut self, document: &Document) {
        for (name, language) in document.names() {
            self.name(name, language);
            if let Some(spelled) = umlaut_spelling(name) {
                self.put(self.fields.whole, squash(&normalize(&spelled)));
                for token in tokens(&spelled) {
                    terms(&token).for_each(|term| self.put(self.fields.title, term));
                }
            }
        }
    }

    fn name(&mut self, name: &str, language: Option<&str>) {
        let normalized = normalize(name);
        let whole = squash(&normalized);
        for gram in grams(&whole) {
            self.put(self.fields.gram, gram);
        }
        let plain: Vec<&str> = normalized.split(' ').collect();
        let canonical = numerals::canonical_words(plain.iter().copied());
        self.put(self.fields.canonical, canonical.concat());
        self.put(self.fields.bag, bag(&canonical));
        let languages = algorithms(language);
        for token in tokens(name) {
            for term in terms(&token) {
                self.put(self.fields.title, term);
                self.stems(self.fields.stem, term, &languages);
            }
            if token.dense {
                token.text.chars().for_each(|c| self.put(self.fields.title, c));
            }
        }
        for word in &canonical {
            if !plain.contains(&word.as_str()) {
                self.put(self.fields.title, word.as_str());
            }
        }
        self.put(self.fields.whole, whole);
        if let Some((article, bare)) = normalized.split_once(' ')
            && is_article(article)
        {
            self.put(self.fields.bare, bare);
        }
        self.put(self.fields.name, normalized);
    }

    fn people(&mut self, document: &Document) {
        let star = document.people.iter().position(|it| it.role == CreditRole::Actor);
        for (at, person) in document.people.iter().enumerate() {
            let whole = squash(&normalize(&person.name));
            if star == Some(at) || person.role == CreditRole::Director {
                self.put(self.fields.lead, whole.as_str());
            }
            self.put(self.fields.person, whole);
            for token in tokens(&person.name) {
                terms(&token).for_each(|term| self.put(self.fields.people, term));
            }
            if let Some(character) = &person.character {
                self.text(character, document.language.as_deref());
            }
        }
    }

    fn texts(&mut self, document: &Document) {
        if let Some(year) = document.year {
            self.put(self.fields.text, year.to_string());
        }
        for label in document.genres.iter().chain(&document.tags) {
            self.text(label, None);
        }
        for (synopsis, language) in document.synopses() {
            self.text(synopsis, language);
        }
    }

    fn text(&mut self, text: &str, language: Option<&str>) {
        let languages = algorithms(language);
        for token in tokens(text) {
            if self.sets.get(&self.fields.text).is_some_and(|put| put.len() >= TEXT_WORDS_MAX) {
                return;
            }
            for term in terms(&token) {
                if !is_stop_word(term) {
                    self.put(self.fields.text, term);
                    self.stems(self.fields.text, term, &languages);
                }
            }
        }
    }

    fn stems(&mut self, field: Field, term: &str, languages: &[Algorithm]) {
        let mut stems = vec![];
        stem::stems(term, languages, &mut stems);
        stems.into_iter().for_each(|stem| self.put(field, stem));
    }
}

fn algorithms(language: Option<&str>) -> Vec<Algorithm> {
    language.and_then(stem::algorithm).into_iter().collect()
}

/// The words that are not stop words, sorted and with a space between them; all of them if all are
/// stop words.
pub(crate) fn bag(canonical: &[String]) -> String {
    let mut words: Vec<&str> =
        canonical.iter().map(String::as_str).filter(|word| !is_stop_word(word)).collect();
    if words.is_empty() {
        words = canonical.iter().map(String::as_str).collect();
    }
    words.sort_unstable();
    words.join(" ")
}

/// All runs of three characters of a squashed text, its start marked by a space.
pub(crate) fn grams(squashed: &str) -> Vec<String> {
    let marked: Vec<char> = std::iter::once(' ').chain(squashed.chars()).collect();
    marked.windows(3).map(|gram| gram.iter().collect()).collect()
}
