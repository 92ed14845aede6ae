//go:build server

package temporal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/rpc"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/worker"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/scenarios"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// The workers of the chaos test are processes. What outlives them is here: the journal and the provider.

// Outside is what the processes ask.
type Outside struct {
	j journal.Journal
	p *scenarios.Provider

	mu    sync.Mutex
	late  int            // requests that came later than any network would bring them: a paused process sent them
	sends map[string]int // by the flow and the number of the attempt
}

// Asked is what a process asks, and Said what it gets. Err is an error by its name.
type (
	Asked struct {
		Row     journal.Row
		ID      string
		Key     journal.Key
		Names   []string
		Attempt executor.Attempt
		Payment policy.Payment
	}
	Said struct {
		Rows  []journal.Row
		Reply executor.Reply
		Err   string
		ID    string
	}
)

func (s *Said) set(err error) {
	open := (*journal.OpenError)(nil)
	switch {
	case err == nil:
	case errors.As(err, &open):
		s.Err, s.ID = "open", open.ID
	case errors.Is(err, journal.ErrConflict):
		s.Err = "conflict"
	case errors.Is(err, journal.ErrNotFound):
		s.Err = "none"
	case errors.Is(err, executor.ErrNotSent):
		s.Err = "unsent"
	default:
		s.Err = err.Error()
	}
}

func (s *Said) err(a *Asked) error {
	switch s.Err {
	case "":
		return nil
	case "open":
		return &journal.OpenError{Key: a.Row.Key, ID: s.ID}
	case "conflict":
		return journal.ErrConflict
	case "none":
		return journal.ErrNotFound
	case "unsent":
		return executor.ErrNotSent
	}
	return errors.New(s.Err)
}

// Put, Get, ByKey and Named are those of the journal.
func (o *Outside) Put(a *Asked, s *Said) error {
	s.set(o.j.Put(context.Background(), &a.Row, journal.Synced))
	return nil
}

func (o *Outside) Get(a *Asked, s *Said) error {
	row, err := o.j.Get(context.Background(), a.ID)
	s.Rows = []journal.Row{row}
	s.set(err)
	return nil
}

func (o *Outside) ByKey(a *Asked, s *Said) (err error) {
	s.Rows, err = o.j.ByKey(context.Background(), a.Key)
	return err
}

func (o *Outside) Named(a *Asked, s *Said) (err error) {
	s.Rows, err = o.j.Named(context.Background(), "momo", a.Names...)
	return err
}

// Send and Query are the provider's. A request that a paused process sends after its deadline does not arrive.
func (o *Outside) Send(a *Asked, s *Said) error {
	if a.Attempt.Payment = &a.Payment; time.Now().After(a.Attempt.Deadline) {
		o.mu.Lock()
		o.late++
		o.mu.Unlock()
		s.Err = "the connection was closed long ago"
		return nil
	}
	o.mu.Lock()
	o.sends[fmt.Sprintf("%s, send %d", a.Attempt.Flow, a.Attempt.Number)]++
	o.mu.Unlock()
	var err error
	s.Reply, err = o.p.Send(context.Background(), &a.Attempt)
	s.set(err)
	return nil
}

func (o *Outside) Query(a *Asked, s *Said) (err error) {
	a.Attempt.Payment = &a.Payment
	s.Reply, err = o.p.Query(context.Background(), &a.Attempt)
	s.set(err)
	return nil
}

// away is the journal and the client of a worker's process.
type away struct {
	journal.Journal
	c *rpc.Client
}

func (w away) ask(method string, a *Asked) (*Said, error) {
	s := new(Said)
	if err := w.c.Call("Outside."+method, a, s); err != nil {
		return s, err
	}
	return s, s.err(a)
}

func (w away) Put(_ context.Context, r *journal.Row, _ journal.Durability) error {
	_, err := w.ask("Put", &Asked{Row: *r})
	return err
}

func (w away) Get(_ context.Context, id string) (journal.Row, error) {
	s, err := w.ask("Get", &Asked{ID: id})
	if err != nil {
		return journal.Row{}, err
	}
	return s.Rows[0], nil
}

func (w away) ByKey(_ context.Context, k journal.Key) ([]journal.Row, error) {
	s, err := w.ask("ByKey", &Asked{Key: k})
	return s.Rows, err
}

func (w away) Named(_ context.Context, _ string, names ...string) ([]journal.Row, error) {
	s, err := w.ask("Named", &Asked{Names: names})
	return s.Rows, err
}

func (w away) Send(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	return w.call("Send", a)
}

func (w away) Query(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	return w.call("Query", a)
}

func (w away) call(method string, a *executor.Attempt) (executor.Reply, error) {
	ask := &Asked{Attempt: *a, Payment: *a.Payment}
	ask.Attempt.Payment = nil
	s, err := w.ask(method, ask)
	return s.Reply, err
}

const processVariable = "RECOURSE_TEMPORAL_WORKER" // the server, the namespace, the queue and the outside of a worker's process

// TestWorkerProcess is a worker's process, where the variable is set.
func TestWorkerProcess(t *testing.T) {
	set := strings.Fields(os.Getenv(processVariable))
	if len(set) == 0 {
		return
	}
	c, err := rpc.Dial("tcp", set[3])
	if err != nil {
		t.Fatal(err)
	}
	o := away{c: c}
	d, err := New(Options{
		Rules: []RuleSet{scenarios.Rules(t)}, Clients: map[string]executor.Client{"momo": o}, Journal: o,
		Client: dialTo(t, set[0], set[1]), TaskQueue: set[2], NewOrder: scenarios.NewOrder,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range d.Workers(worker.Options{}) {
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println("works")
	_, _ = os.Stdin.Read(make([]byte, 1)) // it ends when the test does
}

// processes are the workers.
type processes struct {
	t   *testing.T
	env string

	mu  sync.Mutex
	all []*exec.Cmd
}

func (p *processes) start() *exec.Cmd {
	p.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestWorkerProcess$", "-test.timeout", "30m")
	cmd.Env = append(os.Environ(), processVariable+"="+p.env)
	if _, err := cmd.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	return cmd
}

// hurt kills, pauses and stops workers until the test says so, and counts what it did.
func (p *processes) hurt(over <-chan struct{}, done map[string]int) {
	for {
		select {
		case <-over:
			return
		case <-time.After(time.Duration(500+rand.IntN(1000)) * time.Millisecond):
		}
		i := rand.IntN(len(p.all))
		if rand.IntN(4) == 0 { // paused beyond the deadline of its calls
			_ = p.all[i].Process.Signal(syscall.SIGSTOP)
			time.Sleep(1500 * time.Millisecond)
			_ = p.all[i].Process.Signal(syscall.SIGCONT)
			done["paused"]++
			continue
		}
		_ = p.all[i].Process.Kill()
		_ = p.all[i].Wait()
		p.all[i] = p.start()
		done["killed"]++
	}
}

// meddle resets workflows to any of their tasks, and terminates them.
func (s *shop) meddle(over <-chan struct{}, ids []string, done map[string]int) {
	options, err := connect()
	if err != nil {
		s.t.Error(err)
		return
	}
	c := s.d.o.Client
	for {
		select {
		case <-over:
			return
		case <-time.After(time.Duration(rand.IntN(300)) * time.Millisecond):
		}
		id := ids[rand.IntN(len(ids))]
		if rand.IntN(4) == 0 {
			if err := c.TerminateWorkflow(context.Background(), id, "", "chaos"); err == nil {
				done["terminated"]++
			}
			continue
		}
		var tasks []int64
		for it := c.GetWorkflowHistory(context.Background(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
			e, err := it.Next()
			if err != nil {
				break
			}
			if e.EventType == enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
				tasks = append(tasks, e.EventId)
			}
		}
		if len(tasks) == 0 {
			continue
		}
		_, err := c.WorkflowService().ResetWorkflowExecution(context.Background(), &workflowservice.ResetWorkflowExecutionRequest{
			Namespace: options.Namespace, WorkflowExecution: &common.WorkflowExecution{WorkflowId: id}, Reason: "chaos",
			WorkflowTaskFinishEventId: tasks[rand.IntN(len(tasks))], RequestId: fmt.Sprint(time.Now().UnixNano()),
		})
		if err == nil {
			done["reset"]++
		}
	}
}

// outcome starts a payment until it has ended: a run that was terminated or reset leaves it, and Start joins or continues it.
func (s *shop) outcome(q executor.Request) (*Result, error) {
	var last error
	for range 200 {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		h, err := s.d.Start(ctx, q)
		var doubt *executor.DoubtError
		if errors.As(err, &doubt) {
			cancel()
			return &Result{Flow: doubt.Flow, Outcome: doubt.State.Outcome}, nil
		}
		if err == nil {
			var r *Result
			if r, err = h.Wait(ctx); err == nil {
				cancel()
				return r, nil
			}
		}
		cancel()
		last = err
		time.Sleep(200 * time.Millisecond)
	}
	return nil, last
}

// Workers are killed and paused, workflows are reset to any task and terminated, and every payment is asked for twice. Each ends,
// none executes twice, no attempt leaves twice, and none fails or succeeds against what the provider did.
func TestServerChaos(t *testing.T) {
	const n = 2 // of each kind
	out := &Outside{j: journal.NewMemory(), p: scenarios.NewProvider(t, time.Now, true), sends: map[string]int{}}
	server := rpc.NewServer()
	if err := server.Register(out); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go server.Accept(l)
	options, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	queue := fmt.Sprintf("chaos-%d", os.Getpid())
	d, err := New(Options{Rules: []RuleSet{scenarios.Rules(t)}, Journal: out.j, Client: dial(t), TaskQueue: queue})
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{t: t, d: d}
	ps := &processes{t: t, env: strings.Join([]string{options.HostPort, options.Namespace, queue, l.Addr().String()}, " ")}
	for range 3 {
		ps.all = append(ps.all, ps.start())
	}
	defer func() {
		for _, cmd := range ps.all {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}()
	var payments []executor.Request
	var ids []string
	for _, q := range scenarios.Payments() {
		for i := range n {
			q := q
			q.Key = fmt.Sprintf("%s-%d-%d", q.Key, i, os.Getpid())
			q.OrderID, q.RequestID = q.Key, "r-"+q.Key
			payments = append(payments, q)
			ids = append(ids, ID(keyOf(&q.Payment)))
		}
	}
	payments, ids = payments[:len(payments):len(payments)], ids[:len(ids):len(ids)]
	over, hurt, meddled := make(chan struct{}), map[string]int{}, map[string]int{}
	var around sync.WaitGroup
	around.Go(func() { ps.hurt(over, hurt) })
	around.Go(func() { s.meddle(over, ids, meddled) })
	began := time.Now()
	s.payAll(payments)
	close(over)
	around.Wait()
	ended := map[policy.Outcome]int{}
	lines := s.payAll(payments) // as they stand when nothing is in the way
	for i := range payments {
		q, r := &payments[i], lines[i]
		if r == nil {
			continue
		}
		ended[r.Outcome]++
		line := out.p.Line(q, r.Outcome)
		switch _, end, _ := strings.Cut(line, " "); end {
		case "succeeded, executed 1", "failed, executed 0", "escalated, executed 0", "escalated, executed 1":
		default:
			t.Errorf("%s", line)
		}
		if row, err := out.j.Get(context.Background(), r.Flow); err != nil || row.Open {
			t.Errorf("%s: the row is open=%t, %v", line, row.Open, err)
		}
	}
	for attempt, times := range out.sends {
		if times > 1 {
			t.Errorf("%s left %d times", attempt, times)
		}
	}
	t.Logf("%d payments in %s: %v; workers %v; workflows %v; %d requests of paused processes came too late", len(payments), time.Since(began).Round(time.Second), ended, hurt, meddled, out.late)
}

// payAll pays 40 at a time.
func (s *shop) payAll(payments []executor.Request) []*Result {
	results := make([]*Result, len(payments))
	var next atomic.Int64
	var all sync.WaitGroup
	for range 40 {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(payments) {
					return
				}
				r, err := s.outcome(payments[i])
				if err != nil {
					s.t.Errorf("%s: %v", payments[i].Key, err)
				}
				results[i] = r
			}
		})
	}
	all.Wait()
	return results
}
