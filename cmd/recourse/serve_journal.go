package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/postgres"
	"github.com/recourse-pay/recourse/journal/sqlite"
)

// flowJournal is a journal that the command opens and closes.
type flowJournal interface {
	journal.Journal
	Close() error
	Lost() <-chan struct{} // closed when each call fails, for ever
}

// openJournal opens the SQLite file or the database of the flows.
func (q *serving) openJournal(ctx context.Context, log *slog.Logger) (flowJournal, error) {
	if !isDatabase(q.journal) {
		return q.openFile()
	}
	j, err := openDatabase(ctx, q.journal, &postgres.Options{
		Schema: q.schema, Migrate: q.migrate, Restored: q.restored,
		OnError: func(err error) { log.Error("journal", "error", err) },
	})
	if err != nil {
		return nil, ofFlags(err, "")
	}
	return j, nil
}

func openDatabase(ctx context.Context, url string, o *postgres.Options) (*postgres.Journal, error) {
	if err := oneAt(url); err != nil {
		return nil, err
	}
	return postgres.Open(ctx, url, o)
}

func (q *serving) openFile() (flowJournal, error) {
	if err := isFile(q.journal); err != nil {
		return nil, err
	}
	j, err := sqlite.Open(q.journal, &sqlite.Options{Restored: q.restored})
	if err != nil {
		return nil, ofFlags(err, "")
	}
	return j, nil
}

// adopt makes a restored copy the journal. It serves nothing: a flag that stays in a script would do so at each start, and end the other
// processes.
func (q *serving) adopt(cmd *cobra.Command) error {
	if _, err := os.Stat(q.journal); !isDatabase(q.journal) && err != nil {
		return fmt.Errorf("--restored: %w", err)
	}
	j, err := q.openJournal(cmd.Context(), slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil)))
	if err != nil {
		return err
	}
	if err := j.Close(); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "It is the journal now. Start recourse serve without --restored.")
	return nil
}

// ofFlags is an error of a journal with the names of the flags, which are those of a command; "" where it is the one that runs.
func ofFlags(err error, command string) error {
	return errors.New(strings.NewReplacer("Options.Restored", command+"--restored", "Options.Migrate", command+"--migrate", "Options.Schema", "--schema").Replace(err.Error()))
}

// oneAt refuses an address in which a password would be taken for a host, and stand in an error. Its text is not repeated.
func oneAt(url string) error {
	address, _, _ := strings.Cut(url, "?")
	if strings.Count(address, "@") > 1 {
		return errors.New("--journal postgres://…: there is more than one @; one in a name or a password is written %40")
	}
	return nil
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

// isGone reports whether there is no file at the journal's path any more. The next process would make an empty one there, in which each paid key
// is free.
func (q *serving) isGone() bool {
	if isDatabase(q.journal) {
		return false
	}
	_, err := os.Stat(q.journal)
	return errors.Is(err, os.ErrNotExist)
}

// isDatabase reports whether a journal is the URL of a database, and not a file.
func isDatabase(journal string) bool {
	return strings.HasPrefix(journal, "postgres://") || strings.HasPrefix(journal, "postgresql://")
}
