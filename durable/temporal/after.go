package temporal

import (
	"errors"
	"time"

	enums "go.temporal.io/api/enums/v1"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse-pay/recourse/internal/stored"
)

// after is the workflow of what comes when a payment's own workflow is closed: late webhooks, people, and the hooks that
// have not returned nil yet. It begins when there is something, works on the journal's row, makes no call, and ends when
// nothing is left. So a late webhook never starts the payment again.
func after(caller workflow.Context, in Input) (*Result, error) {
	ctx, _ := workflow.NewDisconnectedContext(caller)
	r, err := newRun(ctx, in)
	if err != nil {
		return nil, err
	}
	r.after = true
	var row loaded
	until(ctx, loadActivity, r.id, &row)
	if row.Version == 0 {
		return nil, refuse("the journal has no flow %s", r.id)
	}
	r.version, r.row, r.next = row.Version, row.Row, &next{Do: doEnd}
	f, err := stored.Decode(r.row)
	if err != nil {
		return nil, refuse("flow %s: %v", r.id, err)
	}
	r.notices = len(f.Notices) > 0
	for {
		r.takeSignals(ctx, ctx)
		if workflow.GetInfo(ctx).GetCurrentHistoryLength() > longestHistory {
			return nil, workflow.NewContinueAsNewError(ctx, afterWorkflow, r.onlyFlow())
		}
		if !r.notices {
			return resultOf(r.id, r.row)
		}
		r.notify(ctx)
	}
}

// notify calls the hook of the first notice until it returns nil. Signals are taken meanwhile.
func (r *run) notify(ctx workflow.Context) {
	patient := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	future := workflow.ExecuteActivity(patient, noticeActivity, orderIn{Flow: r.id, Row: r.row})
	for !future.IsReady() {
		s := workflow.NewSelector(ctx).AddFuture(future, func(workflow.Future) {})
		s.AddReceive(r.signals, func(workflow.ReceiveChannel, bool) {})
		s.Select(ctx)
		r.takeSignals(ctx, ctx)
	}
	var reason string
	if err := future.Get(ctx, &reason); err == nil {
		r.step(ctx, event{Kind: evTold, Why: reason})
	}
}

// onlyFlow is the input of a workflow that reads the rest from the journal.
func (r *run) onlyFlow() Input { return Input{V: inputVersion, Rules: r.in.Rules, Flow: r.id} }

// afterID is the id of the workflow of what comes after a flow.
func afterID(id string) string { return id + "/after" }

// startAfter starts that workflow, which outlives this one, or waits for a while if it runs: it may be of a run before this
// one, and know nothing of these notices.
func (r *run) startAfter(ctx workflow.Context) error {
	child := workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: afterID(r.id), ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	})
	err := workflow.ExecuteChildWorkflow(child, afterWorkflow, r.onlyFlow()).GetChildWorkflowExecution().Get(ctx, nil)
	if running := (*sdk.ChildWorkflowExecutionAlreadyStartedError)(nil); errors.As(err, &running) {
		// One that calls a hook reads the row again when it writes. One that is about to end does not.
		if r.afters++; r.afters < 30 {
			_ = workflow.Sleep(ctx, 10*time.Second)
			return nil
		}
		err = nil
	}
	r.notices = false
	return err
}
