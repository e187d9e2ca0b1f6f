-- From schema 6 to 7: which questions and answers the office reviews before an answer leaves.

CREATE TABLE review (
    -- immutable
    review_id BYTEA PRIMARY KEY CHECK (octet_length(review_id) = 16),
    query_digest BYTEA NOT NULL,
    dataset_version TEXT NOT NULL,
    terms_digest BYTEA NOT NULL,
    query TEXT NOT NULL,
    dataset TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    purpose TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- mutable
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'approved', 'rejected', 'held', 'shown', 'withheld', 'lapsed')),
    pure_nano BIGINT,                  -- what the question costs, as the office sees it
    rho_nano BIGINT NOT NULL,
    delta_e18 BIGINT NOT NULL,
    decided_at BIGINT,                 -- when the office decided, and who, and why
    decided_by TEXT,
    why TEXT NOT NULL DEFAULT ''
);

CREATE INDEX review_of_release ON review (query_digest, dataset_version, principal);
CREATE INDEX review_state ON review (state, principal);
