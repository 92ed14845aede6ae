-- {schema} is replaced by Options.Schema. A released migration must not change.

-- Each version of a row was in two indexes by its key while it was open: now it is in one of two.
DROP INDEX {schema}.flow_key;
CREATE INDEX flow_key ON {schema}.flow (key) WHERE NOT (open AND payment <> '');
