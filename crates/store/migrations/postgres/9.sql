-- From schema 8 to 9: who administers the office, as its gateway started with last.

CREATE TABLE administration_kept (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    -- mutable
    setting TEXT NOT NULL                -- in words, as records of a change say it
);
