package temporal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/cards"
	"github.com/recourse-pay/recourse/internal/stored"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// ID is the id of the first workflow of a payment key, and of its flow. A later flow of the key, after those before it
// are known not to have executed, has "~2" and so on behind it.
func ID(k journal.Key) string {
	id := "recourse/" + url.PathEscape(k.Merchant) + "/" + k.Operation.String() + "/" + strings.ReplaceAll(url.PathEscape(k.Payment), "~", "%7E")
	if len(id) > 200 {
		sum := sha256.Sum256([]byte(id))
		id = "recourse/" + hex.EncodeToString(sum[:])
	}
	return id
}

// Prepare makes the input of [Workflow], for those who start it as a child of a workflow of their own: with the id that
// [ID] gives, on the queue of [Driver.Queue], with the parent close policy Abandon (the default terminates a payment that is
// in doubt), no timeout, and no retry policy. It is called outside of workflows, for it makes a random number.
func (d *Driver) Prepare(q executor.Request) (Input, error) {
	h := d.hosts[0]
	switch {
	case q.Key == "":
		return Input{}, errors.New("temporal: Request.Key must not be empty: the workflow's id is made of it")
	case q.OrderID == "":
		return Input{}, errors.New("temporal: Request.OrderID must not be empty")
	case len(q.Distinct) > 0:
		return Input{}, errors.New("temporal: Request.Distinct is not used here; it must be empty")
	}
	if _, err := h.rules.For(&q.Payment); err != nil {
		return Input{}, err
	}
	f := &stored.Flow{
		V:       stored.Version,
		Request: stored.Request{OrderID: q.OrderID, RequestID: q.RequestID, ProviderID: q.ProviderID, Data: q.Data},
		State:   stored.StateOf(&flow.State{Payment: q.Payment, Started: time.Now().UTC(), NotAfter: q.NotAfter}),
	}
	row, err := f.Sealed()
	if err == nil && len(row) > largestRow {
		return Input{}, fmt.Errorf("temporal: the request has %d bytes with its Data and Tags; at most %d are stored in each step", len(row), largestRow)
	}
	return Input{V: inputVersion, Rules: h.digest, Salt: rand.Text(), Row: row}, err
}

// Handle is a payment that was started.
type Handle struct {
	Flow string // its id, which is that of its workflow

	d      *Driver
	run    client.WorkflowRun
	result *Result // it had ended before
}

// Wait waits until the payment has ended.
func (h *Handle) Wait(ctx context.Context) (*Result, error) {
	if h.result != nil {
		return h.result, nil
	}
	r := new(Result)
	return r, h.run.Get(ctx, r)
}

// Start starts a payment. If its key has an open flow, the handle is that one's; if an earlier flow of the key succeeded,
// it has that result, with Repeated set. The errors are those of [executor.Executor.Do]: an [*executor.PendingError] says that
// the payment may have begun (Temporal did not answer), and comes with its handle; with any other error nothing was sent. Start
// of the same request joins what has begun.
func (d *Driver) Start(ctx context.Context, q executor.Request) (*Handle, error) {
	in, err := d.Prepare(q)
	if err != nil {
		return nil, err
	}
	f, err := stored.Decode(in.Row)
	if err != nil {
		return nil, err
	}
	id, repeated, err := d.choose(ctx, f)
	if err != nil || repeated != nil {
		return &Handle{Flow: id, d: d, result: repeated}, err
	}
	const mostFlows = 100 // of one key
	for range mostFlows {
		run, err := d.o.Client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
			ID: id, TaskQueue: d.Queue(),
			// A run that was terminated, or timed out, left a flow that must go on; the journal has it. One that completed
			// is never run again.
			WorkflowIDReusePolicy:                    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
			WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
			WorkflowExecutionErrorWhenAlreadyStarted: true,
		}, Workflow, in)
		started := (*serviceerror.WorkflowExecutionAlreadyStarted)(nil)
		switch {
		case err == nil:
			return &Handle{Flow: id, d: d, run: run}, nil
		case refusesStart(err):
			return nil, err
		case !errors.As(err, &started):
			return d.pending(ctx, id, err)
		}
		next, err := d.known(ctx, id, f)
		if err != nil || next == nil {
			return &Handle{Flow: id, d: d, run: d.o.Client.GetWorkflow(ctx, id, "")}, err
		}
		if next.Outcome != policy.Failed {
			return &Handle{Flow: id, d: d, result: next}, nil
		}
		id = nextID(id)
	}
	return nil, fmt.Errorf("temporal: payment key %q has had %d flows, of which none executed", q.Key, mostFlows)
}

// pending is a payment of which it is not known whether it has begun.
func (d *Driver) pending(ctx context.Context, id string, why error) (*Handle, error) {
	return &Handle{Flow: id, d: d, run: d.o.Client.GetWorkflow(ctx, id, "")}, &executor.PendingError{Flow: id, Cause: why}
}

// refusesStart reports whether an error of Temporal says that a workflow has not begun. Any other one says nothing: the answer
// may have been lost.
func refusesStart(err error) bool {
	var invalid *serviceerror.InvalidArgument
	var namespace *serviceerror.NamespaceNotFound
	var denied *serviceerror.PermissionDenied
	return errors.As(err, &invalid) || errors.As(err, &namespace) || errors.As(err, &denied)
}

// nextID is the id of the flow of a key after another one.
func nextID(id string) string {
	base, n := id, 1
	if i := strings.LastIndexByte(id, '~'); i >= 0 {
		if k, err := strconv.Atoi(id[i+1:]); err == nil {
			base, n = id[:i], k
		}
	}
	return base + "~" + strconv.Itoa(n+1)
}

// choose says which workflow a request means, by the journal; or what it has as a result.
func (d *Driver) choose(ctx context.Context, f *stored.Flow) (id string, repeated *Result, err error) {
	p := policy.Payment(f.State.Payment)
	rows, err := d.o.Journal.ByKey(ctx, keyOf(&p))
	if err != nil {
		return "", nil, err
	}
	id = ID(keyOf(&p))
	for i := range rows {
		row := &rows[i]
		old, err := readRow(row)
		if err != nil {
			return row.ID, nil, err
		}
		s := old.State.State()
		if !row.Open && stored.NoneExecuted(s.Ledger) {
			id = nextID(row.ID)
			continue
		}
		switch {
		case !samePayment(old, f):
			return row.ID, nil, &executor.MismatchError{Flow: row.ID, Key: p.Key}
		case row.Open && !strings.HasPrefix(row.ID, "recourse/"):
			return row.ID, nil, fmt.Errorf("temporal: flow %s of payment key %q is another driver's; the journal must not be an executor's", row.ID, p.Key)
		case row.Open:
			return row.ID, nil, nil
		case s.Outcome == policy.Succeeded:
			result, err := resultOf(row.ID, row.State)
			if result != nil {
				result.Repeated = true
			}
			return row.ID, result, err
		}
		return row.ID, nil, &executor.DoubtError{Flow: row.ID, Key: p.Key, State: s}
	}
	return id, nil, nil
}

// known is how a workflow stands that was started before; nil: it is running, and serves this payment.
func (d *Driver) known(ctx context.Context, id string, f *stored.Flow) (*Result, error) {
	r, err := d.Look(ctx, id)
	if err != nil {
		return nil, &executor.PendingError{Flow: id, Cause: err}
	}
	old, err := stored.Decode(r.Row)
	if err != nil {
		return nil, &executor.PendingError{Flow: id, Cause: err}
	}
	s := old.State.State()
	switch p := policy.Payment(f.State.Payment); {
	case keyOf(&s.Payment) != keyOf(&p):
		return nil, fmt.Errorf("temporal: workflow %s is that of payment key %q; nothing was sent for %q", id, s.Payment.Key, p.Key)
	case r.Outcome == policy.Failed && stored.NoneExecuted(s.Ledger):
		return r, nil
	case !samePayment(old, f):
		return nil, &executor.MismatchError{Flow: id, Key: s.Payment.Key}
	case r.Outcome == policy.Open:
		return nil, nil
	case r.Outcome != policy.Succeeded:
		return nil, &executor.DoubtError{Flow: id, Key: s.Payment.Key, State: s}
	}
	r.Repeated = true
	return r, nil
}

// Look says how a flow stands: what the journal has, or, of an open flow, what its workflow says.
func (d *Driver) Look(ctx context.Context, id string) (*Result, error) {
	row, err := d.o.Journal.Get(ctx, id)
	if err == nil && !row.Open {
		return resultOf(id, row.State)
	}
	v, failed := d.o.Client.QueryWorkflow(ctx, id, "", stateQuery)
	r := new(Result)
	switch {
	case failed == nil && v.Get(r) == nil:
		return r, nil
	case err != nil:
		return nil, errors.Join(err, failed)
	}
	return resultOf(id, row.State) // its workflow was terminated, or no worker answers
}

// Story is what a flow's workflow has done, a line for each step. Temporal keeps it as long as the workflow's history.
func (d *Driver) Story(ctx context.Context, id string) ([]string, error) {
	v, err := d.o.Client.QueryWorkflow(ctx, id, "", storyQuery)
	if err != nil {
		return nil, err
	}
	var lines []string
	return lines, v.Get(&lines)
}

// Resolve settles one identity of a flow, open or ended, by the word of a person, a reconciliation file or a cancel that
// succeeded. It returns when Temporal has stored it.
func (d *Driver) Resolve(ctx context.Context, id string, w executor.Resolution) error {
	e := event{Kind: evResolved, OrderID: w.OrderID, Request: w.RequestID, Effect: w.Effect, Who: w.Who, Why: cards.Mask(w.Why), Override: w.Override} // a history keeps it for good
	r, err := d.Look(ctx, id)
	if err != nil {
		return err
	}
	s, err := r.State()
	if err != nil {
		return err
	}
	if _, err := resolvable(&s, &e); err != nil {
		return fmt.Errorf("temporal: flow %s: %w", id, err)
	}
	return d.signal(ctx, id, &e)
}

// Withdraw says that a payment is not wanted any more. Nothing more is sent, and what may have executed is found out.
func (d *Driver) Withdraw(ctx context.Context, id, who, why string) error {
	if who == "" || why == "" {
		return errors.New("temporal: Withdraw needs who and why")
	}
	if _, err := d.Look(ctx, id); err != nil { // else a mistaken id would be taken in silence
		return err
	}
	return d.signal(ctx, id, &event{Kind: evWithdrawn, Who: who, Why: who + ": " + cards.Mask(why)})
}

// signal hands an event to a flow's workflow, or, when that is closed, to the one of what comes after.
func (d *Driver) signal(ctx context.Context, id string, e *event) error {
	err := d.o.Client.SignalWorkflow(ctx, id, "", eventSignal, e)
	if none := (*serviceerror.NotFound)(nil); err == nil || !errors.As(err, &none) {
		return err
	}
	_, err = d.o.Client.SignalWithStartWorkflow(ctx, afterID(id), eventSignal, e, client.StartWorkflowOptions{
		TaskQueue: d.Queue(), WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	}, afterWorkflow, Input{V: inputVersion, Rules: d.hosts[0].digest, Flow: id})
	return err
}
