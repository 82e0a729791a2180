-- For whom each title is and where and when it is offered. A title without a row is not in the
-- catalogue; it counts as for adults, and as offered everywhere.
CREATE TABLE terms (
    title_id TEXT NOT NULL PRIMARY KEY,
    -- The place of its level of maturity among all, counted from 0.
    maturity INTEGER NOT NULL,
    -- 1 if it is offered by a schedule; without one it is offered everywhere and always.
    scheduled INTEGER NOT NULL,
    -- 1 if the schedule differs from one territory to another.
    territorial INTEGER NOT NULL,
    -- 1 if it is a draft, which no viewer sees.
    draft INTEGER NOT NULL
) WITHOUT ROWID;

-- When a scheduled title is offered where; '' stands for everywhere. `last_ms` is the last moment.
CREATE TABLE term_windows (
    title_id TEXT NOT NULL,
    territory TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (title_id, territory, from_ms, last_ms)
) WITHOUT ROWID;

-- Where a scheduled title is never offered.
CREATE TABLE term_blocks (
    title_id TEXT NOT NULL,
    territory TEXT NOT NULL,
    PRIMARY KEY (title_id, territory)
) WITHOUT ROWID;
