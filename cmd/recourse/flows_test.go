package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/sqlite"
	"github.com/recourse-pay/recourse/policy"
)

// shop is a client whose provider pays one order, and is silent about all others.
type shop struct{}

func (shop) Send(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	if a.OrderID == "o-paid" {
		return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}, nil
	}
	return executor.Reply{}, context.DeadlineExceeded
}

func (s shop) Query(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, context.DeadlineExceeded
}

func must[T any](what T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	return what
}

// leaving lets a caller leave as soon as the flow of its payment waits: a function for each payment key.
type leaving struct {
	executor.NoopObserver
	sync.Map
}

func (l *leaving) Waiting(_ context.Context, e *executor.WaitEvent) {
	if leave, is := l.Load(e.Payment.Key); is {
		leave.(context.CancelFunc)()
	}
}

// carried makes flows in memory, as an executor writes them: in doubt, and paid.
func carried() journal.Journal {
	memory, leave := journal.NewMemory(), &leaving{}
	x := must(executor.New(must(ruleset.Open("")), &executor.Config{Journal: memory, Sweep: time.Hour, Observers: []executor.Observer{leave}}))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, key := range []string{"paid", "doubt", "other"} {
		short, stop := context.WithCancel(ctx)
		leave.Store("cart-"+key, stop)
		_, _ = x.Do(short, executor.Request{
			Payment: policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: "cart-" + key, Amount: 120_000, Currency: "VND"},
			OrderID: "o-" + key, RequestID: "r-" + key,
		}, shop{})
		stop()
	}
	must(0, x.Close(ctx))
	return memory
}

// makeJournal writes a journal with the flows f-paid, f-doubt and f-other: makejournal FILE. They are
// three hours old.
func makeJournal() { writeJournal(os.Args[1], len(os.Args) > 2) }

func writeJournal(path string, damaged bool) {
	memory := carried()
	j := must(sqlite.Open(path, nil))
	for _, key := range []string{"paid", "doubt", "other"} {
		k := journal.Key{Merchant: "acme", Operation: policy.Pay, Payment: "cart-" + key}
		rows := must(memory.ByKey(context.Background(), k))
		r := rows[0]
		r.ID, r.Version = "f-"+key, 1
		r.Since = r.Since.Add(-3 * time.Hour)
		must(0, j.Put(context.Background(), &r, journal.Synced))
	}
	if damaged { // and one that no release can read
		r := journal.Row{ID: "f-bad", Version: 1, Key: journal.Key{Merchant: "acme", Payment: "bad"}, Provider: "momo", Standing: "in_doubt",
			Since: time.Now(), At: time.Now(), Open: true, Due: time.Now(), State: []byte(`{"v":99}`)}
		must(0, j.Put(context.Background(), &r, journal.Synced))
	}
	must(0, j.Close())
}

// ownJournal is a process that owns a journal and serves its admin handler: ownjournal FILE URLFILE.
func ownJournal() {
	j := must(sqlite.Open(os.Args[1], nil))
	x := must(executor.New(must(ruleset.Open("")), &executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": shop{}}}))
	must(x.Resume(context.Background()))
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	must(0, os.WriteFile(os.Args[2]+".new", []byte("http://"+l.Addr().String()), 0o600))
	must(0, os.Rename(os.Args[2]+".new", os.Args[2]))
	must(0, http.Serve(l, x.AdminHandler()))
}

// readEnv waits for a file and puts its text into a variable: readenv NAME FILE.
func readEnv(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: readenv NAME FILE")
	}
	for range 600 {
		if text, err := os.ReadFile(ts.MkAbs(args[1])); err == nil {
			ts.Setenv(args[0], strings.TrimSpace(string(text)))
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s does not come", args[1])
}

// An answer that is not the admin handler's, or is cut short, is an error and no empty list.
func TestFlowsOfAnotherServer(t *testing.T) {
	for what, serve := range map[string]http.HandlerFunc{
		"a page":         func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"another status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.invalid/", http.StatusFound)
		},
		"nothing": func(http.ResponseWriter, *http.Request) {},
		"half": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("Content-Type", "application/vnd.sqlite3")
			fmt.Fprintln(w, `{"flow":"f-1"}`)
		},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: serve}
		go func() { _ = server.Serve(l) }()
		to := filepath.Join(t.TempDir(), "copy.db")
		for _, args := range [][]string{{"list"}, {"show", "f-1"}, {"export"}, {"withdraw", "f-1", "--who", "a", "--why", "b"}, {"backup", to}} {
			var out, errs bytes.Buffer
			args = append(append([]string{"flows"}, args...), "--admin", "http://"+l.Addr().String())
			if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != exitCouldNot || errs.Len() == 0 {
				t.Errorf("%s: %v ends with %d\n%s%s", what, args[1], code, &out, &errs)
			}
		}
		if left, err := filepath.Glob(to + "*"); err != nil || len(left) > 0 {
			t.Errorf("%s: %v are left", what, left)
		}
		_ = server.Close()
	}
}

// Ctrl-C ends a command whose handler does not answer. What was asked for may have been done.
func TestInterruptOfFlows(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	reached := make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		reached <- struct{}{}
		<-r.Context().Done()
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()
	for _, args := range [][]string{{"list"}, {"export"}, {"withdraw", "f-1", "--who", "a", "--why", "b"}} {
		ctx, interrupt := context.WithCancel(t.Context())
		var errs bytes.Buffer
		done := make(chan int, 1)
		go func() {
			done <- run(ctx, append(append([]string{"flows"}, args...), "--admin", "http://"+l.Addr().String()), strings.NewReader(""), io.Discard, &errs)
		}()
		<-reached
		interrupt()
		if code := <-done; code != exitCouldNot || !strings.Contains(errs.String(), "interrupted") ||
			strings.Contains(errs.String(), "may have been done") != (args[0] == "withdraw") {
			t.Errorf("%s: exit code %d, %q", args[0], code, errs.String())
		}
	}
}
