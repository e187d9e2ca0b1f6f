-- From schema 7 to 8: the policy that was activated last, and who signed one that is to be.

CREATE TABLE policy_kept (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    -- mutable
    policy_digest BYTEA NOT NULL CHECK (octet_length(policy_digest) = 32),
    files BYTEA NOT NULL                 -- names and texts, as the digest takes them
);

CREATE TABLE policy_signature (
    -- immutable
    policy_digest BYTEA NOT NULL CHECK (octet_length(policy_digest) = 32),
    administrator TEXT NOT NULL,
    signed_at BIGINT NOT NULL,
    envelope BYTEA NOT NULL,             -- the signed act with its signature and certificates
    PRIMARY KEY (policy_digest, administrator)
);
