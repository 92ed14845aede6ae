package postgres

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/recourse-pay/recourse/internal/pgserver"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/journaltest"
)

// server is the PostgreSQL of all tests of the package.
var server *pgserver.Server

func TestMain(m *testing.M) {
	if text, is := os.LookupEnv(workerVar); is {
		if err := runWorker(text); err != nil {
			fmt.Fprintln(os.Stderr, "worker:", err)
			os.Exit(1)
		}
		return
	}
	var err error
	if server, err = pgserver.Start("max_connections = 200"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

var schemas atomic.Int64

// newSchema is a name that no other test uses.
func newSchema() string { return fmt.Sprintf("t%d", schemas.Add(1)) }

func opened(t testing.TB, o Options) *Journal {
	t.Helper()
	o.Migrate = true
	if o.Schema == "" {
		o.Schema = newSchema()
	}
	if o.OnError == nil {
		o.OnError = func(err error) { t.Logf("OnError: %v", err) }
	}
	j, err := Open(context.Background(), server.URL(), &o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestConformance(t *testing.T) {
	paths := map[string]string{}
	journaltest.RunDurable(t, func(t *testing.T, path string) journal.Journal {
		if paths[path] == "" || strings.Contains(t.Name(), "random") {
			paths[path] = newSchema()
		}
		return opened(t, Options{Schema: paths[path], Connections: 4})
	})
}
