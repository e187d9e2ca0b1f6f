-- From schema 5 to 6: the agreement that the deciding grant cites.

-- Of a record: immutable. NULL where the grant cites none, and in records of before.
ALTER TABLE access_record ADD COLUMN agreement TEXT;
