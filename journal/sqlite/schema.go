package sqlite

import (
	"errors"
	"fmt"
	"io"
)

// applicationID marks a file as a journal, in SQLite's header field for it: "Rcrs".
const applicationID = 0x52637273

// backupID marks what Backup has made: "Rcrb".
const backupID = 0x52637262

// migrations[i] takes a file from version i to i+1. A released migration must not change.
//
// A flow's n orders flows by age. Operations are stored by name, because their numbers may
// change. The columns are in the order of use: SQLite reads a row from its beginning, and the
// state is the longest.
var migrations = []string{`
CREATE TABLE owner (
	one   INTEGER PRIMARY KEY CHECK (one = 1),
	token TEXT NOT NULL,
	pid   INTEGER NOT NULL,
	host  TEXT NOT NULL
);
CREATE TABLE flow (
	n         INTEGER PRIMARY KEY,
	version   INTEGER NOT NULL,
	open      INTEGER NOT NULL,
	due       INTEGER,          -- microseconds since 1970, as is at
	at        INTEGER NOT NULL,
	id        TEXT NOT NULL UNIQUE,
	merchant  TEXT NOT NULL,
	operation TEXT NOT NULL,
	payment   TEXT NOT NULL,
	provider  TEXT NOT NULL,
	names     BLOB NOT NULL,    -- each after its length
	state     BLOB NOT NULL
);
CREATE TABLE name (
	provider TEXT NOT NULL,
	name     TEXT NOT NULL,
	n        INTEGER NOT NULL,
	PRIMARY KEY (provider, name, n)
) WITHOUT ROWID;
CREATE INDEX flow_due ON flow (due, id) WHERE due IS NOT NULL;
CREATE INDEX flow_done ON flow (at) WHERE due IS NULL;
CREATE INDEX flow_key ON flow (payment, merchant, operation);
CREATE UNIQUE INDEX flow_open ON flow (payment, merchant, operation) WHERE open = 1 AND payment <> '';
`, `
-- What is left of a row that is pruned; NULL: its writer did not say. Rows with a payment key that were
-- written before this version are never pruned (2): their key may be paid.
ALTER TABLE flow ADD COLUMN tombstone BLOB;
ALTER TABLE flow ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
UPDATE flow SET pruned = 2 WHERE payment <> '' AND due IS NULL;
DROP INDEX flow_done;
CREATE INDEX flow_done ON flow (at) WHERE due IS NULL AND pruned = 0;
`, `
-- How flows stand, for lists and counts: '' is of a row that was written before this version. The index
-- has all that a filter looks at, so that no row is read that is not listed.
ALTER TABLE flow ADD COLUMN standing TEXT NOT NULL DEFAULT '';
ALTER TABLE flow ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE flow SET since = at;
CREATE INDEX flow_standing ON flow (standing, since, id, merchant, provider);
`, `
-- What the file says of itself: see identity.go.
CREATE TABLE journal (
	one     INTEGER PRIMARY KEY CHECK (one = 1),
	id      TEXT NOT NULL,
	running INTEGER NOT NULL
);
INSERT INTO journal VALUES (1, lower(hex(randomblob(13))), 0);
`, `
-- Groups of rows that are committed, and do not stand in the table flow yet: see batch.go.
CREATE TABLE batch (n INTEGER PRIMARY KEY, rows BLOB NOT NULL);
`}

// migrate takes the file to the newest version. Each step is one transaction, so that an
// interrupted step leaves the version before it.
func migrate(c *conn, path string, steps []string) error {
	version, err := examine(c, path, len(steps))
	if err != nil {
		return err
	}
	for ; version < len(steps); version++ {
		script := fmt.Sprintf("BEGIN IMMEDIATE; %s; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
			steps[version], applicationID, version+1)
		if err := c.exec(script); err != nil {
			c.rollback()
			return fmt.Errorf("sqlite: %s: from schema version %d to %d: %w", path, version, version+1, err)
		}
	}
	return nil
}

// examine returns the version of the file's schema; 0 for an empty file.
func examine(c *conn, path string, known int) (int, error) {
	var app, version, tables int64
	for query, into := range map[string]*int64{
		"PRAGMA application_id":              &app,
		"PRAGMA user_version":                &version,
		"SELECT count(*) FROM sqlite_schema": &tables,
	} {
		err := c.queryRow(query, into)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("sqlite: %s: %w", path, err)
		}
	}
	switch {
	case app == 0 && version == 0 && tables == 0:
		return 0, nil
	case app != applicationID && app != backupID:
		return 0, &foreignError{Path: path, ApplicationID: app}
	case int(version) > known:
		return 0, &schemaError{Path: path, File: int(version), Known: known}
	}
	return int(version), nil
}
