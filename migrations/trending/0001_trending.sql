-- How often each title was played where on which day. The territory '' is the world: plays of which
-- nobody knows where they were are counted there only. Days are counted from 1970-01-01 UTC.
CREATE TABLE plays (
    territory TEXT NOT NULL,
    title_id TEXT NOT NULL,
    day INTEGER NOT NULL,
    plays INTEGER NOT NULL,
    PRIMARY KEY (territory, title_id, day)
) WITHOUT ROWID;

-- What the days of each territory and title come to.
CREATE TABLE scores (
    territory TEXT NOT NULL,
    title_id TEXT NOT NULL,
    score INTEGER NOT NULL,
    PRIMARY KEY (territory, title_id)
) WITHOUT ROWID;

CREATE INDEX scores_in_order ON scores (territory, score, title_id);

-- How often each title was ever played.
CREATE TABLE totals (
    title_id TEXT NOT NULL PRIMARY KEY,
    plays INTEGER NOT NULL,
    -- When the newest of the plays came to count.
    last_play_at_ms INTEGER NOT NULL
);

CREATE INDEX totals_by_time ON totals (last_play_at_ms, title_id);

-- The newest sessions of each profile, so that no more than one play a day of a title counts.
CREATE TABLE sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    profile_id TEXT NOT NULL,
    title_id TEXT NOT NULL,
    -- When it began.
    day INTEGER NOT NULL,
    -- Where it began; '' if nobody knows, null until its start is folded.
    territory TEXT,
    -- When it had played for long enough; null until then.
    played_at_ms INTEGER
);

CREATE INDEX sessions_of_profile ON sessions (profile_id, day);
CREATE INDEX sessions_played ON sessions (profile_id, day, title_id)
    WHERE played_at_ms IS NOT NULL;
-- For forgetting an account.
CREATE INDEX sessions_of_account ON sessions (account_id);

-- The accounts that were forgotten. Whatever comes of them later is dropped.
CREATE TABLE erased_accounts (
    account_id TEXT NOT NULL PRIMARY KEY,
    -- When that was recorded.
    at_ms INTEGER NOT NULL
) WITHOUT ROWID;
