package river_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	queue "github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/recourse-pay/recourse/durable/river"
	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/executor"
	machine "github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// gate stops reads of the journal by a worker, as if its process were paused there.
type gate struct {
	journal.Journal

	mu    sync.Mutex
	shut  chan struct{} // nil: reads pass
	fails int           // so many reads fail
	at    chan struct{} // receives when a read stops
}

func newGate() *gate { return &gate{at: make(chan struct{}, 100)} }

func (g *gate) of(j journal.Journal) journal.Journal {
	g.Journal = j
	return g
}

func (g *gate) close() (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	shut := make(chan struct{})
	g.shut = shut
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.shut == shut {
			g.shut = nil
		}
		close(shut)
	})
}

// Get reads the row first: what a paused process knows is old when it wakes.
func (g *gate) Get(ctx context.Context, id string) (journal.Row, error) {
	row, err := g.Journal.Get(ctx, id)
	g.mu.Lock()
	shut := g.shut
	if g.fails > 0 {
		g.fails--
		err = errors.New("the database does not answer")
	}
	g.mu.Unlock()
	if shut != nil {
		g.at <- struct{}{}
		<-shut
	}
	return row, err
}

func start(t *testing.T, s *site, p executor.Client, key string) string {
	t.Helper()
	h, err := s.x.Start(t.Context(), purchase(key), p)
	if err != nil {
		t.Fatal(err)
	}
	return h.Flow()
}

func notify(t *testing.T, s *site, key string) {
	t.Helper()
	err := s.x.Notify(t.Context(), executor.Webhook{Provider: "momo", Merchant: "acme", Verified: true, Answer: &policy.Answer{
		Code: "0", OrderID: "order-" + key, Amount: 50_000, Currency: "VND",
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func oneSend(t *testing.T, p *provider) {
	t.Helper()
	if got := p.sends(); len(got) != 1 {
		t.Errorf("sent %q, want one send", got)
	}
}

// waits is a folder of rules in which a pending payment is queried after a time.
func waits(t *testing.T, after string) executor.Rules {
	t.Helper()
	rules, err := engine.Open(testkit.Dir(t, map[string]string{"merchants/acme.toml": `
[limits]
max_elapsed = "2h"
max_queries = 50

[schedule.poll]
intervals = ["` + after + `"]
`}))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// A process dies while its flow waits: the job takes the flow to another process when it is due, without a sweep.
func TestAJobTakesAFlowOver(t *testing.T) {
	t.Parallel()
	p := &provider{}
	s := newShop(t)
	dies := s.site(p, settings{idle: true, waker: true, rules: waits(t, "2s")})
	flow := start(t, dies, p, "1")
	s.waitForJob(flow, rivertype.JobStateAvailable)
	dies.killWaiting(flow)
	p.paid.Store(true)
	began := time.Now()
	s.site(p, settings{rules: waits(t, "2s")})
	s.waitForEnd(flow, "succeeded")
	t.Logf("it ended %s after its process had died", time.Since(began).Round(time.Millisecond))
	s.waitForJob(flow, rivertype.JobStateCompleted)
	oneSend(t, p)
}

// An insert beside a job that is not over is skipped without an error. The job carries no time, so the wake-up is not lost.
func TestSkippedInserts(t *testing.T) {
	t.Parallel()
	p := &provider{}
	s := newShop(t)
	holder := s.site(p, settings{idle: true, waker: true, rules: waits(t, "1h")})
	flow := start(t, holder, p, "1")
	late := s.waitForJob(flow, rivertype.JobStateScheduled)
	if left := time.Until(late.ScheduledAt); left < 50*time.Minute {
		t.Fatalf("the job comes in %s; the flow waits for an hour", left)
	}
	held := ""
	wait := func(d time.Duration) {
		w := river.Waker(s.inserts(), func(err error) { t.Error(err) })
		q := purchase("1")
		w.Waiting(t.Context(), &executor.WaitEvent{Flow: flow, Payment: &q.Payment, At: time.Now(), Held: held, Wait: machine.Wait{Until: time.Now().Add(d)}})
	}
	wait(2 * time.Hour) // later than the job: nothing to do
	if jobs := s.jobs(flow); len(jobs) != 1 || !jobs[0].ScheduledAt.Equal(late.ScheduledAt) {
		t.Fatalf("a later wait changed the job: %+v", jobs)
	}
	held = "breaker"
	wait(30 * time.Second) // the row has no such time
	if jobs := s.jobs(flow); len(jobs) != 1 || !jobs[0].ScheduledAt.Equal(late.ScheduledAt) {
		t.Fatalf("a breaker's wait changed the job: %+v", jobs)
	}
	held = ""
	wait(30 * time.Second) // earlier: the one job comes now, and reads the row
	jobs := s.jobs(flow)
	if len(jobs) != 1 || jobs[0].State != rivertype.JobStateAvailable || time.Until(jobs[0].ScheduledAt) > 0 {
		t.Fatalf("an earlier wait did not bring the job forward: %d jobs, %s at %s", len(jobs), jobs[0].State, jobs[0].ScheduledAt)
	}
	// A job that is over blocks no other.
	for n, over := range []string{"completed", "cancelled", "discarded"} {
		s.exec("UPDATE river_job SET state = $1::river_job_state, finalized_at = now() WHERE state NOT IN ('completed', 'cancelled', 'discarded')", over)
		wait(time.Hour)
		if jobs := s.jobs(flow); len(jobs) != n+2 || jobs[n+1].State != rivertype.JobStateScheduled {
			t.Fatalf("beside a %s job no other was inserted: %d jobs", over, len(jobs))
		}
	}
}

// The wake-up that is swallowed for good: the job runs, has read its row, and snoozes for what it read. The sweep ends the flow.
func TestSwallowedWakeUp(t *testing.T) {
	t.Parallel()
	p, g := &provider{}, newGate()
	s := newShop(t)
	dies := s.site(p, settings{idle: true, waker: true, rules: waits(t, "1s")})
	flow := start(t, dies, p, "1")
	s.waitForJob(flow, rivertype.JobStateAvailable)
	s.site(p, settings{rules: waits(t, "1s"), worker: g.of, sweep: 200 * time.Millisecond})
	open := g.close()
	<-g.at
	dies.killWaiting(flow)
	p.paid.Store(true)
	s.exec("UPDATE river_job SET created_at = now() - interval '1 day', scheduled_at = now()")
	open()
	s.waitForEnd(flow, "succeeded")
	oneSend(t, p)
}

// A worker is paused, the rescuer gives its job to another one, and the first one wakes: it does not end the job.
func TestAWokenWorkerDoesNotEndItsRescuersJob(t *testing.T) {
	t.Parallel()
	p, g := &provider{}, newGate()
	s := newShop(t)
	open := g.close()
	web := s.site(p, settings{worker: g.of, rules: waits(t, "1s")})
	flow := web.begin(purchase("1"))
	<-g.at // the first run has read the row
	job := s.waitForJob(flow, rivertype.JobStateRunning)
	s.exec("UPDATE river_job SET state = 'available', scheduled_at = now() WHERE id = $1", job.ID) // as the rescuer does
	<-g.at                                                                                         // the second run is there
	open()                                                                                         // both return
	waitFor(t, "the send", func() bool { return len(p.sends()) == 1 })
	waitFor(t, "the snooze", func() bool { return s.jobs(flow)[0].State != rivertype.JobStateRunning })
	if state := s.jobs(flow)[0].State; state == rivertype.JobStateCompleted {
		t.Fatal("the job is completed while its flow is open")
	}
	p.paid.Store(true)
	s.waitForEnd(flow, "succeeded")
	s.waitForJob(flow, rivertype.JobStateCompleted)
	oneSend(t, p)
}

// The leader is dead and its lease runs: no snooze of more than 5 s wakes. The sweep needs no job, and short waits no leader.
func TestWithoutALeader(t *testing.T) {
	t.Parallel()
	p := &provider{}
	s := newShop(t)
	s.exec("INSERT INTO river_leader (elected_at, expires_at, leader_id) VALUES (now(), now() + interval '1 hour', 'dead')")
	one := s.site(p, settings{idle: true, rules: waits(t, "1s")})
	s.site(p, settings{rules: waits(t, "1s")}) // it sweeps once an hour
	short := one.begin(purchase("short"))
	waitFor(t, "the send", func() bool { return len(p.sends()) == 1 })
	p.paid.Store(true)
	s.waitForEnd(short, "succeeded")
	p.paid.Store(false)
	dies := s.site(p, settings{idle: true, waker: true, rules: waits(t, "6s")})
	long := start(t, dies, p, "long")
	s.waitForJob(long, rivertype.JobStateScheduled)
	dies.killWaiting(long)
	p.paid.Store(true)
	began := time.Now()
	s.site(p, settings{idle: true, rules: waits(t, "6s"), sweep: 200 * time.Millisecond})
	s.waitForEnd(long, "succeeded")
	t.Logf("the sweep ended the flow after %s", time.Since(began).Round(time.Millisecond))
	if state := s.jobs(long)[0].State; state != rivertype.JobStateScheduled {
		t.Errorf("the job is %s; without a leader it stays scheduled", state)
	}
	if n := len(p.sends()); n != 2 {
		t.Errorf("%d sends of two payments", n)
	}
}

// A running job that is cancelled and then snoozes is cancelled for good. The flow goes on, and its next wait gives it a job.
func TestCancelledWhileItRuns(t *testing.T) {
	t.Parallel()
	p, g := &provider{}, newGate()
	s := newShop(t)
	web := s.site(p, settings{waker: true, worker: g.of, rules: waits(t, "2s")})
	flow := start(t, web, p, "1")
	open := g.close()
	<-g.at
	job := s.waitForJob(flow, rivertype.JobStateRunning)
	if _, err := s.inserts().JobCancel(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	open()
	waitFor(t, "the cancellation", func() bool { return s.jobs(flow)[0].State == rivertype.JobStateCancelled })
	waitFor(t, "another job", func() bool { return len(s.jobs(flow)) == 2 })
	p.paid.Store(true)
	s.waitForEnd(flow, "succeeded")
	s.waitForJob(flow, rivertype.JobStateCompleted)
	oneSend(t, p)
}

// A client is stopped while its flow's call is under way: the call is not broken off, and the next client sends nothing.
func TestStopInMidCall(t *testing.T) {
	t.Parallel()
	p := &provider{hold: make(chan struct{})}
	p.paid.Store(true)
	s := newShop(t)
	old := s.site(p, settings{})
	flow := old.begin(purchase("1"))
	waitFor(t, "the send", func() bool { return len(p.sends()) == 1 })
	if err := old.client.StopAndCancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	job := s.jobs(flow)[0]
	if job.State == rivertype.JobStateCompleted || len(job.Errors) > 0 {
		t.Fatalf("after the stop the job is %s, with errors %v", job.State, job.Errors)
	}
	s.site(p, settings{})
	waitFor(t, "a run at the next client", func() bool {
		job := s.jobs(flow)[0]
		return len(job.AttemptedBy) > 1 && job.State != rivertype.JobStateRunning
	})
	close(p.hold)
	s.waitForEnd(flow, "succeeded")
	s.waitForJob(flow, rivertype.JobStateCompleted)
	oneSend(t, p)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over[0] != nil {
		t.Errorf("the call was broken off: %v", p.over[0])
	}
}

// River takes a next retry that has passed for none, and waits attempt⁴ seconds.
func TestNextRetryIsAhead(t *testing.T) {
	w := river.Worker(nil, nil)
	for _, attempt := range []int{0, 1, 2, 20, 59, 60, 61, 1000} {
		ago := time.Now().Add(-time.Hour)
		before := time.Now()
		next := w.NextRetry(&queue.Job[river.Args]{JobRow: &rivertype.JobRow{Attempt: attempt, AttemptedAt: &ago, ScheduledAt: ago}})
		if d := next.Sub(before); d < time.Second || d > 61*time.Second {
			t.Errorf("attempt %d: the next one is in %s", attempt, d)
		}
	}
}

// A journal that fails once delays a job by seconds, at its twentieth attempt too, and the error is shown.
func TestJournalThatFails(t *testing.T) {
	t.Parallel()
	p, g := &provider{}, newGate()
	p.paid.Store(true)
	s := newShop(t)
	web := s.site(p, settings{idle: true})
	flow := web.begin(purchase("1"))
	s.exec("UPDATE river_job SET attempt = 2") // the third is next
	g.fails = 1
	s.site(p, settings{worker: g.of})
	began := time.Now()
	s.waitForEnd(flow, "succeeded")
	if d := time.Since(began); d > time.Minute { // 3⁴ is 81
		t.Errorf("it took %s", d)
	}
	job := s.waitForJob(flow, rivertype.JobStateCompleted)
	if len(job.Errors) != 1 || !strings.Contains(job.Errors[0].Error, "river: flow "+flow+" cannot be read: the database does not answer") {
		t.Errorf("the job's errors: %+v", job.Errors)
	}
}

// A completion that was executed late ends a job whose flow is open. The sweep goes on with it, and its next wait gives it a job.
func TestLateCompletion(t *testing.T) {
	t.Parallel()
	p := &provider{}
	s := newShop(t)
	dies := s.site(p, settings{idle: true, waker: true, rules: waits(t, "1s")})
	flow := start(t, dies, p, "1")
	s.waitForJob(flow, rivertype.JobStateAvailable)
	s.exec("UPDATE river_job SET state = 'completed', finalized_at = now()")
	dies.killWaiting(flow)
	s.site(p, settings{waker: true, rules: waits(t, "1s"), sweep: 200 * time.Millisecond})
	waitFor(t, "another job", func() bool { return len(s.jobs(flow)) == 2 })
	p.paid.Store(true)
	s.waitForEnd(flow, "succeeded")
	oneSend(t, p)
}

// A job of a flow that is not there says so, and does not come again.
func TestUnknownFlow(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.site(&provider{}, settings{})
	if _, err := s.inserts().Insert(t.Context(), river.Args{Flow: "gone"}, nil); err != nil {
		t.Fatal(err)
	}
	job := s.waitForJob("gone", rivertype.JobStateCancelled)
	if len(job.Errors) != 1 || !strings.Contains(job.Errors[0].Error, "flow gone is not in the journal") {
		t.Errorf("the job's errors: %+v", job.Errors)
	}
}

// A webhook ends a flow long before it is due, and the job ends soon after it.
func TestJobEndsSoonAfterAWebhook(t *testing.T) {
	t.Parallel()
	p := &provider{}
	s := newShop(t)
	web := s.site(p, settings{rules: waits(t, "1h")})
	flow := web.begin(purchase("1"))
	waitFor(t, "the send", func() bool { return len(p.sends()) == 1 })
	waitFor(t, "the wait", func() bool {
		return s.count("SELECT count(*) FROM recourse.flow WHERE due > now() + interval '50 min'") == 1
	})
	notify(t, web, "1")
	s.waitForEnd(flow, "succeeded")
	s.waitForJob(flow, rivertype.JobStateCompleted)
}

// What River's tools show of a payment is its flow and three names: no key, no amount, and nothing that a client said.
func TestJobsShowNoSecrets(t *testing.T) {
	t.Parallel()
	p := &provider{fail: errors.New("POST https://provider.example/?token=hunter2: connection reset")}
	s := newShop(t)
	web := s.site(p, settings{waker: true, rules: waits(t, "1s")})
	q := purchase("mail@example.com")
	q.OrderID = "order-mail"
	flow := web.begin(q)
	waitFor(t, "the job's second look", func() bool {
		all := s.jobs(flow)
		return len(all) > 0 && strings.Contains(string(all[0].Metadata), "snoozes")
	})
	var shown string
	if err := s.pool.QueryRow(t.Context(), "SELECT string_agg(row_to_json(j)::text, ',') FROM river_job j").Scan(&shown); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter2", "mail", "50000", "order"} {
		if strings.Contains(shown, secret) {
			t.Errorf("a job shows %q: %s", secret, shown)
		}
	}
	if !strings.Contains(shown, `"pay at momo for acme"`) {
		t.Errorf("a job does not say what it is: %s", shown)
	}
}

// A process that has no client of a provider works the job of its flow: it does not keep the flow from the others.
func TestProcessWithoutTheClient(t *testing.T) {
	t.Parallel()
	p := &provider{}
	p.paid.Store(true)
	s := newShop(t)
	web := s.site(p, settings{idle: true})
	without := s.site(p, settings{absent: true, lease: time.Hour})
	flow := web.begin(purchase("1"))
	waitFor(t, "a look of the process without a client", func() bool {
		all := s.jobs(flow)
		return strings.Contains(string(all[0].Metadata), "snoozes") || len(all[0].Errors) > 0
	})
	if err := without.client.StopAndCancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.site(p, settings{})
	s.waitForEnd(flow, "succeeded")
	oneSend(t, p)
}
