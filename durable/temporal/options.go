package temporal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/policy"
)

// RuleSet is a set of rules that does not change. [github.com/recourse-pay/recourse/engine.Engine] is one, as long as
// neither Reload nor Watch is called on it: another set is another RuleSet, beside the old one.
type RuleSet interface {
	executor.Rules
	Digest() string // two sets with one digest decide alike
}

// Options are the parts of a driver.
type Options struct {
	// Rules are the sets that this process has. The first decides about payments that it starts. The others are those
	// of payments that are still open: a flow is decided by the set that it began with, to its end.
	Rules []RuleSet

	// Clients make the calls, by provider.
	Clients map[string]executor.Client

	// Journal holds every flow's row, and refuses the second send of one attempt: see the package's comment. All workers
	// and callers of one merchant use the same. It must not be that of an executor.
	Journal journal.Journal

	// Client is the connection to Temporal. Only workers in a test environment have none.
	Client client.Client

	// TaskQueue is the beginning of the queues' names; empty: "recourse".
	TaskQueue string

	// NewOrder, VerifyWebhook, OnEscalate and OnAlert are as in [executor.Config]. The last two are called until they
	// return nil.
	NewOrder      func(ctx context.Context, p *policy.Payment, ledger []flow.Identity) (string, error)
	VerifyWebhook func(ctx context.Context, w *executor.Webhook) error
	OnEscalate    func(ctx context.Context, r *executor.Result) error
	OnAlert       func(ctx context.Context, a *executor.Alert) error
}

// Driver starts payments as workflows, works on them, and takes to them what comes from outside.
type Driver struct {
	o     Options
	hosts []*host // one for each set of rules; the first is that of new payments
}

// host is a set of rules with what workflows and activities need.
type host struct {
	d      *Driver
	rules  RuleSet
	digest string
}

// New makes a driver. The error names every mistake in the options.
func New(o Options) (*Driver, error) {
	d := &Driver{o: o}
	var errs []error
	if o.Journal == nil {
		errs = append(errs, errors.New("temporal: Options.Journal must not be nil: nothing else refuses the second send after a reset, a termination or the end of retention"))
	}
	if len(o.Rules) == 0 {
		errs = append(errs, errors.New("temporal: Options.Rules must name a set of rules"))
	}
	for name, c := range o.Clients {
		if c == nil {
			errs = append(errs, fmt.Errorf("temporal: Options.Clients[%q] must not be nil", name))
		}
	}
	seen := map[string]int{}
	for i, set := range o.Rules {
		if set == nil {
			errs = append(errs, fmt.Errorf("temporal: Options.Rules[%d] must not be nil", i))
			continue
		}
		h := &host{d: d, rules: set, digest: set.Digest()}
		if first, again := seen[h.digest]; again {
			errs = append(errs, fmt.Errorf("temporal: Options.Rules[%d] has the digest of Options.Rules[%d]: they are one set", i, first))
		}
		seen[h.digest] = i
		d.hosts = append(d.hosts, h)
	}
	if d.o.TaskQueue == "" {
		d.o.TaskQueue = "recourse"
	}
	return d, errors.Join(errs...)
}

// Queue is the task queue of new payments: for those who start [Workflow] as a child of a workflow of their own. Each set
// of rules has a queue, so that only workers that have the set ever work on a payment that began with it.
func (d *Driver) Queue() string { return d.hosts[0].queue() }

func (h *host) queue() string { return h.d.o.TaskQueue + "@" + h.digest[:min(16, len(h.digest))] }

// Names in Temporal. They stand in histories, and never change.
const (
	// Workflow is the type of the workflow that makes one payment. It takes an [Input] and returns a [*Result].
	Workflow = "recourse.Payment"

	afterWorkflow  = "recourse.After" // what comes after the end: late webhooks, notices, people
	eventSignal    = "recourse.event"
	stateQuery     = "recourse.state"
	storyQuery     = "recourse.story"
	stepActivity   = "recourse.step"
	storeActivity  = "recourse.store"
	loadActivity   = "recourse.load"
	openActivity   = "recourse.open"
	sendActivity   = "recourse.send"
	queryActivity  = "recourse.query"
	orderActivity  = "recourse.order"
	noticeActivity = "recourse.notice"
)

// Workers are the workers of this process, one for each set of rules. Start and stop them all. Calls that are under way
// when they are stopped have WorkerStopTimeout; where it is 0 it becomes a minute, longer than a call takes.
func (d *Driver) Workers(o worker.Options) []worker.Worker {
	if o.WorkerStopTimeout == 0 {
		o.WorkerStopTimeout = time.Minute
	}
	all := make([]worker.Worker, len(d.hosts))
	for i, h := range d.hosts {
		all[i] = worker.New(d.o.Client, h.queue(), o)
		h.register(all[i])
	}
	return all
}

// Registry is what a worker and the SDK's test environment have in common, as far as it is needed.
type Registry interface {
	RegisterWorkflowWithOptions(w any, o workflow.RegisterOptions)
	RegisterActivityWithOptions(a any, o activity.RegisterOptions)
}

// workflows are by their types.
var workflows = map[string]any{Workflow: payment, afterWorkflow: after}

// Register registers the workflows and the activities of the first set of rules: in a test environment. Workers are made
// by [Driver.Workers].
func (d *Driver) Register(r Registry) { d.hosts[0].register(r) }

func (h *host) register(r Registry) {
	for name, f := range workflows {
		r.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: name})
	}
	for name, f := range map[string]any{
		stepActivity: h.step, storeActivity: h.store, loadActivity: h.load, openActivity: h.open,
		sendActivity: h.send, queryActivity: h.query, orderActivity: h.order, noticeActivity: h.notice,
	} {
		r.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
}
