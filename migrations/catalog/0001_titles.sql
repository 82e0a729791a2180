-- The titles that can be found now, and drafts, which only those who prepare them find.
CREATE TABLE titles (
    title_id TEXT NOT NULL PRIMARY KEY,
    -- The name in lower case.
    sort_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    year INTEGER,
    -- The account whose video it is; null if it belongs to the catalogue.
    owner TEXT,
    -- 1 if it is a draft.
    draft INTEGER NOT NULL,
    -- When it was added, also as a draft.
    added_at_ms INTEGER NOT NULL,
    -- When it joined the catalogue; when it was added, if it is a draft.
    listed_at_ms INTEGER NOT NULL,
    -- 1 if it is offered by a schedule, and not everywhere and always.
    scheduled INTEGER NOT NULL,
    -- Where an episode stands in its series.
    series_id TEXT,
    season INTEGER,
    number INTEGER,
    -- What an extra or a trailer belongs to.
    extra_of TEXT,
    -- All that is known of the title, as JSON.
    metadata TEXT NOT NULL
);

-- One index for each combination of filters, each in list order, so that a page costs the same
-- wherever it lies and however many titles there are.
CREATE INDEX titles_by_name ON titles (sort_name, title_id);
CREATE INDEX titles_by_kind ON titles (kind, sort_name, title_id);
CREATE INDEX titles_by_year ON titles (year, sort_name, title_id);
CREATE INDEX titles_by_kind_and_year ON titles (kind, year, sort_name, title_id);
-- The newest ones.
CREATE INDEX titles_by_listed ON titles (listed_at_ms, title_id);
CREATE INDEX titles_by_kind_and_listed ON titles (kind, listed_at_ms, title_id);
-- What belongs to a title or to an account.
CREATE INDEX titles_by_series ON titles (series_id, season, number, title_id)
    WHERE series_id IS NOT NULL;
CREATE INDEX titles_by_extra_of ON titles (extra_of, kind, sort_name, title_id)
    WHERE extra_of IS NOT NULL;
CREATE INDEX titles_by_owner ON titles (owner, added_at_ms, title_id) WHERE owner IS NOT NULL;
-- For counting those that a viewer sees: the others are counted beforehand.
CREATE INDEX titles_scheduled ON titles (kind, year, title_id) WHERE scheduled = 1;

-- One row for each genre of each title; `genre` is in lower case.
CREATE TABLE title_genres (
    genre TEXT NOT NULL,
    sort_name TEXT NOT NULL,
    title_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    year INTEGER,
    listed_at_ms INTEGER NOT NULL,
    scheduled INTEGER NOT NULL,
    PRIMARY KEY (genre, sort_name, title_id)
);

CREATE INDEX title_genres_by_kind ON title_genres (genre, kind, sort_name, title_id);
CREATE INDEX title_genres_by_year ON title_genres (genre, year, sort_name, title_id);
CREATE INDEX title_genres_by_kind_and_year ON title_genres (genre, kind, year, sort_name, title_id);
CREATE INDEX title_genres_by_listed ON title_genres (genre, listed_at_ms, title_id);
CREATE INDEX title_genres_by_kind_and_listed
    ON title_genres (genre, kind, listed_at_ms, title_id);
CREATE INDEX title_genres_scheduled ON title_genres (genre, kind, year, title_id)
    WHERE scheduled = 1;

-- One row for each person of each title and each of their roles, and one for any role: ''. A person
-- is the key of another catalogue or a name in lower case; `year` is 0 if it is unknown.
CREATE TABLE title_people (
    person TEXT NOT NULL,
    role TEXT NOT NULL,
    year INTEGER NOT NULL,
    title_id TEXT NOT NULL,
    PRIMARY KEY (person, role, year, title_id)
) WITHOUT ROWID;

-- How many titles each combination of filters finds, by level of maturity (5: drafts, at
-- any level) and by whether they have a schedule. '' and 0 stand for "any" genre, kind and year.
CREATE TABLE title_counts (
    genre TEXT NOT NULL,
    kind TEXT NOT NULL,
    year INTEGER NOT NULL,
    maturity INTEGER NOT NULL,
    scheduled INTEGER NOT NULL,
    titles INTEGER NOT NULL,
    PRIMARY KEY (genre, kind, year, maturity, scheduled)
);

-- How many titles spell a genre in which way, so that the commonest spelling can be shown.
CREATE TABLE genre_spellings (
    genre TEXT NOT NULL,
    spelling TEXT NOT NULL,
    titles INTEGER NOT NULL,
    PRIMARY KEY (genre, spelling)
);
