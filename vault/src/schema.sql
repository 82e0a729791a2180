-- The only row says which master key opens the file.
CREATE TABLE vault (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    format INTEGER NOT NULL,
    -- Tells a wrong master key.
    master_check BLOB NOT NULL CHECK (length(master_check) = 32),
    -- The key of blind indexes, wrapped.
    index_key BLOB NOT NULL CHECK (length(index_key) = 72),
    -- The master key that the present one is replacing, wrapped under it; NULL when none is.
    previous_check BLOB CHECK (length(previous_check) = 32),
    previous_master BLOB CHECK (length(previous_master) = 72)
) STRICT;

-- One row for each person, erased or not. Rows are only added at the end, never deleted, and never
-- change their length: so SQLite never moves one to another page, where it would leave its old bytes
-- behind, and what is overwritten is gone.
CREATE TABLE data_keys (
    id INTEGER PRIMARY KEY,
    subject BLOB NOT NULL UNIQUE CHECK (length(subject) = 16),
    -- The first bytes of the check of the master key that it is wrapped under.
    master BLOB NOT NULL CHECK (length(master) = 16),
    -- Nonce, encrypted key, tag; zeros when the person was erased.
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 72),
    erased INTEGER NOT NULL CHECK (erased IN (0, 1))
) STRICT;
