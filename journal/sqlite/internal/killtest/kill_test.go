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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/emulator"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/loopback"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/sqlite"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// However often the process is killed: no payment executes twice, no flow is lost, no outcome
// is wrong, and every flow ends.
func TestKilledAtAnyMoment(t *testing.T) {
	flows, kills := testkit.Size(150, 400, 2000), testkit.Size(10, 40, 200)
	s := newScenario(t, flows, "")
	s.kill(kills)
	s.finish()
	a := s.audit()
	t.Logf("%d flows, %d kills %v: %+v", s.config.Flows, s.kills, s.points, a)
	if a.twice+a.failedThoughExecuted+a.succeededThoughNot+a.lost+a.open > 0 {
		t.Errorf("audit: %+v", a)
	}
	if a.succeeded == 0 || a.failed == 0 || s.kills < kills {
		t.Errorf("the test did not cover every outcome: %+v", a)
	}
}

// Without the write-ahead, or without the query after a restart, the same test must find double
// charges.
func TestSabotageIsFound(t *testing.T) {
	for _, sabotage := range []string{"no write-ahead", "no query"}[:testkit.Size(0, 2, 2)] {
		t.Run(sabotage, func(t *testing.T) {
			s := newScenario(t, 300, sabotage)
			s.kill(25)
			s.finish()
			if a := s.audit(); a.twice == 0 {
				t.Errorf("with %s no cart was charged twice: the test finds nothing: %+v", sabotage, a)
			} else {
				t.Logf("%+v", a)
			}
		})
	}
}

// scenario is a provider, and the payers that are killed one after another.
type scenario struct {
	t        *testing.T
	provider *emulator.Provider
	config   config
	rand     *rand.Rand
	kills    int
	points   map[string]int
	mu       sync.Mutex
	started  map[string]bool // by payment key: the payer acknowledged that the flow was started
}

func newScenario(t *testing.T, flows int, sabotage string) *scenario {
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
	s := &scenario{t: t, rand: rand.New(rand.NewPCG(20261122, 1)), points: map[string]int{}, started: map[string]bool{}}
	s.provider = emulator.NewProvider(momo, &emulator.Options{Plan: plan, Seed: 7})
	server := emulator.NewServer(s.provider, &emulator.ServerOptions{Attempts: 3, Backoff: 100 * time.Millisecond})
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
	s.config = config{
		Journal: filepath.Join(t.TempDir(), "flows.db"), Provider: web.URL, Listen: freeAddress(t), Flows: flows, AtOnce: 60, Sabotage: sabotage,
	}
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := loopback.Port()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// process is a running payer.
type process struct {
	cmd    *exec.Cmd
	ready  chan struct{} // closed when it has resumed its flows
	exited chan struct{} // closed when its output has ended
	done   bool          // every flow has ended
	paused chan struct{} // closed when it is about to stop itself
	stderr bytes.Buffer
}

func (s *scenario) start(c config) *process {
	s.t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		s.t.Fatal(err)
	}
	p := &process{cmd: exec.Command(os.Args[0]), ready: make(chan struct{}), exited: make(chan struct{}), paused: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), configVar+"="+string(text))
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // if the test has failed: a paused one would stay for good
	go s.readOutput(p, out)
	return p
}

func (s *scenario) readOutput(p *process, out io.Reader) {
	defer close(p.exited)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "ready":
			close(p.ready)
		case "started":
			s.mu.Lock()
			s.started[rest] = true
			s.mu.Unlock()
		case "pausing":
			close(p.paused)
		case "done":
			p.done = true
		}
	}
}

// kill starts payers and kills them, at a chosen point or at a random moment.
func (s *scenario) kill(times int) {
	points := []string{"", "before send", "after send", "in commit", ""}
	for s.kills < times {
		c := s.config
		c.KillAt = points[s.rand.IntN(len(points))]
		c.KillNth = 1 + s.rand.Int64N(40)
		p := s.start(c)
		timeout := time.Second // for a point that is not reached any more
		if c.KillAt == "" {
			timeout = time.Duration(s.rand.IntN(200)) * time.Millisecond
			if s.rand.IntN(8) > 0 {
				<-p.readyOrExited()
			}
		}
		select {
		case <-p.exited:
		case <-time.After(timeout):
			p.cmd.Process.Kill()
			<-p.exited
		}
		if err := p.cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			if p.done { // it ended before it was killed: add flows
				s.config.Flows += s.config.Flows / 8
				continue
			}
			s.t.Fatalf("a payer ended before it was killed: %v\n%s", err, p.stderr.String())
		}
		s.kills++
		s.points[c.KillAt]++
	}
}

// readyOrExited returns a channel that is closed when the process is ready or has exited.
func (p *process) readyOrExited() <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		select {
		case <-p.ready:
		case <-p.exited:
		}
	}()
	return c
}

// finish starts a payer that is not killed, and waits until every flow has ended.
func (s *scenario) finish() {
	s.t.Helper()
	if !s.tryFinish() {
		s.t.Fatal("the journal is locked, though no other process is running")
	}
}

// tryFinish is like finish, but returns false if the database is locked. A process that was
// stopped in the middle of a commit holds SQLite's lock: no other process can write while it
// lives.
func (s *scenario) tryFinish() bool {
	s.t.Helper()
	p := s.start(s.config)
	select {
	case <-p.exited:
	case <-time.After(3 * time.Minute):
		p.cmd.Process.Signal(syscall.SIGQUIT)
		<-p.exited
	}
	err := p.cmd.Wait()
	if err != nil && strings.Contains(p.stderr.String(), "SQLITE_BUSY") {
		return false
	}
	if err != nil || !p.done {
		s.t.Fatalf("the last payer: %v\n%s", err, p.stderr.String())
	}
	if p.stderr.Len() > 0 {
		s.t.Logf("the last payer printed:\n%.2000s", p.stderr.String())
	}
	return true
}

// audit compares the outcomes in the journal with the provider's ledger, in numbers of carts.
type audit struct {
	succeeded, failed, escalated                    int
	executed                                        int
	twice, failedThoughExecuted, succeededThoughNot int
	lost, open                                      int
}

func (s *scenario) audit() (a audit) {
	s.t.Helper()
	executed := map[string]int{}
	for _, e := range s.provider.Ledger(time.Now().AddDate(1, 0, 0)) {
		cart, _, _ := strings.Cut(e.OrderID, ".")
		executed[cart]++
	}
	for _, n := range executed {
		a.executed++
		if n > 1 {
			a.twice++
		}
	}
	j, err := sqlite.Open(s.config.Journal, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer j.Close()
	for i := range s.config.Flows {
		cart := fmt.Sprintf("k%d", i)
		rows, err := j.ByKey(context.Background(), journal.Key{Merchant: "shop", Operation: policy.Pay, Payment: cart})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(rows) == 0 {
			a.lost++
			continue
		}
		a.count(s.t, cart, stateOf(&rows[len(rows)-1]), executed[cart])
	}
	for key := range s.started { // every acknowledged flow must be stored
		rows, err := j.ByKey(context.Background(), journal.Key{Merchant: "shop", Operation: policy.Pay, Payment: key})
		if err != nil || len(rows) == 0 {
			a.lost++
		}
	}
	return a
}

func (a *audit) count(t *testing.T, cart string, state flow.State, executed int) {
	switch state.Outcome {
	case policy.Succeeded:
		a.succeeded++
		if executed == 0 {
			a.succeededThoughNot++
		}
	case policy.Failed:
		a.failed++
		if executed > 0 {
			a.failedThoughExecuted++
			t.Logf("%s failed though executed: %s", cart, state.Reason)
		}
	case policy.Escalated:
		a.escalated++
	case policy.Open:
		a.open++
	}
}
