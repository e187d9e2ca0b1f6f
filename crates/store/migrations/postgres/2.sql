-- From schema 1 to 2: what orders the rows of a unit, so that every answer of a version reads the same ones.

CREATE TABLE bounding_secret (
    -- immutable
    dataset TEXT NOT NULL,
    dataset_version TEXT NOT NULL,
    secret BYTEA NOT NULL CHECK (octet_length(secret) = 32),
    made_at BIGINT NOT NULL,
    PRIMARY KEY (dataset, dataset_version)
);

-- Releases are looked up by dataset and version, for counts that means may be divided by.
CREATE INDEX reservation_version ON reservation (dataset, dataset_version, id);
