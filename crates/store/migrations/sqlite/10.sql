-- From schema 9 to 10: the log. Each access record is an entry of it, and holds its leaf; the entries of earlier records are made
-- when the store is opened.

-- The JSON that is hashed. An entry of the number N is the record of the sequence number N + 1.
ALTER TABLE access_record ADD COLUMN leaf BLOB;

-- The record of a request's answer.
ALTER TABLE request ADD COLUMN answered_by INTEGER;

-- Full tiles of the tree over the leaves, so that its root needs no other leaves than the last few. They follow from the leaves.
CREATE TABLE log_tile (
    -- immutable
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    root BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT, WITHOUT ROWID;

-- The last checkpoint of the log that was kept, and the last one that a witness cosigned.
CREATE TABLE log_checkpoint (
    kind TEXT PRIMARY KEY,                  -- kept, witnessed
    -- mutable
    size INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT;

-- Every policy that came into force since this schema, and the one before.
CREATE TABLE policy_text (
    -- immutable
    policy_digest BLOB PRIMARY KEY,
    files BLOB NOT NULL
) STRICT;
INSERT INTO policy_text SELECT policy_digest, files FROM policy_kept;
