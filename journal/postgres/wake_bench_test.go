package postgres

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// paidLater is a client whose provider is not done with the first answer. The rules then wait for about two seconds.
type paidLater struct {
	mu    sync.Mutex
	woken map[string]time.Time
}

func (p *paidLater) Send(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "7000"}}, nil
}

func (p *paidLater) Query(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.woken[a.Flow] = time.Now()
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}, nil
}

// BenchmarkWakeUp prints how late flows wake up from a wait, by the time in their row: those whose process lives, and those
// of which a third belongs to a process that closes its journal meanwhile (a deploy) and is taken over by a Sweep of 200 ms. go test -run - -bench WakeUp -benchtime 600x.
func BenchmarkWakeUp(b *testing.B) {
	for _, deployed := range []bool{false, true} {
		name := "process lives"
		if deployed {
			name = "process is deployed"
		}
		b.Run(name, func(b *testing.B) { benchWakeUp(b, deployed) })
	}
}

func benchWakeUp(b *testing.B, deployed bool) {
	ctx := context.Background()
	schema, client := newSchema(), &paidLater{woken: map[string]time.Time{}}
	var journals []*Journal
	var sites []*executor.Executor
	for range 3 {
		rules, err := engine.OpenFS(testkit.Door)
		if err != nil {
			b.Fatal(err)
		}
		j := opened(b, Options{Schema: schema})
		x, err := executor.New(rules, &executor.Config{Journal: j, Clients: map[string]executor.Client{"momo": client}, Sweep: 200 * time.Millisecond})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := x.Resume(ctx); err != nil { // begins the sweeps
			b.Fatal(err)
		}
		journals, sites = append(journals, j), append(sites, x)
	}
	due := map[string]time.Time{}
	const atOnce = 100 // each 400 ms, which is less than a wait
	for i := 0; i < b.N; i += atOnce {
		var all sync.WaitGroup
		for k := i; k < min(i+atOnce, b.N); k++ {
			all.Go(func() {
				if _, err := sites[k%len(sites)].Start(ctx, purchase(fmt.Sprintf("w%d", k)), client); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
		time.Sleep(400 * time.Millisecond)
		rows, err := journals[1].Due(ctx, time.Now().Add(time.Hour), journal.Cursor{}, b.N)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range rows {
			if _, seen := due[r.ID]; !seen {
				due[r.ID] = r.Due
			}
		}
		if deployed && i+atOnce >= b.N {
			_ = sites[0].Close(ctx)
			_ = journals[0].Close()
		}
	}
	for limit := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		client.mu.Lock()
		n := len(client.woken)
		client.mu.Unlock()
		if n >= b.N {
			break
		}
		if time.Now().After(limit) {
			b.Fatalf("%d of %d flows woke up within a minute", n, b.N)
		}
	}
	for i := range sites {
		_ = sites[i].Close(ctx)
		_ = journals[i].Close()
	}
	var late []time.Duration
	for id, at := range client.woken {
		late = append(late, at.Sub(due[id]))
	}
	slices.Sort(late)
	for name, share := range map[string]float64{"late-p50-ms": 0.5, "late-p99-ms": 0.99, "late-max-ms": 1} {
		b.ReportMetric(float64(late[int(share*float64(len(late)-1))].Microseconds())/1000, name)
	}
	b.ReportMetric(0, "ns/op")
}
