-- {schema} is replaced by Options.Schema. A released migration must not change.

-- journal: where the tables lie, as the server said it when the journal was opened last; one row. A copy of the
-- database says the same of itself and lies elsewhere. '' is not known. lost says why no process may go on.
CREATE TABLE {schema}.journal (
	one      boolean PRIMARY KEY DEFAULT true CHECK (one),
	system   text NOT NULL DEFAULT '',
	relation text NOT NULL DEFAULT '',
	timeline text NOT NULL DEFAULT '',
	lost     text NOT NULL DEFAULT ''
);
INSERT INTO {schema}.journal DEFAULT VALUES;

-- mark: random texts that callers keep elsewhere. A database without the mark has gone back to before it.
CREATE TABLE {schema}.mark (
	mark text COLLATE "C" PRIMARY KEY,
	at   timestamptz NOT NULL DEFAULT now()
);
