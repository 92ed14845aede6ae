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
// server: go test -run - -bench Flows -benchtime 20000x. RECOURSE_BENCH_ROWS=1000000 puts so many ended flows there
// before, and a tenth of that open ones.
func BenchmarkFlows(b *testing.B) {
	for _, callers := range []int{1, 20, 200} {
		b.Run(fmt.Sprintf("%d callers", callers), func(b *testing.B) { benchFlows(b, callers) })
	}
}

func benchFlows(b *testing.B, callers int) {
	ctx := context.Background()
	schema := newSchema()
	if err := opened(b, Options{Schema: schema}).Close(); err != nil {
		b.Fatal(err)
	}
	fill(b, schema)
	var sites []*executor.Executor
	for range 3 {
		j := opened(b, Options{Schema: schema})
		rules, err := engine.OpenFS(testkit.Door)
		if err != nil {
			b.Fatal(err)
		}
		x, err := executor.New(rules, &executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": paidAtOnce{}}})
		if err != nil {
			b.Fatal(err)
		}
		sites = append(sites, x)
		defer j.Close()
		defer x.Close(ctx)
	}
	var n atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for c := range callers {
		all.Go(func() {
			for {
				i := n.Add(1)
				if i > int64(b.N) {
					return
				}
				r, err := sites[c%3].Do(ctx, purchase(fmt.Sprintf("b%d", i)), paidAtOnce{})
				if err != nil || r.Outcome != policy.Succeeded {
					b.Errorf("%v, %v", r, err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "flows/s")
	var table, indexes, dead int64
	err := opened(b, Options{Schema: schema, ReadOnly: true}).pool.QueryRow(ctx, `SELECT pg_table_size(c.oid), pg_indexes_size(c.oid), pg_stat_get_dead_tuples(c.oid)
		FROM pg_class c WHERE c.oid = ($1 || '.flow')::regclass`, schema).Scan(&table, &indexes, &dead)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(table)/1e6, "table-MB")
	b.ReportMetric(float64(indexes)/1e6, "indexes-MB")
	b.ReportMetric(float64(dead), "dead-rows")
}

// fill puts ended and open flows there before, as a shop has them after months.
func fill(b *testing.B, schema string) {
	var rows int
	if fmt.Sscan(os.Getenv("RECOURSE_BENCH_ROWS"), &rows); rows == 0 {
		return
	}
	j := opened(b, Options{Schema: schema})
	defer j.Close()
	_, err := j.pool.Exec(context.Background(), `INSERT INTO `+schema+`.flow (id, version, open, due, at, standing, since, state, names, merchant, operation, payment, provider, key)
		SELECT 'old-' || i, 3, i % 10 = 0, CASE WHEN i % 10 = 0 THEN now() + interval '1 day' END, now(), CASE WHEN i % 10 = 0 THEN 'open' ELSE 'succeeded' END, now(),
			convert_to(repeat(md5(i::text), 30), 'UTF8'), '{}', 'acme', 'pay', 'old-' || i, 'momo', sha256(convert_to('old-' || i, 'UTF8'))
		FROM generate_series(1, $1::int) i`, rows+rows/10)
	if err == nil {
		_, err = j.pool.Exec(context.Background(), "INSERT INTO "+schema+".name SELECT sha256(convert_to(id, 'UTF8')), id FROM "+schema+".flow")
	}
	if err == nil {
		_, err = j.pool.Exec(context.Background(), "VACUUM ANALYZE "+schema+".flow, "+schema+".name")
	}
	if err != nil {
		b.Fatal(err)
	}
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
