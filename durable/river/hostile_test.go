package river_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/rivertype"

	"github.com/recourse-pay/recourse/durable/river"
	"github.com/recourse-pay/recourse/executor"
	machine "github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
)

// Everything goes through PgBouncer, which gives a session for one transaction: the journal, River, and the shop's own
// transactions. River hears no notifications there, so it polls, and pgx may keep no statements in sessions.
func TestBehindATransactionPooler(t *testing.T) {
	if testkit.Size(0, 0, 1) == 0 {
		return // PgBouncer is for the tag slow
	}
	pooler, err := server.StartPooler()
	if err != nil {
		t.Fatal(err)
	}
	defer pooler.Close()
	p := &provider{}
	s := newShop(t)
	s.pool.Close()
	s.url = strings.Replace(s.url, server.Address(), pooler.Address(), 1)
	if s.pool, err = pgxpool.New(t.Context(), s.url+"&default_query_exec_mode=exec"); err != nil {
		t.Fatal(err)
	}
	defer s.close() // before the pooler ends
	set := settings{waker: true, poll: true, rules: waits(t, "1s"), sweep: time.Hour}
	web := s.site(p, set)
	s.site(p, set)
	var flows []string
	for i := range 20 {
		flows = append(flows, web.begin(purchase(fmt.Sprint(i))))
	}
	waitFor(t, "the sends", func() bool { return len(p.sends()) == len(flows) })
	p.paid.Store(true)
	for _, flow := range flows {
		s.waitForEnd(flow, "succeeded")
		s.waitForJob(flow, rivertype.JobStateCompleted)
	}
	p.paid.Store(false)
	dies := s.site(p, settings{idle: true, waker: true, rules: waits(t, "2s")})
	flow := start(t, dies, p, "dies")
	s.waitForJob(flow, rivertype.JobStateAvailable)
	dies.killWaiting(flow)
	p.paid.Store(true)
	s.waitForEnd(flow, "succeeded")
	if n := len(p.sends()); n != len(flows)+1 {
		t.Errorf("%d sends of %d payments", n, len(flows)+1)
	}
}

// Arguments that were edited, and those of another release: the job says so, and no other job suffers.
func TestEditedArguments(t *testing.T) {
	t.Parallel()
	p := &provider{}
	p.paid.Store(true)
	s := newShop(t)
	web := s.site(p, settings{idle: true})
	flow := web.begin(purchase("1"))
	want := map[string]string{ // what the job becomes
		`{}`: "cancelled", `{"flow": ""}`: "cancelled", `{"flow": "1' OR 1=1 --"}`: "cancelled", `{"flow": 7}`: "retryable", `{"flow": null}`: "cancelled",
		`[]`: "retryable", `{"what": {}}`: "retryable", `{"flow": "x", "v": 9, "amount": 1}`: "cancelled", `{"flow": "` + strings.Repeat("x", 10_000) + `"}`: "cancelled",
	}
	for args := range want {
		s.exec("INSERT INTO river_job (args, kind, max_attempts, priority, queue, state) VALUES ($1, 'recourse_flow', 5, 1, $2, 'available')", json.RawMessage(args), river.Queue)
	}
	s.site(p, settings{})
	s.waitForEnd(flow, "succeeded")
	for args, state := range want {
		waitFor(t, fmt.Sprintf("a job with %.40s that is %s", args, state), func() bool {
			return s.count("SELECT count(*) FROM river_job WHERE args = $1::jsonb AND state = $2::river_job_state", args, state) == 1
		})
	}
	oneSend(t, p)
}

// River's tables are not there: nothing is committed without its job, a flow that waits does without one, and says so.
func TestWithoutRiversTables(t *testing.T) {
	t.Parallel()
	ctx, p := t.Context(), &provider{}
	s := newShop(t)
	web := s.site(p, settings{idle: true})
	inserts := s.inserts()
	row, err := web.x.Prepare(ctx, purchase("1"))
	if err != nil {
		t.Fatal(err)
	}
	s.exec("DROP TABLE river_job CASCADE")
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := river.StartTx(ctx, tx, inserts, web.j, row); err == nil || !strings.Contains(err.Error(), row.ID) {
			t.Errorf("the job was inserted into no table: %v", err)
		}
		return nil // the shop overlooks the error, and commits
	})
	if err == nil || s.count("SELECT count(*) FROM recourse.flow") != 0 {
		t.Errorf("a flow was committed without its job, %v", err)
	}
	var said []error
	q := purchase("2")
	river.Waker(inserts, func(err error) { said = append(said, err) }).Waiting(ctx, &executor.WaitEvent{
		Flow: "f", Payment: &q.Payment, At: time.Now(), Wait: machine.Wait{Until: time.Now().Add(time.Second)},
	})
	if len(said) != 1 || !strings.Contains(said[0].Error(), "flow f waits without a job") {
		t.Errorf("said: %v", said)
	}
	p.paid.Store(true)
	h, err := web.x.Start(ctx, q, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Wait(ctx); err != nil {
		t.Error(err)
	}
}

// A hundred jobs of one flow, at two processes, at once: it is sent once, and every job ends.
func TestManyJobsOfOneFlow(t *testing.T) {
	t.Parallel()
	p := &provider{}
	s := newShop(t)
	web := s.site(p, settings{idle: true})
	flow := web.begin(purchase("1"))
	s.exec("INSERT INTO river_job (args, kind, max_attempts, priority, queue, state) SELECT args, kind, 5, 1, queue, 'available' FROM river_job, generate_series(1, 99)")
	set := settings{rules: waits(t, "1s")}
	s.site(p, set)
	s.site(p, set)
	waitFor(t, "the send", func() bool { return len(p.sends()) > 0 })
	p.paid.Store(true)
	s.waitForEnd(flow, "succeeded")
	waitFor(t, "the end of all jobs", func() bool { return s.count("SELECT count(*) FROM river_job WHERE state <> 'completed'") == 0 })
	oneSend(t, p)
}

// skewed is what a worker sees whose clock is wrong: what is due in an hour is due for it, or the other way round.
type skewed struct {
	journal.Journal
	by time.Duration
}

func (j skewed) Get(ctx context.Context, id string) (journal.Row, error) {
	row, err := j.Journal.Get(ctx, id)
	if !row.Due.IsZero() {
		row.Due = row.Due.Add(-j.by)
	}
	return row, err
}

// A worker whose clock is a day ahead looks early, and does nothing early; one whose clock is behind looks late, and a sweep does
// its work.
func TestWorkersWithWrongClocks(t *testing.T) {
	t.Parallel()
	p := &provider{}
	s := newShop(t)
	ahead := func(j journal.Journal) journal.Journal { return skewed{j, 24 * time.Hour} }
	behind := func(j journal.Journal) journal.Journal { return skewed{j, -24 * time.Hour} }
	web := s.site(p, settings{idle: true})
	flow := web.begin(purchase("1"))
	s.site(p, settings{worker: ahead, rules: waits(t, "1h")})
	waitFor(t, "the send", func() bool { return len(p.sends()) == 1 })
	p.paid.Store(true) // a query would end it
	waitFor(t, "a look after the send", func() bool {
		all := s.jobs(flow)
		return len(all) == 1 && strings.Contains(string(all[0].Metadata), "snoozes")
	})
	s.exec("UPDATE river_job SET state = 'available', scheduled_at = now()")
	waitFor(t, "another look", func() bool { return s.jobs(flow)[0].State == rivertype.JobStateScheduled })
	if open, _ := s.stored(flow); !open {
		t.Error("the flow was queried an hour early")
	}
	oneSend(t, p)

	late := newShop(t)
	web = late.site(p, settings{idle: true})
	flow = web.begin(purchase("2"))
	late.site(p, settings{worker: behind, sweep: 200 * time.Millisecond})
	late.waitForEnd(flow, "succeeded")
}

// panics is a journal whose first reads by a worker panic.
type panics struct {
	journal.Journal
	left *atomic.Int64
}

func (j panics) Get(ctx context.Context, id string) (journal.Row, error) {
	if j.left.Add(-1) >= 0 {
		panic("in the journal")
	}
	return j.Journal.Get(ctx, id)
}

// A run that panics is repeated, and its flow is sent once.
func TestAJobThatPanics(t *testing.T) {
	t.Parallel()
	p := &provider{}
	p.paid.Store(true)
	s := newShop(t)
	left := new(atomic.Int64)
	left.Store(1)
	web := s.site(p, settings{worker: func(j journal.Journal) journal.Journal { return panics{j, left} }})
	flow := web.begin(purchase("1"))
	s.waitForEnd(flow, "succeeded")
	s.waitForJob(flow, rivertype.JobStateCompleted)
	oneSend(t, p)
}

// A job without its parts is a mistake of the program's, and says so when it is made.
func TestAWorkerNeedsItsParts(t *testing.T) {
	s := newShop(t)
	err := pgx.BeginFunc(t.Context(), s.pool, func(tx pgx.Tx) error {
		web := s.site(&provider{}, settings{idle: true})
		row, err := web.x.Prepare(t.Context(), purchase("1"))
		if err != nil {
			return err
		}
		if err := river.StartTx(t.Context(), tx, nil, web.j, row); err == nil {
			t.Error("a flow without a client for its job")
		}
		if err := river.StartTx(t.Context(), tx, s.inserts(), web.j, nil); err == nil {
			t.Error("a job without a flow")
		}
		return errors.New("rolled back")
	})
	if err == nil {
		t.Error("it was committed")
	}
}
