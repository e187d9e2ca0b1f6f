-- From schema 1 to 2: what orders the rows of a unit, so that every answer of a version reads the same ones.

CREATE TABLE bounding_secret (
    -- immutable
    dataset TEXT NOT NULL,
    dataset_version TEXT NOT NULL,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    made_at INTEGER NOT NULL,
    PRIMARY KEY (dataset, dataset_version)
) STRICT;

-- Releases are looked up by dataset and version, for counts that means may be divided by.
-- SQLite keeps a table's integer key at the end of every index, so this one is in the order of identifiers too.
CREATE INDEX reservation_version ON reservation (dataset, dataset_version);
