-- One row for each session. Heartbeat columns are those of the heartbeat with the highest sequence,
-- null before the first one.
CREATE TABLE plays (
    session_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    profile_id TEXT NOT NULL,
    title_id TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL,
    device TEXT,
    sequence INTEGER,
    position_ms INTEGER,
    played_ms INTEGER,
    duration_ms INTEGER,
    credits_start_ms INTEGER,
    at_ms INTEGER,
    -- What heartbeats at the end of the title say together, null if none was there: the most that was
    -- played by then, the first place from which it may have been, and when the last one came.
    reached_played_ms INTEGER,
    reached_began_ms INTEGER,
    reached_at_ms INTEGER,
    ended_at_ms INTEGER
);

CREATE INDEX plays_of_title ON plays (profile_id, title_id, started_at_ms, session_id)
    WHERE sequence IS NOT NULL;
CREATE INDEX plays_of_profile ON plays (profile_id, started_at_ms, session_id)
    WHERE sequence IS NOT NULL OR ended_at_ms IS NOT NULL;
-- For forgetting an account.
CREATE INDEX plays_of_account ON plays (account_id);

-- What viewers said of titles.
CREATE TABLE marks (
    profile_id TEXT NOT NULL,
    title_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    -- The one session that a removal names; '' otherwise.
    session_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    PRIMARY KEY (profile_id, title_id, at_ms, kind, session_id)
) WITHOUT ROWID;

CREATE INDEX marks_of_account ON marks (account_id);
CREATE INDEX removals ON marks (profile_id, title_id, at_ms, session_id) WHERE kind = 'removed';

-- One row for each profile and title: what the newest plays and marks of the pair come to. Depends
-- on nothing else, least of all on the catalogue.
CREATE TABLE bookmarks (
    profile_id TEXT NOT NULL,
    title_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    position_ms INTEGER NOT NULL,
    duration_ms INTEGER,
    played_ms INTEGER NOT NULL,
    started INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    watch_count INTEGER NOT NULL,
    finished_at_ms INTEGER NOT NULL,
    last_played_at_ms INTEGER NOT NULL,
    dismissed INTEGER NOT NULL,
    on_row INTEGER NOT NULL,
    PRIMARY KEY (profile_id, title_id)
);

CREATE INDEX bookmarks_on_row ON bookmarks (profile_id, last_played_at_ms, title_id)
    WHERE on_row = 1;
CREATE INDEX bookmarks_completed ON bookmarks (profile_id, finished_at_ms, title_id)
    WHERE watch_count > 0;
CREATE INDEX bookmarks_of_account ON bookmarks (account_id);

-- Which title is which episode of which series.
CREATE TABLE episodes (
    title_id TEXT NOT NULL PRIMARY KEY,
    series_id TEXT NOT NULL,
    season INTEGER NOT NULL,
    number INTEGER NOT NULL
);

CREATE INDEX episodes_of_series ON episodes (series_id, season, number, title_id);

-- The accounts that were forgotten. Whatever comes of them later is dropped: a player may go on for
-- a while.
CREATE TABLE erased_accounts (
    account_id TEXT NOT NULL PRIMARY KEY,
    -- When that was recorded.
    at_ms INTEGER NOT NULL
) WITHOUT ROWID;
