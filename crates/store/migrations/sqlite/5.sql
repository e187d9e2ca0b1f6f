-- From schema 4 to 5: what was asked, refused questions too.

-- Of a record: immutable. The question's text, or its beginning where it is very long; NULL where the request holds none.
ALTER TABLE access_record ADD COLUMN query TEXT;
