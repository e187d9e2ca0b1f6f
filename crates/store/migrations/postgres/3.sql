-- From schema 2 to 3: which store this is, which charges datasets share, which requests have come.

-- One row: what makes this store different from every other one.
CREATE TABLE store_identity (
    -- immutable
    identity BYTEA NOT NULL CHECK (octet_length(identity) = 16),
    made_at BIGINT NOT NULL
);
INSERT INTO store_identity VALUES (decode(replace(gen_random_uuid()::text, '-', ''), 'hex'), extract(epoch FROM now())::bigint);

-- Which datasets have drawn on which pools, and where their rows were; '' where that was not recorded.
CREATE TABLE pool_member (
    pool TEXT NOT NULL,
    dataset TEXT NOT NULL,
    rows_from TEXT NOT NULL,            -- source/table
    PRIMARY KEY (pool, dataset, rows_from)
);

-- Of a reservation: mutable, for charges follow their rows into other pools.
ALTER TABLE reservation ADD COLUMN pool TEXT NOT NULL DEFAULT '';
-- Of a reservation: immutable.
ALTER TABLE reservation ADD COLUMN rows_from TEXT NOT NULL DEFAULT '';
UPDATE reservation SET pool = dataset;
INSERT INTO pool_member SELECT DISTINCT dataset, dataset, '' FROM reservation;
DROP INDEX reservation_dataset;
CREATE INDEX reservation_pool ON reservation (pool, reserved_at);
ALTER TABLE account RENAME COLUMN dataset TO pool;

-- Of a record: how many refusals before it were not recorded, for there were too many.
ALTER TABLE access_record ADD COLUMN left_out BIGINT NOT NULL DEFAULT 0;

-- Requests that have come, kept until they could not be admitted any more.
CREATE TABLE request (
    -- immutable
    principal TEXT NOT NULL,
    request_id BYTEA NOT NULL CHECK (octet_length(request_id) = 16),
    request_digest BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    -- mutable
    holder BYTEA,                        -- the gateway at work on it
    beat BIGINT NOT NULL,              -- grows while that gateway lives
    -- the release key that it was reserved for
    query_digest BYTEA,
    dataset_version TEXT,
    terms_digest BYTEA,
    answer BYTEA,
    PRIMARY KEY (principal, request_id)
);

CREATE INDEX request_expiry ON request (expires_at);

-- One row: the latest expiry among the requests that were purged. Never decreases.
CREATE TABLE request_horizon (forgotten_to BIGINT NOT NULL);
INSERT INTO request_horizon VALUES (0);
