-- The gateway's memory: what has been charged, what has been released, who asked.

CREATE TABLE schema_version (version BIGINT NOT NULL);

-- The sums of the reservations that are not voided, kept so that nothing need be added up again. A row speaks of one
-- period; for another one it is made anew from the reservations since that period began.
CREATE TABLE account (
    -- immutable
    dataset TEXT NOT NULL,
    holder TEXT NOT NULL,               -- '' for the pool, else the grant's id
    -- mutable: spent and reserved together
    period TEXT NOT NULL,               -- calendar period, '' where the budget never renews
    pure_nano BIGINT,                  -- NULL once a loss without a pure guarantee was charged
    rho_nano BIGINT NOT NULL,
    delta_e18 BIGINT NOT NULL,
    PRIMARY KEY (dataset, holder)
) WITH (fillfactor = 20);               -- few rows that change with every charge: room to change them in place

CREATE TABLE reservation (
    -- immutable
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    query_digest BYTEA NOT NULL,
    dataset_version TEXT NOT NULL,
    terms_digest BYTEA NOT NULL,
    query TEXT NOT NULL,
    dataset TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    period TEXT NOT NULL,
    plan TEXT NOT NULL,
    pure_nano BIGINT,
    rho_nano BIGINT NOT NULL,
    delta_e18 BIGINT NOT NULL,
    reserved_at BIGINT NOT NULL,
    -- mutable
    state TEXT NOT NULL CHECK (state IN ('pending', 'spent', 'voided'))
);

-- The release key: one live reservation, and so one draw of noise, for each.
CREATE UNIQUE INDEX reservation_release_key ON reservation (query_digest, dataset_version, terms_digest)
    WHERE state <> 'voided';

CREATE INDEX reservation_dataset ON reservation (dataset, reserved_at);

CREATE TABLE release (
    -- immutable
    release_id BYTEA PRIMARY KEY,
    reservation_id BIGINT NOT NULL UNIQUE REFERENCES reservation (id),
    layout TEXT NOT NULL,
    cells BYTEA NOT NULL,                -- little-endian 64-bit words
    released_at BIGINT NOT NULL
);

CREATE TABLE access_record (
    -- immutable
    sequence BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    principal TEXT NOT NULL,
    purpose TEXT NOT NULL,
    request_digest BYTEA NOT NULL,
    query_digest BYTEA,
    dataset TEXT,
    decision TEXT NOT NULL,             -- reserved, released, repeated, estimated, described, refused, failed
    reason TEXT NOT NULL,               -- the refusal's code, '' where there is none
    rule TEXT,                          -- the grant that decided
    policy_digest BYTEA NOT NULL,
    pure_nano BIGINT,                  -- what was charged
    rho_nano BIGINT NOT NULL,
    delta_e18 BIGINT NOT NULL,
    release_id BYTEA
);
