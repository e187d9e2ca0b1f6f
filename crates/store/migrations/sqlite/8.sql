-- From schema 7 to 8: the policy that was activated last, and who signed one that is to be.

CREATE TABLE policy_kept (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- mutable
    policy_digest BLOB NOT NULL CHECK (length(policy_digest) = 32),
    files BLOB NOT NULL                 -- names and texts, as the digest takes them
) STRICT;

CREATE TABLE policy_signature (
    -- immutable
    policy_digest BLOB NOT NULL CHECK (length(policy_digest) = 32),
    administrator TEXT NOT NULL,
    signed_at INTEGER NOT NULL,
    envelope BLOB NOT NULL,             -- the signed act with its signature and certificates
    PRIMARY KEY (policy_digest, administrator)
) STRICT, WITHOUT ROWID;
