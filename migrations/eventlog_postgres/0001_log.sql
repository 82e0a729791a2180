-- The event log in PostgreSQL. Its names stand in a schema of their own, so that the database may
-- hold other things, too.

CREATE SCHEMA playhead_eventlog;

-- One row: what was settled when the log was created, and how far these files were applied.
CREATE TABLE playhead_eventlog.log (
    only_row BOOLEAN NOT NULL PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    schema_version INTEGER NOT NULL,
    partitions INTEGER NOT NULL
);

-- The next offset of each partition. A transaction that appends locks the rows of its partitions
-- first, so that offsets become visible in their order. The room left in the page lets a row be
-- updated in place.
CREATE TABLE playhead_eventlog.heads (
    partition_number INTEGER NOT NULL PRIMARY KEY,
    next_offset BIGINT NOT NULL
) WITH (fillfactor = 25);

CREATE TABLE playhead_eventlog.events (
    partition_number INTEGER NOT NULL,
    event_offset BIGINT NOT NULL,
    stream TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    id UUID NOT NULL,
    event_type TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    recorded_at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    correlation_id UUID NOT NULL,
    causation_id UUID NOT NULL,
    payload BYTEA NOT NULL,
    metadata BYTEA NOT NULL,
    CONSTRAINT events_by_place PRIMARY KEY (partition_number, event_offset),
    CONSTRAINT events_by_stream UNIQUE (stream, version),
    CONSTRAINT events_by_id UNIQUE (id)
);

-- What is recorded stays as it is, whoever asks.
CREATE FUNCTION playhead_eventlog.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed or removed';
END
$$;

CREATE TRIGGER events_are_immutable
    BEFORE UPDATE OR DELETE OR TRUNCATE ON playhead_eventlog.events
    FOR EACH STATEMENT EXECUTE FUNCTION playhead_eventlog.refuse_change();
