package sqlite

import (
	"testing"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/journaltest"
)

func opened(t testing.TB, path string, o *Options) *Journal {
	t.Helper()
	j, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func TestJournal(t *testing.T) {
	journaltest.RunDurable(t, func(t *testing.T, path string) journal.Journal { return opened(t, path, nil) })
}
