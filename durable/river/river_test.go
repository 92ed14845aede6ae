package river_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	queue "github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/recourse-pay/recourse/durable/river"
	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/pgserver"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/postgres"
	"github.com/recourse-pay/recourse/policy"
)

// server is the PostgreSQL of all tests of the package.
var server *pgserver.Server

func TestMain(m *testing.M) {
	flag.Parse()
	err := flag.Set("test.parallel", "6") // the tests wait most of the time, each for its own database
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if server, err = pgserver.Start("max_connections = 300"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

var databases atomic.Int64

// shop is a database with the tables of the journal, of River and of a shop.
type shop struct {
	t    testing.TB
	url  string
	pool *pgxpool.Pool

	sites []*site
}

func newShop(t testing.TB) *shop {
	t.Helper()
	name := fmt.Sprintf("shop%d", databases.Add(1))
	c, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, url: "postgres://postgres@" + server.Address() + "/" + name + "?sslmode=disable&pool_max_conns=20"}
	if s.pool, err = pgxpool.New(t.Context(), s.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	if err := createTables(t.Context(), riverpgxv5.New(s.pool)); err != nil {
		t.Fatal(err)
	}
	j, err := postgres.Open(t.Context(), s.url, &postgres.Options{Migrate: true})
	if err == nil {
		err = j.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.exec("CREATE TABLE orders (id text PRIMARY KEY)")
	return s
}

// close closes what is open of the shop.
func (s *shop) close() {
	for _, one := range slices.Backward(s.sites) {
		one.close()
	}
	s.sites = nil
	s.pool.Close()
}

var silent = slog.New(slog.DiscardHandler)

func (s *shop) exec(sql string, args ...any) int64 {
	s.t.Helper()
	tag, err := s.pool.Exec(context.Background(), sql, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return tag.RowsAffected()
}

// count returns the one number that a query has.
func (s *shop) count(sql string, args ...any) (n int) {
	s.t.Helper()
	if err := s.pool.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// jobs returns the jobs of a flow, the oldest first.
func (s *shop) jobs(flow string) []*rivertype.JobRow {
	s.t.Helper()
	rows, err := s.pool.Query(context.Background(), "SELECT id FROM river_job WHERE args->>'flow' = $1 ORDER BY id", flow)
	if err != nil {
		s.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		s.t.Fatal(err)
	}
	var all []*rivertype.JobRow
	for _, id := range ids {
		job, err := s.inserts().JobGet(context.Background(), id)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, job)
	}
	return all
}

// inserts is a client that works nothing.
func (s *shop) inserts() *queue.Client[pgx.Tx] {
	s.t.Helper()
	c, err := queue.NewClient(riverpgxv5.New(s.pool), &queue.Config{Logger: silent})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// provider is a client of a provider's. Its first answer to a send is pending unless paid is set; a query brings what
// the provider has made of it.
type provider struct {
	paid atomic.Bool
	hold chan struct{} // a send returns when it is closed; nil: at once
	fail error         // what a send returns; nil: no error

	mu   sync.Mutex
	sent []string // order ids
	over []error  // the contexts' errors when the sends returned
}

func (p *provider) answer() executor.Reply {
	if p.paid.Load() {
		return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}
	}
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "7000"}}
}

func (p *provider) Send(ctx context.Context, a *executor.Attempt) (executor.Reply, error) {
	p.mu.Lock()
	p.sent = append(p.sent, a.OrderID)
	p.mu.Unlock()
	if p.hold != nil {
		select {
		case <-p.hold:
		case <-ctx.Done():
		}
	}
	p.mu.Lock()
	p.over = append(p.over, ctx.Err())
	p.mu.Unlock()
	if p.fail != nil {
		return executor.Reply{}, p.fail
	}
	return p.answer(), nil
}

func (p *provider) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return p.answer(), nil
}

func (p *provider) sends() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// site is one of the shop's processes: an executor with a journal of its own, and a River client.
type site struct {
	*shop
	j      *postgres.Journal
	token  string // of the process among the owners
	x      *executor.Executor
	client *queue.Client[pgx.Tx]
}

// settings of a site. The zero value sweeps once an hour, so that only jobs wake flows, and works jobs.
type settings struct {
	sweep  time.Duration
	lease  time.Duration
	idle   bool                                  // it works no jobs
	waker  bool                                  // flows that wait get a job
	absent bool                                  // it has no client of the provider's
	worker func(journal.Journal) journal.Journal // what the worker reads; nil: the journal
	rules  executor.Rules
	poll   bool // its River client hears no notifications
}

func (s *shop) site(p executor.Client, o settings) *site {
	s.t.Helper()
	one := &site{shop: s}
	var err error
	report := func(err error) {
		if !errors.Is(err, journal.ErrLost) && !errors.Is(err, context.Canceled) { // of a site that was killed, or is closed
			s.t.Logf("OnError: %v", err)
		}
	}
	if o.lease == 0 {
		o.lease = time.Second
	}
	if o.sweep == 0 {
		o.sweep = time.Hour
	}
	before := []string{}
	if err := s.pool.QueryRow(context.Background(), "SELECT coalesce(array_agg(token), '{}') FROM recourse.owner").Scan(&before); err != nil {
		s.t.Fatal(err)
	}
	if one.j, err = postgres.Open(context.Background(), s.url, &postgres.Options{Lease: o.lease, OnError: report}); err != nil {
		s.t.Fatal(err)
	}
	if err := s.pool.QueryRow(context.Background(), "SELECT token FROM recourse.owner WHERE NOT token = ANY ($1)", before).Scan(&one.token); err != nil {
		s.t.Fatal(err)
	}
	if o.rules == nil {
		if o.rules, err = engine.OpenFS(testkit.Door); err != nil {
			s.t.Fatal(err)
		}
	}
	c := &executor.Config{Journal: one.j, Sweep: o.sweep, OnError: report, Clients: map[string]executor.Client{"momo": p}}
	if o.absent {
		c.Clients = nil
	}
	if o.waker {
		c.Observers = []executor.Observer{river.Waker(s.inserts(), report)}
	}
	if one.x, err = executor.New(o.rules, c); err != nil {
		s.t.Fatal(err)
	}
	if !o.idle {
		one.work(o.worker, o.poll)
	}
	s.sites = append(s.sites, one)
	return one
}

// work starts the site's River client.
func (s *site) work(reads func(journal.Journal) journal.Journal, poll bool) {
	s.t.Helper()
	var j journal.Journal = s.j
	if reads != nil {
		j = reads(j)
	}
	workers := queue.NewWorkers()
	queue.AddWorker(workers, river.Worker(s.x, j))
	var err error
	s.client, err = queue.NewClient(riverpgxv5.New(s.pool), &queue.Config{
		Logger: silent, Workers: workers, Queues: map[string]queue.QueueConfig{river.Queue: {MaxWorkers: 100}},
		FetchPollInterval: 50 * time.Millisecond, FetchCooldown: 10 * time.Millisecond, PollOnly: poll,
	})
	if err == nil {
		err = s.client.Start(context.Background())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) close() {
	if s.j == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var errs []error
	if s.client != nil {
		errs = append(errs, s.client.StopAndCancel(ctx))
	}
	errs = append(errs, s.x.Close(ctx))
	if err := s.j.Close(); !errors.Is(err, journal.ErrLost) { // of a site that was killed
		errs = append(errs, err)
	}
	s.j = nil
	if err := errors.Join(errs...); err != nil {
		s.t.Error(err)
	}
}

// killWaiting kills the site when the row of its flow says that it waits, and not that it is being sent: for that another
// process would wait until the deadline of the call.
func (s *site) killWaiting(flow string) {
	s.t.Helper()
	waitFor(s.t, "the row of the wait", func() bool {
		return s.count("SELECT count(*) FROM recourse.flow WHERE id = $1 AND due < now() + interval '10 s'", flow) == 1
	})
	s.kill()
}

// kill ends all that the site does: its journal finds that it was ended, and refuses all work. The
// flows are held by a dead process whose lease still runs.
func (s *site) kill() {
	s.t.Helper()
	if s.client != nil {
		if err := s.client.StopAndCancel(context.Background()); err != nil {
			s.t.Error(err)
		}
		s.client = nil
	}
	s.exec("INSERT INTO recourse.owner (token, name, until) SELECT token || '-dead', name, until FROM recourse.owner WHERE token = $1", s.token)
	s.exec("UPDATE recourse.owner SET written = -1 WHERE token = $1", s.token) // as if Options.Restored had ended it
	s.exec("UPDATE recourse.flow SET owner = $1 || '-dead' WHERE owner = $1", s.token)
	_ = s.j.Put(context.Background(), &journal.Row{ // refused
		ID: "x", Version: 1, Key: journal.Key{Merchant: "acme", Payment: "x"}, Provider: "momo", Open: true, Due: time.Now(), At: time.Now(), Since: time.Now(),
	}, journal.Synced)
}

func purchase(key string) executor.Request {
	return executor.Request{OrderID: "order-" + key, Payment: policy.Payment{
		Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: key, Amount: 50_000, Currency: "VND",
	}}
}

// begin stores an order, a payment and a job in one transaction, as a shop does.
func (s *site) begin(q executor.Request) string {
	s.t.Helper()
	row, err := s.x.Prepare(context.Background(), q)
	if err != nil {
		s.t.Fatal(err)
	}
	err = pgx.BeginFunc(context.Background(), s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(context.Background(), "INSERT INTO orders VALUES ($1)", q.OrderID); err != nil {
			return err
		}
		return river.StartTx(context.Background(), tx, s.inserts(), s.j, row)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return row.ID
}

// stored is a flow's row.
func (s *shop) stored(flow string) (open bool, standing string) {
	s.t.Helper()
	if err := s.pool.QueryRow(context.Background(), "SELECT open, standing FROM recourse.flow WHERE id = $1", flow).Scan(&open, &standing); err != nil {
		s.t.Fatal(err)
	}
	return open, standing
}

func (s *shop) waitForEnd(flow, standing string) {
	s.t.Helper()
	waitFor(s.t, "the end of the flow", func() bool {
		open, _ := s.stored(flow)
		return !open
	})
	if _, got := s.stored(flow); got != standing {
		s.t.Fatalf("the flow ended %s, want %s", got, standing)
	}
}

func (s *shop) waitForJob(flow string, state rivertype.JobState) *rivertype.JobRow {
	s.t.Helper()
	var job *rivertype.JobRow
	waitFor(s.t, fmt.Sprintf("a job that is %s", state), func() bool {
		all := s.jobs(flow)
		if len(all) == 0 {
			return false
		}
		job = all[len(all)-1]
		return job.State == state
	})
	return job
}

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("it did not happen in 30 s: %s", what)
		}
	}
}
