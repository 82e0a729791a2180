//! SQLite with FTS5: words with their beginnings, and trigrams for what is misspelt.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use rusqlite::{Connection, params};

use super::words::{Row, Tiers, Typed, behind};
use super::{DEPTH, Engine};
use crate::films::Film;

pub(super) const MANNER: &str = "texts and queries folded as ours are (case, marks, punctuation, \
    \"&\"); until ten are found: the whole name, names that begin so, all words in the title, all words \
    anywhere (the last as a beginning; `prefix = '2 3 4'`), the name without its spaces, and any \
    trigram of the title (the best ten of them); within each, `bm25` (title ×3, people ×2) less the \
    logarithm of the popularity; names by popularity alone.";

const FILE: &str = "films.db";
const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE films (number INTEGER PRIMARY KEY, name TEXT NOT NULL, squashed TEXT NOT NULL,
        popularity REAL NOT NULL);
    CREATE INDEX films_by_name ON films (name, popularity);
    CREATE INDEX films_by_squashed ON films (squashed, popularity);
    CREATE VIRTUAL TABLE words USING fts5(title, people, year, genres, synopsis, content = '',
        tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4');
    CREATE VIRTUAL TABLE trigrams USING fts5(title, joined, content = '',
        tokenize = 'trigram');";
const ADD_FILM: &str =
    "INSERT INTO films (number, name, squashed, popularity) VALUES (?1, ?2, ?3, ?4)";
const ADD_WORDS: &str = "INSERT INTO words (rowid, title, people, year, genres, synopsis)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const ADD_TRIGRAMS: &str = "INSERT INTO trigrams (rowid, title, joined) VALUES (?1, ?2, ?3)";
const FINISH: &str = "
    INSERT INTO words (words) VALUES ('optimize');
    INSERT INTO trigrams (trigrams) VALUES ('optimize');
    ANALYZE;
    PRAGMA wal_checkpoint(TRUNCATE);";

const WHOLE: &str = "SELECT number FROM films WHERE name = ?1 ORDER BY popularity DESC LIMIT ?2";
const BEGINS: &str = "SELECT number FROM films WHERE name >= ?1 AND name < ?3
    ORDER BY popularity DESC LIMIT ?2";
const TITLE: &str = "SELECT words.rowid FROM words JOIN films ON number = words.rowid
    WHERE words MATCH ?1
    ORDER BY bm25(words, 3, 2, 1, 1, 1) - popularity LIMIT ?2";
const JOINED: &str = "SELECT number FROM films WHERE squashed >= ?1 AND squashed < ?3
    ORDER BY squashed = ?1 DESC, popularity DESC LIMIT ?2";
const NEAR: &str = "SELECT trigrams.rowid FROM trigrams JOIN films ON number = trigrams.rowid
    WHERE trigrams MATCH ?1
    ORDER BY bm25(trigrams) - popularity LIMIT ?2";

pub(super) fn build(dir: &Path, films: &[Film]) -> Result<()> {
    let mut connection = Connection::open(dir.join(FILE))?;
    connection.execute_batch(SCHEMA)?;
    let transaction = connection.transaction()?;
    {
        let mut add_film = transaction.prepare(ADD_FILM)?;
        let mut add_words = transaction.prepare(ADD_WORDS)?;
        let mut add_trigrams = transaction.prepare(ADD_TRIGRAMS)?;
        for film in films {
            let row = Row::of(film)?;
            add_film.execute(params![row.number, row.name, row.squashed, row.popularity])?;
            let Row { number, name, people, year, genres, synopsis, .. } = &row;
            add_words.execute(params![number, name, people, year, genres, synopsis])?;
            add_trigrams.execute(params![row.number, row.name, row.squashed])?;
        }
    }
    transaction.commit()?;
    Ok(connection.execute_batch(FINISH)?)
}

pub(super) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let connection = Connection::open(dir.join(FILE))?;
        connection.execute_batch("PRAGMA cache_size = -65536; PRAGMA mmap_size = 268435456;")?;
        Ok(Self { connection })
    }

    fn tier(&self, tiers: &mut Tiers, sql: &str, text: &str, behind: Option<&str>) -> Result<()> {
        if tiers.full() || text.is_empty() {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(sql)?;
        let depth = i64::try_from(DEPTH)?;
        let number = |row: &rusqlite::Row<'_>| row.get(0);
        let found: Result<Vec<i32>, _> = match behind {
            Some(behind) => statement.query_map(params![text, depth, behind], number)?.collect(),
            None => statement.query_map(params![text, depth], number)?.collect(),
        };
        tiers.extend(found?);
        Ok(())
    }
}

impl Engine for Sqlite {
    fn find(&mut self, text: &str) -> Result<Vec<u32>> {
        let typed = Typed::new(text);
        let mut tiers = Tiers::default();
        let all = all_words(&typed);
        self.tier(&mut tiers, WHOLE, typed.whole.trim_end(), None)?;
        self.tier(&mut tiers, BEGINS, &typed.whole, Some(&behind(&typed.whole)))?;
        if !all.is_empty() {
            self.tier(&mut tiers, TITLE, &format!("title : ({all})"), None)?;
            self.tier(&mut tiers, TITLE, &all, None)?;
        }
        let squashed = typed.squashed();
        self.tier(&mut tiers, JOINED, &squashed, Some(&behind(&squashed)))?;
        self.tier(&mut tiers, NEAR, &any_trigram(&typed), None)?;
        Ok(tiers.into_films())
    }
}

/// All words, of which the last may go on, in FTS5's language.
fn all_words(typed: &Typed) -> String {
    let quoted: Vec<String> = typed.words.iter().map(|word| format!("\"{word}\"")).collect();
    let open = if typed.open && !quoted.is_empty() { " *" } else { "" };
    format!("{}{open}", quoted.join(" AND "))
}

/// Any of the trigrams of a text, with and without its spaces, in FTS5's language.
fn any_trigram(typed: &Typed) -> String {
    let mut trigrams = BTreeSet::new();
    for text in [typed.words.join(" "), typed.words.concat()] {
        let letters: Vec<char> = text.chars().collect();
        trigrams.extend(letters.windows(3).map(|three| three.iter().collect::<String>()));
    }
    let quoted: Vec<String> = trigrams.iter().map(|three| format!("\"{three}\"")).collect();
    quoted.join(" OR ")
}
