package postgres

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// paidAtOnce is a client whose provider has executed with the first answer: of a flow is measured what the journal costs.
type paidAtOnce struct{}

func (paidAtOnce) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}, nil
}

func (paidAtOnce) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}, nil
}

// BenchmarkFlows pays flows of two steps (sending, ended) through three executors, each with its own journal on one
// server: go test -run - -bench Flows -benchtime 20000x.
func BenchmarkFlows(b *testing.B) {
	for _, callers := range []int{1, 20, 200} {
		b.Run(fmt.Sprintf("%d callers", callers), func(b *testing.B) {
			t := newTill(b)
			b.ResetTimer()
			t.pay(b, callers, b.N)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "flows/s")
			t.sizes(b).report(b)
		})
	}
}

// till is three executors on one schema.
type till struct {
	schema string
	sites  []*executor.Executor
	n      atomic.Int64 // of the payment that comes next
}

func newTill(b *testing.B) *till {
	t := &till{schema: newSchema()}
	for range 3 {
		j := opened(b, Options{Schema: t.schema})
		rules, err := engine.OpenFS(testkit.Door)
		if err != nil {
			b.Fatal(err)
		}
		x, err := executor.New(rules, &executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": paidAtOnce{}}})
		if err != nil {
			b.Fatal(err)
		}
		t.sites = append(t.sites, x)
		b.Cleanup(func() {
			_ = x.Close(context.Background())
			_ = j.Close()
		})
	}
	return t
}

// pay pays so many flows, and returns how long it took.
func (t *till) pay(b *testing.B, callers, flows int) time.Duration {
	began, last := time.Now(), t.n.Load()+int64(flows)
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for {
				i := t.n.Add(1)
				if i > last {
					return
				}
				r, err := t.sites[c%3].Do(context.Background(), purchase(fmt.Sprintf("b%d", i)), paidAtOnce{})
				if err != nil || r.Outcome != policy.Succeeded {
					b.Errorf("%v, %v", r, err)
					return
				}
			}
		})
	}
	all.Wait()
	t.n.Store(last)
	return time.Since(began)
}

// sizes are those of a table and its indexes, in megabytes.
type sizes struct {
	table, indexes       float64
	rows, dead, vacuumed int64
}

func (t *till) sizes(b *testing.B) (s sizes) {
	err := connected(b).QueryRow(context.Background(), `SELECT pg_table_size(s.relid) / 1e6::float8, pg_indexes_size(s.relid) / 1e6::float8, s.n_live_tup, s.n_dead_tup, s.autovacuum_count
		FROM pg_stat_user_tables s WHERE s.relid = ($1 || '.flow')::regclass`, t.schema).Scan(&s.table, &s.indexes, &s.rows, &s.dead, &s.vacuumed)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (s sizes) report(b *testing.B) {
	b.ReportMetric(s.table, "table-MB")
	b.ReportMetric(s.indexes, "indexes-MB")
	b.ReportMetric(float64(s.dead), "dead-rows")
}

func (s sizes) String() string {
	return fmt.Sprintf("table %.0f MB, indexes %.0f MB, %d rows, %d dead, %d vacuums", s.table, s.indexes, s.rows, s.dead, s.vacuumed)
}

// BenchmarkCrowded holds a table with many flows of before against one that was empty: RECOURSE_BENCH_ROWS=1000000
// go test -run - -bench Crowded -benchtime 60000x -timeout 60m. So many have ended, and a tenth of that is open. They are copies
// of flows that were paid, or wait, here. The two take turns, with the same load of the machine; autovacuum runs as it is set in
// the tables. Then half of a tenth of what has ended is pruned.
func BenchmarkCrowded(b *testing.B) {
	rows, rounds := 10_000, 6
	if b.N == 1 { // a trial before the benchmark, which would fill a table too
		return
	}
	if text := os.Getenv("RECOURSE_BENCH_ROWS"); text != "" {
		if _, err := fmt.Sscan(text, &rows); err != nil {
			b.Fatal(err)
		}
	}
	crowded, empty := newTill(b), newTill(b)
	crowded.pay(b, 100, 500)
	for i := range 100 {
		if _, err := crowded.sites[0].Start(context.Background(), purchase(fmt.Sprintf("open%d", i)), &paidLater{woken: map[string]time.Time{}}); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	clone(b, crowded.schema, rows, rows/10)
	b.Logf("%d ended and %d open flows were put there in %s: %s", rows, rows/10, time.Since(began).Round(time.Second), crowded.sizes(b))
	var took [2]time.Duration
	n := max(b.N/2/rounds, 1)
	for round := range rounds {
		var one [2]time.Duration
		for i, t := range []*till{empty, crowded} {
			one[i] = t.pay(b, 200, n)
			took[i] += one[i]
		}
		b.Logf("round %d: empty %.0f flows/s, crowded %.0f; %s", round+1, float64(n)/one[0].Seconds(), float64(n)/one[1].Seconds(), crowded.sizes(b))
	}
	b.ReportMetric(float64(n*rounds)/took[0].Seconds(), "empty/s")
	b.ReportMetric(float64(n*rounds)/took[1].Seconds(), "crowded/s")
	b.ReportMetric(float64(took[0])/float64(took[1]), "crowded/empty")
	b.ReportMetric(0, "ns/op")
	crowded.sizes(b).report(b)

	j := opened(b, Options{Schema: crowded.schema})
	defer j.Close()
	began = time.Now()
	tallies, err := j.Count(context.Background(), journal.Filter{})
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("counted in %s: %v", time.Since(began).Round(time.Millisecond), tallies)
	began = time.Now()
	pruned, err := j.Prune(context.Background(), began.Add(-cloneAge(rows-rows/20)))
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d flows were pruned in %s: %s", pruned, time.Since(began).Round(time.Second), crowded.sizes(b))
}

// BenchmarkInserts is the bound: the same rows, a commit for each, on 20 connections, without a journal.
func BenchmarkInserts(b *testing.B) {
	ctx := context.Background()
	schema := newSchema()
	j := opened(b, Options{Schema: schema, Connections: 20})
	defer j.Close()
	var n atomic.Int64
	var all sync.WaitGroup
	state := make([]byte, 900)
	b.ResetTimer()
	for range 20 {
		all.Go(func() {
			for {
				i := n.Add(1)
				if i > int64(b.N) {
					return
				}
				r := row(fmt.Sprint(i))
				r.State, r.Due = state, time.Now()
				tx, err := j.pool.Begin(ctx)
				if err == nil {
					err = j.PutTx(ctx, tx, r)
				}
				if err == nil {
					err = tx.Commit(ctx)
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "inserts/s")
}
