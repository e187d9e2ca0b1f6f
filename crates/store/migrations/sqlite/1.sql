-- The gateway's memory: what has been charged, what has been released, who asked.

CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT;

-- The sums of the reservations that are not voided, kept so that nothing need be added up again. A row speaks of one
-- period; for another one it is made anew from the reservations since that period began.
CREATE TABLE account (
    -- immutable
    dataset TEXT NOT NULL,
    holder TEXT NOT NULL,               -- '' for the pool, else the grant's id
    -- mutable: spent and reserved together
    period TEXT NOT NULL,               -- calendar period, '' where the budget never renews
    pure_nano INTEGER,                  -- NULL once a loss without a pure guarantee was charged
    rho_nano INTEGER NOT NULL,
    delta_e18 INTEGER NOT NULL,
    PRIMARY KEY (dataset, holder)
) STRICT;

CREATE TABLE reservation (
    -- immutable
    id INTEGER PRIMARY KEY,
    query_digest BLOB NOT NULL,
    dataset_version TEXT NOT NULL,
    terms_digest BLOB NOT NULL,
    query TEXT NOT NULL,
    dataset TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    period TEXT NOT NULL,
    plan TEXT NOT NULL,
    pure_nano INTEGER,
    rho_nano INTEGER NOT NULL,
    delta_e18 INTEGER NOT NULL,
    reserved_at INTEGER NOT NULL,
    -- mutable
    state TEXT NOT NULL CHECK (state IN ('pending', 'spent', 'voided'))
) STRICT;

-- The release key: one live reservation, and so one draw of noise, for each.
CREATE UNIQUE INDEX reservation_release_key ON reservation (query_digest, dataset_version, terms_digest)
    WHERE state <> 'voided';

CREATE INDEX reservation_dataset ON reservation (dataset, reserved_at);

CREATE TABLE release (
    -- immutable
    release_id BLOB PRIMARY KEY,
    reservation_id INTEGER NOT NULL UNIQUE REFERENCES reservation (id),
    layout TEXT NOT NULL,
    cells BLOB NOT NULL,                -- little-endian 64-bit words
    released_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE access_record (
    -- immutable
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    principal TEXT NOT NULL,
    purpose TEXT NOT NULL,
    request_digest BLOB NOT NULL,
    query_digest BLOB,
    dataset TEXT,
    decision TEXT NOT NULL,             -- reserved, released, repeated, estimated, described, refused, failed
    reason TEXT NOT NULL,               -- the refusal's code, '' where there is none
    rule TEXT,                          -- the grant that decided
    policy_digest BLOB NOT NULL,
    pure_nano INTEGER,                  -- what was charged
    rho_nano INTEGER NOT NULL,
    delta_e18 INTEGER NOT NULL,
    release_id BLOB
) STRICT;
