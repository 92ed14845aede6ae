package service

import (
	"context"
	"crypto/rand"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/journal"
)

// Several processes may serve the flows of one journal, and a call may come to another one than the process that holds its flow. A command
// is over for certain where it was given out, and elsewhere when its deadline has passed.

// taker is what a journal has that several processes use at once, as the executor knows it.
type taker interface {
	Take(ctx context.Context, id string) (row journal.Row, held bool, err error)
}

// commandID makes a name for a command. Its deadline stands in it, for a process that another one's command is reported to.
func commandID(deadline time.Time) string {
	return strconv.FormatInt(deadline.UnixMilli(), 36) + "-" + rand.Text()
}

// clocksApart is by how much the clocks of two processes may differ.
const clocksApart = 2 * time.Second

// mayStand reports whether a command's deadline may not have passed where it was made. What is no command's name stands nowhere.
func mayStand(id string) bool {
	deadline, _, _ := strings.Cut(id, "-")
	ms, err := strconv.ParseInt(deadline, 36, 64)
	return err == nil && time.Since(time.UnixMilli(ms)) < clocksApart
}

// elsewhereError is that of a report which may be right at another process.
type elsewhereError string

// Error implements error.
func (e elsewhereError) Error() string { return string(e) }

const errElsewhere = elsewhereError("another process holds the flow, and may have given this command out; nothing was done here: repeat the report, and do not carry the command out again")

// overHere is the error of a report of a command that this process does not have, and that may stand at another one.
func (s *Service) overHere(ctx context.Context, id string) error {
	if j, shared := s.o.Journal.(taker); shared {
		if _, held, err := j.Take(ctx, id); err != nil {
			return err
		} else if held {
			return errElsewhere
		}
	}
	return errOver
}

// overtaken reports whether a command of this process may be over by the journal: the process may have been paused, and not know that another
// one has taken the flow over, and said so to the caller. Who was given the command for the first time cannot have reported it.
func (s *Service) overtaken(ctx context.Context, c *command) (bool, error) {
	j, shared := s.o.Journal.(taker)
	if !shared {
		return false, nil
	}
	row, held, err := j.Take(ctx, c.attempt.Flow)
	return held || !row.Open || row.At.After(c.published), err
}

const followAgain = 200 * time.Millisecond

// follow wakes the callers that wait for a flow when it has ended at another process: no observer here says it. done ends that.
func (s *Service) follow(ctx context.Context, h *executor.Handle) (done func()) {
	if _, shared := s.o.Journal.(taker); !shared {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for ctx.Err() == nil {
			if _, err := h.Wait(ctx); err == nil {
				s.hub.woken(h.Flow())
				return
			}
			select { // the journal does not answer, or the flow has just moved
			case <-time.After(followAgain):
			case <-ctx.Done():
			}
		}
	}()
	return cancel
}
