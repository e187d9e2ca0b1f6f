-- From schema 6 to 7: which questions and answers the office reviews before an answer leaves.

CREATE TABLE review (
    -- immutable
    review_id BLOB PRIMARY KEY CHECK (length(review_id) = 16),
    query_digest BLOB NOT NULL,
    dataset_version TEXT NOT NULL,
    terms_digest BLOB NOT NULL,
    query TEXT NOT NULL,
    dataset TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    principal TEXT NOT NULL,
    purpose TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    -- mutable
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'approved', 'rejected', 'held', 'shown', 'withheld', 'lapsed')),
    pure_nano INTEGER,                  -- what the question costs, as the office sees it
    rho_nano INTEGER NOT NULL,
    delta_e18 INTEGER NOT NULL,
    decided_at INTEGER,                 -- when the office decided, and who, and why
    decided_by TEXT,
    why TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX review_of_release ON review (query_digest, dataset_version, principal);
CREATE INDEX review_state ON review (state, principal);
