package killtest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/sqlite"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// What must hold: killed whenever, nothing executes twice, nothing is lost, nothing is
// marked wrongly, everything ends.
func TestKilledAtAnyMoment(t *testing.T) {
	flows, kills := 2000, 200
	if raceEnabled { // ten times slower, and the processes are the same
		flows, kills = 150, 12
	}
	d := newDay(t, flows, "")
	d.kill(kills)
	d.finish()
	h := d.reckon()
	t.Logf("%d flows, %d kills %v: %+v", d.orders.Flows, d.kills, d.points, h)
	if h.twice+h.failedThoughExecuted+h.succeededThoughNot+h.lost+h.open > 0 {
		t.Errorf("harm: %+v", h)
	}
	if h.succeeded == 0 || h.failed == 0 || d.kills < kills {
		t.Errorf("the test tested nothing: %+v", h)
	}
}

// Without the write-ahead, or without the query after a restart, the same test must find
// harm.
func TestSabotageIsFound(t *testing.T) {
	for _, sabotage := range []string{"no write-ahead", "no query"} {
		t.Run(sabotage, func(t *testing.T) {
			d := newDay(t, 300, sabotage)
			d.kill(25)
			d.finish()
			if h := d.reckon(); h.twice == 0 {
				t.Errorf("with %s, and yet nobody was charged twice: the test is blind: %+v", sabotage, h)
			} else {
				t.Logf("%+v", h)
			}
		})
	}
}

// day is a provider, and the payers that are killed one after another.
type day struct {
	t        *testing.T
	provider *emulator.Provider
	orders   orders
	rand     *rand.Rand
	kills    int
	points   map[string]int
	mu       sync.Mutex
	started  map[string]bool // what payers said that they had begun
}

func newDay(t *testing.T, flows int, sabotage string) *day {
	t.Helper()
	text, err := os.ReadFile("testdata/faults.toml")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := emulator.ReadPlan("testdata/faults.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	catalogs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	momo, err := catalogs.Get("momo")
	if err != nil {
		t.Fatal(err)
	}
	d := &day{t: t, rand: rand.New(rand.NewPCG(20261122, 1)), points: map[string]int{}, started: map[string]bool{}}
	d.provider = emulator.NewProvider(momo, &emulator.Options{Plan: plan, Seed: 7})
	server := emulator.NewServer(d.provider, &emulator.ServerOptions{Attempts: 3, Backoff: 100 * time.Millisecond})
	web := httptest.NewServer(server)
	ctx, cancel := context.WithCancel(context.Background())
	var hooks sync.WaitGroup
	hooks.Go(func() { server.Deliver(ctx) })
	t.Cleanup(func() {
		cancel()
		server.Close()
		web.CloseClientConnections()
		web.Close()
		hooks.Wait()
	})
	d.orders = orders{
		Journal: filepath.Join(t.TempDir(), "flows.db"), Provider: web.URL, Listen: freeAddress(t), Flows: flows, AtOnce: 60, Sabotage: sabotage,
	}
	return d
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// process is a payer that runs.
type process struct {
	cmd    *exec.Cmd
	ready  chan struct{} // it has resumed
	over   chan struct{} // its output has ended
	done   bool          // it said that everything has ended
	paused chan struct{} // it said that it is about to stop
	stderr bytes.Buffer
}

func (d *day) start(o orders) *process {
	d.t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		d.t.Fatal(err)
	}
	p := &process{cmd: exec.Command(os.Args[0]), ready: make(chan struct{}), over: make(chan struct{}), paused: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), ordersVar+"="+string(text))
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	go d.listen(p, out)
	return p
}

func (d *day) listen(p *process, out io.Reader) {
	defer close(p.over)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "ready":
			close(p.ready)
		case "started":
			d.mu.Lock()
			d.started[rest] = true
			d.mu.Unlock()
		case "pausing":
			close(p.paused)
		case "done":
			p.done = true
		}
	}
}

// kill runs payers and kills them, at a point that was chosen or at a random moment.
func (d *day) kill(times int) {
	points := []string{"", "before send", "after send", "in commit", ""}
	for d.kills < times {
		o := d.orders
		o.KillAt = points[d.rand.IntN(len(points))]
		o.KillNth = 1 + d.rand.Int64N(40)
		p := d.start(o)
		patience := time.Second // for a point that is not reached any more
		if o.KillAt == "" {
			patience = time.Duration(d.rand.IntN(200)) * time.Millisecond
			if d.rand.IntN(8) > 0 {
				<-p.either()
			}
		}
		select {
		case <-p.over:
		case <-time.After(patience):
			p.cmd.Process.Kill()
			<-p.over
		}
		if err := p.cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			if p.done { // faster than it is killed: there is more to do
				d.orders.Flows += d.orders.Flows / 8
				continue
			}
			d.t.Fatalf("a payer ended by itself: %v\n%s", err, p.stderr.String())
		}
		d.kills++
		d.points[o.KillAt]++
	}
}

// either is closed when the process is ready, or over.
func (p *process) either() <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		select {
		case <-p.ready:
		case <-p.over:
		}
	}()
	return c
}

// finish lets a payer do all that is left.
func (d *day) finish() {
	d.t.Helper()
	if !d.mayFinish() {
		d.t.Fatal("the journal is locked, and nobody is there")
	}
}

// mayFinish is finish where a process that was stopped in the middle of a commit may hold
// the journal's file: nobody can take that over while the process lives.
func (d *day) mayFinish() bool {
	d.t.Helper()
	p := d.start(d.orders)
	select {
	case <-p.over:
	case <-time.After(time.Minute):
		p.cmd.Process.Signal(syscall.SIGQUIT)
		<-p.over
	}
	err := p.cmd.Wait()
	if err != nil && strings.Contains(p.stderr.String(), "SQLITE_BUSY") {
		return false
	}
	if err != nil || !p.done {
		d.t.Fatalf("the last payer: %v\n%s", err, p.stderr.String())
	}
	if p.stderr.Len() > 0 {
		d.t.Logf("the last payer said:\n%.2000s", p.stderr.String())
	}
	return true
}

// harm is what the journal says, held against the provider's ledger.
type harm struct {
	succeeded, failed, escalated                    int
	executed                                        int // carts
	twice, failedThoughExecuted, succeededThoughNot int
	lost, open                                      int
}

func (d *day) reckon() (h harm) {
	d.t.Helper()
	executed := map[string]int{}
	for _, e := range d.provider.Ledger(time.Now().AddDate(1, 0, 0)) {
		cart, _, _ := strings.Cut(e.OrderID, ".")
		executed[cart]++
	}
	for _, n := range executed {
		h.executed++
		if n > 1 {
			h.twice++
		}
	}
	j, err := sqlite.Open(d.orders.Journal, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	defer j.Close()
	for i := range d.orders.Flows {
		cart := fmt.Sprintf("k%d", i)
		rows, err := j.ByKey(context.Background(), journal.Key{Merchant: "shop", Operation: policy.Pay, Payment: cart})
		if err != nil {
			d.t.Fatal(err)
		}
		if len(rows) == 0 {
			h.lost++
			continue
		}
		h.count(d.t, cart, stateOf(&rows[len(rows)-1]), executed[cart])
	}
	for key := range d.started { // what was acknowledged is there
		rows, err := j.ByKey(context.Background(), journal.Key{Merchant: "shop", Operation: policy.Pay, Payment: key})
		if err != nil || len(rows) == 0 {
			h.lost++
		}
	}
	return h
}

func (h *harm) count(t *testing.T, cart string, s flow.State, executed int) {
	switch s.Outcome {
	case policy.Succeeded:
		h.succeeded++
		if executed == 0 {
			h.succeededThoughNot++
		}
	case policy.Failed:
		h.failed++
		if executed > 0 {
			h.failedThoughExecuted++
			t.Logf("%s failed though executed: %s", cart, s.Reason)
		}
	case policy.Escalated:
		h.escalated++
	case policy.Open:
		h.open++
	}
}
