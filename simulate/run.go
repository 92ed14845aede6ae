package simulate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

const defaultWindow = 48 * time.Hour

// Options of a simulation. Decider and Catalogs are needed; the rest may be zero.
type Options struct {
	Decider  policy.Decider
	Catalogs *providers.Catalogs
	Against  policy.Decider // other rules, with which those of Decider are compared; nil: none
	FailOn   []string       // with Against: directions of change that Report.Failed lists
	Window   time.Duration  // how far apart in recording time a flow's lines may lie; zero: 48 h
	Strict   bool           // stop at the first line that cannot be read, with its *LineError
	Stdin    io.Reader      // what the path "-" reads
	Flow     string         // keep this flow's story; empty: none
	Merchant string         // with Flow: of this merchant; empty: of any

	// Broken is called for every line that is passed over, in order. It is not called with Strict.
	Broken func(*LineError)
	// Warn is called for what is odd and no error: files of a folder that are not read, keys that no line has. May be nil.
	Warn func(error)
	// Progress is called after every few hundred kilobytes with the bytes that were read so far,
	// as stored, and with the size of all recordings; size is 0 where it is not known.
	Progress func(read, size int64)

	// Outages are laid over the recording: PROVIDER:OPERATION:LENGTH[:FAULT][@TIME], each. The flows around them are played
	// once more, at an emulated provider, for Report.Outages.
	Outages []string

	By   []string // the numbers by provider, merchant, operation or week, in Report.Details
	Page bool     // all that a page shows, in Report.Details and Report.Behind
	List string   // keep the flows behind the number of this name, for Report.Listed; a wrong name gives an error that lists them

	stories func(*Story)        // set by Run
	parking int                 // bytes of flows that wait for their reconciliation; zero: the default
	stride  int64               // between two looks for where a file's time goes back; zero: the default
	lore    *lore               // what the readers begin with; nil: they know nothing
	hash    func([]byte) uint64 // of names of flows and payment keys; nil: the usual one
}

// check refuses options that are wrong and sets the defaults.
func (o *Options) check() error {
	switch {
	case o.Decider == nil:
		return errors.New("Options.Decider must be set")
	case o.Catalogs == nil:
		return errors.New("Options.Catalogs must be set")
	case len(o.FailOn) > 0 && o.Against == nil:
		return errors.New("Options.FailOn goes with Options.Against")
	case o.Window < 0:
		return errors.New("Options.Window must not be negative")
	case o.Window == 0:
		o.Window = defaultWindow
	}
	for _, name := range o.FailOn {
		if !slices.Contains(directionNames(), name) {
			return fmt.Errorf("no change is called %q (there are: %s)", name, strings.Join(directionNames(), ", "))
		}
	}
	if err := o.checkDetails(); err != nil {
		return err
	}
	if o.parking == 0 {
		o.parking = defaultParking
	}
	if o.stride == 0 {
		o.stride = defaultStride
	}
	if o.Warn == nil {
		o.Warn = func(error) {}
	}
	return nil
}

// window is Options.Window in recording time.
func (o *Options) window() moment { return moment(o.Window / time.Microsecond) }

// readsMessages reports whether a rule reads the messages of answers, or a story shows them.
func (o *Options) readsMessages() bool {
	d, ok := o.Decider.(interface{ Mentions(variable string) bool })
	return !ok || d.Mentions("message") || o.Against != nil || o.Flow != "" || o.Page || o.List != ""
}

// Run simulates the recordings that paths name: files, folders (whose .jsonl and .jsonl.gz files
// are taken, in the order of their names), or "-" for Options.Stdin. It stops early when ctx is
// cancelled, with ctx's error.
func Run(ctx context.Context, o Options, paths ...string) (*Report, error) {
	warn := o.Warn
	if warn == nil {
		warn = func(error) {}
	}
	inputs, err := inputsOf(paths, o.Stdin, warn)
	if err != nil {
		return nil, err
	}
	return run(ctx, o, inputs)
}

func run(ctx context.Context, o Options, inputs []input) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	files := len(inputs)
	inputs = o.parts(inputs)
	outages, err := o.placed(ctx, inputs)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	workers := runtime.GOMAXPROCS(0)
	work := make(chan *batch, 2*workers)
	jobs := make(chan *job, 2*workers)

	var reading, parsing, driving sync.WaitGroup
	sources := make([]*stream, len(inputs))
	for i := range inputs {
		s := &stream{batches: make(chan *batch, 2), window: o.window()}
		begins, known := inputs[i].beginning()
		if s.begins = begins; !known && i > 0 && !inputs[i].waits {
			s.begins = sources[i-1].begins // it is read where its name stands
		}
		s.open = func() { reading.Go(func() { s.readAll(ctx, &inputs[i], work, stop) }) }
		sources[i] = s
	}
	known := cmp.Or(o.lore, newLore(o.readsMessages()))
	for range workers {
		parsing.Go(func() {
			r := newLineReader(&o, known)
			for b := range work {
				b.parse(r)
			}
		})
	}
	totals, runners := make([]*tally, workers), make([]runner, workers)
	var storyMutex sync.Mutex
	var stories []*Story
	if o.Flow != "" {
		o.stories = func(s *Story) {
			storyMutex.Lock()
			defer storyMutex.Unlock()
			stories = append(stories, s)
		}
	}
	for i := range totals {
		totals[i] = newTally(o.Catalogs)
		runners[i] = runner{o: &o, t: totals[i], other: newTally(o.Catalogs), outages: outages}
		runners[i].watch()
		driving.Go(func() {
			r := &runners[i]
			for j := range jobs {
				r.run(j)
			}
		})
	}
	a := newAssembler(&o, jobs)
	a.size = totalSize(inputs)
	if err := a.assemble(ctx, newMerge(sources)); err != nil {
		stop(err)
	}
	reading.Wait() // all have ended, or ctx is cancelled
	close(work)
	close(jobs)
	parsing.Wait()
	driving.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	report, err := joined(&o, totals, runners)
	if err != nil {
		return nil, err
	}
	report.Lines, report.BrokenLines, report.Files = a.lines, a.broken, files
	report.UnknownKeys, report.Lacks = a.others, a.lacks
	slices.SortFunc(stories, func(a, b *Story) int { return strings.Compare(a.Payment.Merchant, b.Payment.Merchant) })
	report.stories = stories
	report.Outages, err = playOutages(&o, outages, runners, a.lacks)
	return report, err
}

// joined adds up what the goroutines found.
func joined(o *Options, totals []*tally, runners []runner) (*Report, error) {
	total := totals[0]
	for _, t := range totals[1:] {
		total.join(t)
	}
	report := total.report()
	if o.Against != nil {
		for i := range runners[1:] {
			runners[0].other.join(runners[i+1].other)
			runners[0].changes.join(&runners[i+1].changes)
			joinMet(runners[0].compares().met, runners[i+1].compares().met)
		}
		report.Against = runners[0].changes.report(runners[0].other)
		report.Against.Decisions = changedDecisions(runners[0].compares().met)
		report.failed = report.Against.among(o.FailOn)
	}
	if runners[0].details != nil {
		for i := range runners[1:] {
			runners[0].details.join(runners[i+1].details)
		}
		if err := runners[0].details.checkList(); err != nil {
			return nil, err
		}
		runners[0].details.report(report)
	}
	return report, nil
}

// totalSize is 0 where an input does not know its size.
func totalSize(inputs []input) int64 {
	var total int64
	for i := range inputs {
		if inputs[i].size == 0 {
			return 0
		}
		total += inputs[i].size
	}
	return total
}

// readAll reads a recording into batches. It ends the run where the recording cannot be read.
func (s *stream) readAll(ctx context.Context, in *input, work chan<- *batch, stop func(error)) {
	defer close(s.batches)
	err := split(ctx, in, func(b *batch) bool {
		for _, to := range []chan<- *batch{work, s.batches} {
			select {
			case to <- b:
			case <-ctx.Done():
				return false
			}
		}
		return true
	})
	if err != nil {
		stop(err)
	}
}
