package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"

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
	if err := isFile(q.journal); err != nil {
		return nil, err
	}
	return sqlite.Open(q.journal, nil)
}

// noFile is a URL, or settings of a database as libpq takes them.
var noFile = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+:/|^(host|hostaddr|port|dbname|user|password|service|sslmode)\s*=`)
})

// isFile refuses what would make a file of an address. Its text is not repeated: a password may stand in it.
func isFile(journal string) error {
	if m := noFile().FindString(journal); m != "" {
		return fmt.Errorf("--journal %s…: this is no file; a database is named by postgres://… or postgresql://…, and by nothing else", m)
	}
	return nil
}

// isDatabase reports whether a journal is the URL of a database, and not a file.
func isDatabase(journal string) bool {
	return strings.HasPrefix(journal, "postgres://") || strings.HasPrefix(journal, "postgresql://")
}

// named refuses a journal that is no file.
func (s *flowsSource) named() error {
	if isDatabase(s.file) {
		return errors.New("--journal: the flows of a database are reached through a process that has it open: use --admin with the URL of its admin handler")
	}
	return isFile(s.file)
}
