-- How each account stands.
CREATE TABLE accounts (
    account_id TEXT NOT NULL PRIMARY KEY,
    registered INTEGER NOT NULL,
    verified INTEGER NOT NULL,
    suspended INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    -- The names of its roles in the order of the alphabet, with a space between.
    roles TEXT NOT NULL,
    -- Sign-ins that began before are void.
    signed_in_from_ms INTEGER NOT NULL,
    -- The first moment at which it may be forgotten, if that was asked for.
    erasure_due_at_ms INTEGER
);

CREATE INDEX accounts_due ON accounts (erasure_due_at_ms, account_id)
    WHERE erasure_due_at_ms IS NOT NULL;
CREATE INDEX accounts_voided ON accounts (signed_in_from_ms);

-- One row for each sign-in. Neither tokens nor their hashes.
CREATE TABLE sign_ins (
    sign_in_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    method TEXT NOT NULL,
    began_at_ms INTEGER NOT NULL,
    refreshed_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    end_reason TEXT
);

CREATE INDEX sign_ins_of_account ON sign_ins (account_id, began_at_ms, sign_in_id);
CREATE INDEX sign_ins_ended ON sign_ins (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

-- One row for each device; the name of one that left is gone.
CREATE TABLE devices (
    account_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    name TEXT,
    kind TEXT NOT NULL,
    registered_at_ms INTEGER NOT NULL,
    removed_at_ms INTEGER,
    PRIMARY KEY (account_id, device_id)
);

CREATE INDEX devices_removed ON devices (removed_at_ms) WHERE removed_at_ms IS NOT NULL;

-- Device codes that nobody has answered. Those of a partition that had expired when the partition's
-- newest one was asked for are gone.
CREATE TABLE device_codes (
    device_code_key TEXT NOT NULL PRIMARY KEY,
    user_code_hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    partition_number INTEGER NOT NULL
);

CREATE INDEX device_codes_by_user_code ON device_codes (user_code_hash);
CREATE INDEX device_codes_by_expiry ON device_codes (partition_number, expires_at_ms);

-- Sessions of playback that run, as far as the log says.
CREATE TABLE running_sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    started_at_ms INTEGER NOT NULL
);

CREATE INDEX running_sessions_of_account ON running_sessions (account_id, started_at_ms);

-- The accounts that were forgotten. Whatever comes of them later is dropped.
CREATE TABLE erased_accounts (
    account_id TEXT NOT NULL PRIMARY KEY,
    -- When that was recorded.
    at_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX erased_accounts_by_time ON erased_accounts (at_ms);
