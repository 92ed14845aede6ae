package postgres

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
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/internal/loopback"
	"github.com/recourse-pay/recourse/internal/pgserver"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/providers"
)

// harm is what the test does, at least.
type harm struct {
	flows, kills, pauses, restarts, cuts int
	deploy                               bool
	within                               time.Duration // in which the flows are started
}

// Whatever happens to processes, connections and the server: no payment executes twice, no flow is lost, no outcome
// is wrong, every flow ends, and what a killed process held is taken over soon.
func TestChaos(t *testing.T) {
	h := []harm{
		{flows: 90, kills: 2, pauses: 1, cuts: 4, restarts: 1, within: 4 * time.Second},
		{flows: 200, kills: 4, pauses: 2, cuts: 8, restarts: 2, deploy: true, within: 10 * time.Second},
		{flows: 2000, kills: 30, pauses: 15, cuts: 50, restarts: 4, deploy: true, within: 60 * time.Second},
	}[testkit.Size(0, 1, 2)]
	c := newChaos(t, h, "")
	c.run()
	a := c.audit()
	t.Logf("%d flows, %d kills, %d pauses, %d restarts, %d cuts in COMMIT: %+v; longest recovery %s", h.flows, c.kills, c.pauses, c.restarts, c.proxy.cuts.Load(), a, c.slowest)
	if a.twice+a.failedThoughExecuted+a.succeededThoughNot+a.lost+a.open > 0 {
		t.Errorf("audit: %+v\n%s", a, c.log())
	}
	if c.lost > 0 {
		t.Errorf("%d workers ended by themselves:\n%s", c.lost, c.log())
	}
	if a.succeeded == 0 || a.failed == 0 {
		t.Errorf("the test did not cover every outcome: %+v", a)
	}
	if limit := sendTimeout + 5*time.Second; c.slowest > limit {
		t.Errorf("a killed worker's flows waited %s for another worker; at most %s", c.slowest, limit)
	}
}

// Without the fence, or without the read-back after a COMMIT that had no answer, the same test must find double charges.
func TestChaosFindsSabotage(t *testing.T) {
	for _, s := range []struct {
		name string
		harm harm
	}{
		{"no fence", harm{flows: 2000, pauses: 8, within: 20 * time.Second}},
		{"no read-back", harm{flows: 800, kills: 6, cuts: 60, within: 20 * time.Second}},
	}[:testkit.Size(0, 0, 2)] {
		t.Run(s.name, func(t *testing.T) {
			for range 8 { // a round finds one or two, and now and then none
				c := newChaos(t, s.harm, s.name)
				c.run()
				a := c.audit()
				t.Logf("%d pauses, %d kills, %d cuts: %+v", c.pauses, c.kills, c.proxy.cuts.Load(), a)
				if a.twice > 0 {
					return
				}
			}
			t.Errorf("with %s no cart was charged twice: the test finds nothing", s.name)
		})
	}
}

// The times of the test. sendTimeout is that of the rules.
const (
	sendTimeout = time.Second
	lease       = 1500 * time.Millisecond
)

// chaos is a provider, a server, a proxy before it, and three workers.
type chaos struct {
	t        *testing.T
	harm     harm
	rand     *rand.Rand
	server   *pgserver.Server
	proxy    *proxy
	provider *emulator.Provider
	look     *pgxpool.Pool // past the proxy
	config   workerConfig
	workers  [3]*process

	kills, pauses, restarts int
	lost                    int          // workers that ended by themselves
	down                    atomic.Int64 // counts the restarts as they begin
	measures                sync.WaitGroup

	mu      sync.Mutex
	started map[string]bool // acknowledged, by key
	text    bytes.Buffer    // what the workers report
	slowest time.Duration   // until the flows of a killed worker were taken over
}

// process is a running worker.
type process struct {
	cmd   *exec.Cmd
	ready chan struct{}
	over  chan struct{}
	busy  sync.Mutex // one harm at a time
}

func newChaos(t *testing.T, h harm, sabotage string) *chaos {
	t.Helper()
	c := &chaos{t: t, harm: h, rand: rand.New(rand.NewPCG(20261130, 17)), started: map[string]bool{}}
	var err error
	if c.server, err = pgserver.Start("max_connections = 100", "log_min_messages = fatal"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.server.Close() })
	c.proxy = newProxy(t, c.server.Address())
	if c.look, err = pgxpool.New(context.Background(), c.server.URL()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.look.Close)
	j, err := Open(context.Background(), c.server.URL(), &Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	web := c.startProvider()
	c.config = workerConfig{
		Database: c.proxy.url(), Schema: "recourse", Rules: "testdata/chaos/rules", Provider: web, Flows: h.flows, Lease: lease, Sabotage: sabotage,
		Every: h.within * 3 / time.Duration(h.flows),
	}
	for range c.workers {
		port, err := loopback.Port()
		if err != nil {
			t.Fatal(err)
		}
		c.config.Listen = append(c.config.Listen, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	for i := range c.workers {
		c.workers[i] = new(process)
		c.start(i)
	}
	t.Cleanup(func() {
		for _, w := range c.workers {
			w.cmd.Process.Kill()
			<-w.over
		}
	})
	return c
}

func (c *chaos) startProvider() (url string) {
	text, err := os.ReadFile("testdata/chaos/faults.toml")
	if err != nil {
		c.t.Fatal(err)
	}
	plan, err := emulator.ReadPlan("testdata/chaos/faults.toml", text)
	if err != nil {
		c.t.Fatal(err)
	}
	catalogs, err := providers.Builtin()
	if err != nil {
		c.t.Fatal(err)
	}
	momo, err := catalogs.Get("momo")
	if err != nil {
		c.t.Fatal(err)
	}
	c.provider = emulator.NewProvider(momo, &emulator.Options{Plan: plan, Seed: 7})
	server := emulator.NewServer(c.provider, &emulator.ServerOptions{Attempts: 3, Backoff: 100 * time.Millisecond})
	web := httptest.NewServer(server)
	ctx, cancel := context.WithCancel(context.Background())
	var hooks sync.WaitGroup
	hooks.Go(func() { server.Deliver(ctx) })
	c.t.Cleanup(func() {
		cancel()
		server.Close()
		web.CloseClientConnections()
		web.Close()
		hooks.Wait()
	})
	return web.URL
}

// start starts a worker. The last one of its index has ended.
func (c *chaos) start(i int) {
	config := c.config
	config.Index = i
	text, err := json.Marshal(config)
	if err != nil {
		c.t.Fatal(err)
	}
	w := c.workers[i]
	w.cmd, w.ready, w.over = exec.Command(os.Args[0]), make(chan struct{}), make(chan struct{})
	w.cmd.Env = append(os.Environ(), workerVar+"="+string(text))
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	w.cmd.Stderr = &prefixed{c, i}
	if err := w.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func(cmd *exec.Cmd, ready, over chan struct{}) {
		defer close(over)
		c.read(out, ready)
		cmd.Wait()
	}(w.cmd, w.ready, w.over)
}

func (c *chaos) read(out io.Reader, ready chan struct{}) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch word, rest, _ := strings.Cut(lines.Text(), " "); word {
		case "ready":
			close(ready)
		case "started":
			c.mu.Lock()
			c.started[rest] = true
			c.mu.Unlock()
		}
	}
}

// prefixed collects what a worker reports.
type prefixed struct {
	c *chaos
	i int
}

func (p *prefixed) Write(text []byte) (int, error) {
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	fmt.Fprintf(&p.c.text, "worker %d: %s", p.i, text)
	return len(text), nil
}

// log is the end of what the workers reported.
func (c *chaos) log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := c.text.String()
	return text[max(0, len(text)-20_000):]
}

// run does the harm, and waits until every flow has ended.
func (c *chaos) run() {
	h := c.harm
	steps := max(h.kills, h.pauses, h.restarts, 1)
	stop := make(chan struct{})
	var cutter, pausing sync.WaitGroup
	cutter.Go(func() { c.cut(stop) })
	over := make(chan struct{})
	var supervisor sync.WaitGroup
	supervisor.Go(func() { c.supervise(over) })
	began := time.Now()
	for n := range steps {
		if n < h.kills {
			c.kill(c.rand.IntN(3))
		}
		if n < h.pauses {
			i := c.rand.IntN(3)
			c.pauses++
			pausing.Go(func() { c.pause(i) })
		}
		if h.restarts > 0 && n%max(1, steps/h.restarts) == 0 && c.restarts < h.restarts {
			c.restart()
		}
		if h.deploy && n == steps/2 {
			c.deploy()
		}
		if until := began.Add(h.within * time.Duration(n+1) / time.Duration(steps)); h.pauses > 0 || h.kills > 0 {
			time.Sleep(time.Until(until))
		}
	}
	pausing.Wait()
	for limit := time.Now().Add(2 * time.Minute); int(c.proxy.cuts.Load()) < h.cuts; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(limit) {
			c.t.Errorf("only %d of %d COMMITs were cut", c.proxy.cuts.Load(), h.cuts)
			break
		}
	}
	close(stop)
	cutter.Wait()
	c.proxy.next.Store(int32(notCut))
	c.measures.Wait()
	c.settle()
	close(over)
	supervisor.Wait()
	for _, w := range c.workers {
		c.stop(w)
	}
}

// supervise starts workers again that have ended by themselves: their journal was lost.
func (c *chaos) supervise(stop chan struct{}) {
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		for i, w := range c.workers {
			if !w.busy.TryLock() {
				continue
			}
			select {
			case <-w.over:
				c.lost++
				c.start(i)
			default:
			}
			w.busy.Unlock()
		}
	}
}

// cut asks the proxy for cuts, evenly, until there are enough and the other harm is done.
func (c *chaos) cut(stop chan struct{}) {
	if c.harm.cuts == 0 {
		return
	}
	kinds := []cutting{beforeCommit, afterCommit, duringCommit}
	tick := time.NewTicker(c.harm.within * 4 / 5 / time.Duration(c.harm.cuts))
	defer tick.Stop()
	for n := 0; ; n++ {
		c.proxy.next.Store(int32(kinds[n%3]))
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}

// kill kills a worker, starts the next one, and measures how long the flows that it held wait for another.
func (c *chaos) kill(i int) {
	w := c.workers[i]
	w.busy.Lock()
	defer w.busy.Unlock()
	select {
	case <-w.ready:
	case <-w.over: // by itself
		return
	case <-time.After(5 * time.Second): // the server may be down
	}
	pid := w.cmd.Process.Pid
	w.cmd.Process.Kill()
	killed := time.Now()
	<-w.over
	c.kills++
	restarts := c.down.Load()
	c.measures.Go(func() { c.measure(pid, killed, restarts) })
	c.start(i)
}

// measure waits until no flow that is due is left to a killed process. While the server is down it says nothing.
func (c *chaos) measure(pid int, killed time.Time, restarts int64) {
	for {
		var left int
		err := c.look.QueryRow(context.Background(), `SELECT count(*) FROM recourse.flow f JOIN recourse.owner o ON o.token = f.owner
			WHERE o.name LIKE $1 AND f.open AND f.due < now()`, fmt.Sprintf("process %d on %%", pid)).Scan(&left)
		switch waited := time.Since(killed); {
		case c.down.Load() != restarts:
			return
		case err == nil && left == 0 && waited > lease+2*sweepEvery, waited > time.Minute:
			return
		case err == nil && left > 0:
			c.mu.Lock()
			c.slowest = max(c.slowest, waited)
			c.mu.Unlock()
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// pause stops a worker for longer than its lease, and wakes it.
func (c *chaos) pause(i int) {
	w := c.workers[i]
	w.busy.Lock()
	defer w.busy.Unlock()
	select {
	case <-w.ready:
	case <-w.over:
	case <-time.After(5 * time.Second):
	}
	w.cmd.Process.Signal(syscall.SIGSTOP)
	time.Sleep(lease + 1500*time.Millisecond)
	w.cmd.Process.Signal(syscall.SIGCONT)
}

// restart stops the server, in turn with an end of its sessions and as a crash, and starts it again.
func (c *chaos) restart() {
	mode := []string{"fast", "immediate"}[c.restarts%2]
	c.down.Add(1)
	if err := c.server.Down(mode); err != nil {
		c.t.Error(err)
	}
	if err := c.server.Up(); err != nil {
		c.t.Fatal(err)
	}
	c.down.Add(1)
	c.restarts++
}

// deploy replaces the workers one by one by those of a release with changed rules.
func (c *chaos) deploy() {
	c.config.Rules = "testdata/chaos/changed"
	for i, w := range c.workers {
		w.busy.Lock()
		c.stop(w)
		c.start(i)
		w.busy.Unlock()
	}
}

// stop lets a worker end by itself.
func (c *chaos) stop(w *process) {
	w.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-w.over:
	case <-time.After(time.Minute):
		w.cmd.Process.Signal(syscall.SIGQUIT)
		<-w.over
		c.t.Errorf("a worker did not end:\n%s", c.log())
	}
}

// settle waits until every flow is stored and has ended.
func (c *chaos) settle() {
	limit := time.Now().Add(3 * time.Minute)
	for {
		var stored, open int
		err := c.look.QueryRow(context.Background(), "SELECT count(DISTINCT payment), count(*) FILTER (WHERE open) FROM recourse.flow").Scan(&stored, &open)
		if err == nil && stored == c.harm.flows && open == 0 {
			break
		}
		if time.Now().After(limit) {
			c.t.Errorf("%d of %d flows are stored, %d are open, %v", stored, c.harm.flows, open, err)
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
}
