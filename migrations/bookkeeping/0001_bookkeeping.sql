-- What every read model's store keeps about itself. None of it is content: two stores with the same
-- content may differ here.

-- One row. `commits` counts the batches committed, so that a second writer is noticed.
CREATE TABLE model (
    name TEXT NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL,
    commits INTEGER NOT NULL
);

-- The next offset to read of each partition of the log, and the id of the event just before it, by
-- which the log is known again; a partition that is missing starts at 0.
CREATE TABLE checkpoint (
    partition_number INTEGER NOT NULL PRIMARY KEY,
    next_offset INTEGER NOT NULL,
    last_event_id TEXT NOT NULL
);

-- Events that could not be folded, and the later events of their streams that wait behind them.
CREATE TABLE parked (
    partition_number INTEGER NOT NULL,
    event_offset INTEGER NOT NULL,
    stream TEXT NOT NULL,
    version INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (partition_number, event_offset)
);

CREATE INDEX parked_by_stream ON parked (stream, version);
