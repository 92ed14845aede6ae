package river_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"

	"github.com/recourse-pay/recourse/durable/river"
	"github.com/recourse-pay/recourse/journal"
)

// The order, the flow and the job are committed together or not at all; the process that works the job begins the flow.
func TestOrderFlowAndJobTogether(t *testing.T) {
	t.Parallel()
	ctx, p := t.Context(), &provider{}
	p.paid.Store(true)
	s := newShop(t)
	web := s.site(p, settings{idle: true, absent: false})
	row, err := web.x.Prepare(ctx, purchase("1"))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the shop's own error")
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := river.StartTx(ctx, tx, s.inserts(), web.j, row); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if flows, jobs := s.count("SELECT count(*) FROM recourse.flow"), s.count("SELECT count(*) FROM river_job"); flows+jobs > 0 {
		t.Fatalf("after a rollback there are %d flows and %d jobs", flows, jobs)
	}
	flow := web.begin(purchase("1"))
	if len(p.sends()) > 0 {
		t.Fatal("it was sent by the commit alone")
	}
	s.site(p, settings{})
	s.waitForEnd(flow, "succeeded")
	job := s.waitForJob(flow, rivertype.JobStateCompleted)
	if job.Attempt != 1 || job.Queue != river.Queue {
		t.Errorf("the job took %d attempts in queue %q", job.Attempt, job.Queue)
	}
	if got := p.sends(); !slices.Equal(got, []string{"order-1"}) {
		t.Errorf("sent %q", got)
	}
}

// A second payment of the key leaves the transaction usable, and no job in it.
func TestSecondFlowOfAKey(t *testing.T) {
	t.Parallel()
	ctx, p := t.Context(), &provider{}
	s := newShop(t)
	web := s.site(p, settings{idle: true})
	first, err := web.x.Prepare(ctx, purchase("1"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := web.x.Prepare(ctx, purchase("1"))
	if err != nil {
		t.Fatal(err)
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := river.StartTx(ctx, tx, s.inserts(), web.j, first); err != nil {
			return err
		}
		var open *journal.OpenError
		if err := river.StartTx(ctx, tx, s.inserts(), web.j, second); !errors.As(err, &open) || open.ID != first.ID {
			t.Errorf("the second one: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if jobs := s.count("SELECT count(*) FROM river_job"); jobs != 1 || len(s.jobs(first.ID)) != 1 {
		t.Errorf("%d jobs", jobs)
	}
	if other := web.begin(purchase("2")); len(s.jobs(other)) != 1 { // unique is a flow's job, not the kind of job
		t.Error("a second flow has no job")
	}
}

// A flow that is begun at the process that stored it needs no job, and the job does it no harm.
func TestJobBesideTheProcessThatStarted(t *testing.T) {
	t.Parallel()
	p := &provider{}
	p.paid.Store(true)
	s := newShop(t)
	web := s.site(p, settings{})
	for _, key := range []string{"1", "2", "3", "4", "5"} {
		flow := web.begin(purchase(key))
		if _, err := web.x.Handle(context.Background(), flow); err != nil {
			t.Fatal(err)
		}
		s.waitForEnd(flow, "succeeded")
		s.waitForJob(flow, rivertype.JobStateCompleted)
	}
	if n := len(p.sends()); n != 5 {
		t.Errorf("%d sends for 5 payments", n)
	}
}
