-- From schema 3 to 4: which data the answers of a version are made from.

-- Of a secret: immutable. The fingerprint that an import noted of the table when the secret was made; NULL where none had.
ALTER TABLE bounding_secret ADD COLUMN data TEXT;
