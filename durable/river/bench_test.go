package river_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	queue "github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/recourse-pay/recourse/durable/river"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/postgres"
)

const (
	workersAtOnce = 3   // executors, or River clients
	callersAtOnce = 200 // of those that begin flows
	insertsAtOnce = 20  // connections of the bound
)

// BenchmarkSideBySide holds the journal's poller against River, and both against plain inserts, in one run on one
// PostgreSQL with fsync on: go test ./durable/river -run - -bench SideBySide -benchtime 9000x. A flow has two steps: its
// row says that it is being sent, then that it has ended; the call between is empty. Contestants take turns, so that
// what else the machine does meets all of them.
func BenchmarkSideBySide(b *testing.B) {
	contestants := []struct {
		name string
		run  func(b *testing.B, n int) cost
	}{
		{"inserts", benchInserts},
		{"poller", func(b *testing.B, n int) cost { return benchStored(b, n, false) }},
		{"jobs", func(b *testing.B, n int) cost { return benchStored(b, n, true) }},
		{"river", func(b *testing.B, n int) cost { return benchPlain(b, n, false) }},
		{"poller+start", benchCalled},
		{"river+start", func(b *testing.B, n int) cost { return benchPlain(b, n, true) }},
	}
	const rounds = 3
	n := max(b.N/rounds, 1)
	sums := make([]cost, len(contestants))
	for range rounds {
		for i, c := range contestants {
			one := c.run(b, n)
			sums[i].took += one.took
			sums[i].used += one.used
		}
	}
	rate := map[string]float64{}
	for i, c := range contestants {
		rate[c.name] = float64(rounds*n) / sums[i].took.Seconds()
		b.ReportMetric(rate[c.name], c.name+"/s")
		b.ReportMetric(float64(sums[i].used.Microseconds())/float64(rounds*n), c.name+"-cpu-µs")
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate["poller"]/rate["river"], "poller/river")
	b.ReportMetric(rate["poller+start"]/rate["river+start"], "poller/river+start")
	b.ReportMetric(rate["poller"]/rate["inserts"], "poller/inserts")
	b.ReportMetric(rate["poller+start"]/rate["inserts"], "poller/inserts+start")
}

// cost is what a contestant needs.
type cost struct {
	took time.Duration
	used time.Duration // of the processors, by this process and the server
}

func measured(b *testing.B) func() cost {
	began, before := time.Now(), processorTime(b)
	return func() cost { return cost{time.Since(began), processorTime(b) - before} }
}

// together runs a function for each number below n, by so many goroutines.
func together(b *testing.B, goroutines, n int, one func(i int) error) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := one(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// Sizes of what a payment of these flows stores: with its first row if that comes before the send, while it is being sent, and
// when it has ended (there with its tombstone).
const preparedBytes, sendingBytes, endedBytes = 333, 726, 1915

// benchState is text as a state has it, so many bytes of it. A later one begins elsewhere: a state changes in many places.
func benchState(i, bytes int) []byte {
	text := fmt.Sprintf(`{"v":4,"request":{"order_id":"order-%d"},"state":{"payment":{"provider":"momo","merchant":"acme","operation":"pay","amount":%d}},"at":%d}`, i, 50_000+i, bytes*7919+i)
	return []byte(strings.Repeat(text, bytes/len(text)+2)[bytes%len(text):][:bytes])
}

// benchRow is a first row of the size that a payment's has.
func benchRow(i int) *journal.Row {
	q := purchase(fmt.Sprint(i))
	return &journal.Row{
		ID: fmt.Sprintf("flow-%d", i), Version: 1, Key: journal.Key{Merchant: q.Merchant, Operation: q.Operation, Payment: q.Key}, Provider: q.Provider,
		Names: []string{q.OrderID}, Open: true, Due: time.Now(), At: time.Now(), Since: time.Now(), State: benchState(i, sendingBytes), Standing: "open",
	}
}

// benchInserts is the bound: the journal's first rows, a commit for each.
func benchInserts(b *testing.B, n int) cost {
	ctx, s := context.Background(), newShop(b)
	defer s.close()
	j, err := postgres.Open(ctx, s.url, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	done := measured(b)
	together(b, insertsAtOnce, n, func(i int) error {
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return j.PutTx(ctx, tx, benchRow(i)) })
	})
	return done()
}

// benchStored begins flows that are stored already, as those of processes that have died: by the poller alone, or by jobs.
func benchStored(b *testing.B, n int, jobs bool) cost {
	ctx, s := context.Background(), newShop(b)
	defer s.close()
	web := s.site(paidAtOnce{}, settings{idle: true})
	together(b, insertsAtOnce, n, func(i int) error {
		row, err := web.x.Prepare(ctx, purchase(fmt.Sprint(i)))
		if err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			if jobs {
				return river.StartTx(ctx, tx, s.inserts(), web.j, row)
			}
			return web.j.PutTx(ctx, tx, row)
		})
	})
	web.close()
	done := measured(b)
	for range workersAtOnce {
		o := settings{idle: !jobs}
		if !jobs {
			o.sweep = 50 * time.Millisecond
		}
		s.site(paidAtOnce{}, o)
	}
	s.ended(b, "SELECT count(*) FROM recourse.flow WHERE open")
	return done()
}

// ended waits until a query counts nothing.
func (s *shop) ended(b *testing.B, open string) {
	for limit := time.Now().Add(5 * time.Minute); s.count(open) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(limit) {
			b.Fatal("flows are open after 5 minutes")
		}
	}
}

// benchCalled pays flows by callers of three executors, from the request to the end.
func benchCalled(b *testing.B, n int) cost {
	ctx, s := context.Background(), newShop(b)
	defer s.close()
	var sites []*site
	for range workersAtOnce {
		sites = append(sites, s.site(paidAtOnce{}, settings{idle: true}))
	}
	done := measured(b)
	together(b, callersAtOnce, n, func(i int) error {
		_, err := sites[i%workersAtOnce].x.Do(ctx, purchase(fmt.Sprint(i)), paidAtOnce{})
		return err
	})
	return done()
}

// sendArgs and endArgs are the two steps of a flow as River's documents would have it.
type (
	sendArgs struct {
		ID string `json:"id"`
		N  int    `json:"n"`
	}
	endArgs struct {
		ID string `json:"id"`
		N  int    `json:"n"`
	}
)

func (sendArgs) Kind() string { return "send" }
func (endArgs) Kind() string  { return "end" }

// plain is a flow in a table of its own, which stores as much as the journal's does. Each step is one transaction; River
// completes the jobs in batches.
type plain struct{ pool *pgxpool.Pool }

func (p *plain) send(ctx context.Context, job *queue.Job[sendArgs]) error {
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE plain SET step = 1, state = $2 WHERE id = $1 AND step = 0", job.Args.ID, benchState(job.Args.N, sendingBytes)); err != nil {
			return err
		}
		_, err := queue.ClientFromContext[pgx.Tx](ctx).InsertTx(ctx, tx, endArgs(job.Args), nil)
		return err
	})
}

func (p *plain) end(ctx context.Context, job *queue.Job[endArgs]) error {
	_, err := p.pool.Exec(ctx, "UPDATE plain SET step = 2, state = $2, due = NULL WHERE id = $1 AND step = 1", job.Args.ID, benchState(job.Args.N, endedBytes))
	return err
}

// benchPlain is River's two-step flow: a job that does the first step and inserts the second. With start the time of
// storing row and first job counts, which 200 callers do while the clients work.
func benchPlain(b *testing.B, n int, start bool) cost {
	ctx, s := context.Background(), newShop(b)
	defer s.close()
	s.exec("CREATE TABLE plain (id text COLLATE \"C\" PRIMARY KEY, key text NOT NULL, step int NOT NULL, due timestamptz, state bytea NOT NULL) WITH (fillfactor = 70)")
	s.exec("CREATE UNIQUE INDEX plain_key ON plain (key)")
	s.exec("CREATE INDEX plain_due ON plain (due, id) WHERE due IS NOT NULL")
	inserts := s.inserts()
	store := func(i int) error {
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			id := fmt.Sprintf("flow-%d", i)
			if _, err := tx.Exec(ctx, "INSERT INTO plain VALUES ($1, $1, 0, now(), $2)", id, benchState(i, preparedBytes)); err != nil {
				return err
			}
			_, err := inserts.InsertTx(ctx, tx, sendArgs{id, i}, nil)
			return err
		})
	}
	done := measured(b)
	if !start {
		together(b, insertsAtOnce, n, store)
		done = measured(b)
	}
	for range workersAtOnce {
		pool, err := pgxpool.New(ctx, s.url)
		if err != nil {
			b.Fatal(err)
		}
		defer pool.Close()
		p, workers := &plain{pool}, queue.NewWorkers()
		queue.AddWorker(workers, queue.WorkFunc(p.send))
		queue.AddWorker(workers, queue.WorkFunc(p.end))
		client, err := queue.NewClient(riverpgxv5.New(pool), &queue.Config{
			Logger: silent, Workers: workers, Queues: map[string]queue.QueueConfig{queue.QueueDefault: {MaxWorkers: 100}},
			FetchPollInterval: 50 * time.Millisecond, FetchCooldown: 10 * time.Millisecond,
		})
		if err == nil {
			err = client.Start(ctx)
		}
		if err != nil {
			b.Fatal(err)
		}
		defer client.StopAndCancel(ctx)
	}
	if start {
		together(b, callersAtOnce, n, store)
	}
	s.ended(b, "SELECT count(*) FROM plain WHERE step < 2")
	return done()
}

// processorTime is what this process and the server have used so far. It depends less than rates do on what else the
// machine does. Zero where there is no /proc.
func processorTime(b *testing.B) (sum time.Duration) {
	c, err := pgx.Connect(context.Background(), server.URL())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.Background())
	var backend int
	if err := c.QueryRow(context.Background(), "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		b.Fatal(err)
	}
	postmaster := stat(backend).parent
	sum = stat(os.Getpid()).used + stat(postmaster).used
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		b.Fatal(err)
	}
	for _, dir := range all {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if p := stat(pid); p.parent == postmaster && postmaster != 0 {
			sum += p.used
		}
	}
	return sum
}

type process struct {
	parent int
	used   time.Duration // with the children that have ended
}

// stat reads /proc/PID/stat; a process that has ended is the zero value.
func stat(pid int) (p process) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return p
	}
	p.parent, _ = strconv.Atoi(fields[1])
	for _, ticks := range fields[11:15] {
		n, _ := strconv.Atoi(ticks)
		p.used += time.Duration(n) * 10 * time.Millisecond
	}
	return p
}
