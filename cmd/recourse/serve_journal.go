package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/postgres"
	"github.com/recourse-pay/recourse/journal/sqlite"
)

// flowJournal is a journal that the command opens and closes.
type flowJournal interface {
	journal.Journal
	Close() error
}

// openJournal opens the SQLite file or the database of the flows.
func (q *serving) openJournal(ctx context.Context, log *slog.Logger) (flowJournal, error) {
	if isDatabase(q.journal) {
		return postgres.Open(ctx, q.journal, &postgres.Options{
			Migrate: q.migrate,
			OnError: func(err error) { log.Error("journal", "error", err) },
		})
	}
	if q.migrate {
		return nil, errors.New("--migrate is for a journal in PostgreSQL; a SQLite file is taken to the form of this release when it is opened")
	}
	return sqlite.Open(q.journal, nil)
}

// isDatabase reports whether a journal is the URL of a database, and not a file.
func isDatabase(journal string) bool {
	return strings.HasPrefix(journal, "postgres://") || strings.HasPrefix(journal, "postgresql://")
}
