// Package imports makes recordings of what other tools recorded: it finds the provider's call behind each HTTP call by the
// catalogues' endpoints, takes out what is secret, and puts calls to flows by the identifiers of their requests.
//
// Nothing is invented: what a format cannot hold is said in each send, and what cannot be read is left out and named.
package imports

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/internal/redact"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Options of an import. Catalogs and LeftOut are needed.
type Options struct {
	Catalogs *providers.Catalogs
	Catalog  func(p *policy.Payment) (*providers.Catalog, error) // by which the answers to a payment are read; nil: its provider's
	Provider []string                                            // only these; empty: all
	Merchant string                                              // of every call that says none
	Mapping  *Mapping                                            // of rows; may be nil
	Redact   []string                                            // names of fields to cut though the catalogue reads them
	Stdin    io.Reader

	// LeftOut is called for each entry that is left out.
	LeftOut func(*traffic.PlaceError)
}

// Summary is what an import did.
type Summary struct {
	Files    []string       // each with what it is
	Entries  int            // that were read
	Flows    int            // that were written
	Lines    int            // of them
	Sends    int            // likewise, and so on
	Queries  int            //
	Webhooks int            //
	Ends     int            //
	Truths   int            //
	LeftOut  []policy.Count // entries by why
	Broken   int            // of them, those that could not be read
	Lacks    []string       // what the formats cannot hold
	Cards    int            // lines in which a name was a card number
}

// window is how long after the last line of a flow a send under the same identifier belongs to it. It is that of simulate.
const window = 48 * time.Hour

// Run imports the files that paths name: files, folders, or "-" for Options.Stdin.
func Run(ctx context.Context, o *Options, to io.Writer, paths ...string) (*Summary, error) {
	i := &importer{o: o, sum: &Summary{}, sorted: sorter{most: inMemory}, truths: map[key]*entry{}, executions: map[rowOf]at{}}
	defer i.sorted.close()
	i.classifier = classifier{redact: redact.New(o.Redact, nil, 0), merchant: o.Merchant, mapping: o.Mapping, catalog: o.Catalog}
	if o.Catalog == nil {
		i.classifier.catalog = func(p *policy.Payment) (*providers.Catalog, error) { return o.Catalogs.Get(p.Provider) }
	}
	for _, name := range o.Catalogs.Names() {
		cat, err := o.Catalogs.Get(name)
		if err != nil {
			return nil, err
		}
		if len(o.Provider) == 0 || slices.Contains(o.Provider, name) {
			i.classifier.catalogs = append(i.classifier.catalogs, cat)
		}
	}
	for _, path := range paths {
		if err := i.path(ctx, path); err != nil {
			return nil, err
		}
	}
	if err := i.write(ctx, to); err != nil {
		return nil, err
	}
	return i.sum, nil
}

type importer struct {
	o          *Options
	classifier classifier
	sum        *Summary
	sorted     sorter
	truths     map[key]*entry
	executions map[rowOf]at
	seq        int

	// Of the file under way:
	source    *traffic.Source
	scope     string
	clock     clock
	redirects []redirect
	workers   workers
	times     bool // an entry had no time of its own

	stubs []stub // whose order is sought when all of their folder are read
}

func (i *importer) path(ctx context.Context, path string) error {
	if path == "-" {
		s, err := traffic.From("stdin", traffic.Interruptible(ctx, func() (io.ReadCloser, error) { return io.NopCloser(i.o.Stdin), nil }), i.encoding())
		if err != nil {
			return err
		}
		return errors.Join(i.file(ctx, s, true), i.putStubs(ctx))
	}
	var files []string
	folder := false
	if err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		folder = folder || d.IsDir()
		if !d.IsDir() {
			files = append(files, p)
		}
		return nil
	}); err != nil {
		return err
	}
	slices.Sort(files)
	for _, name := range files {
		if filepath.Base(filepath.Dir(name)) == "__files" && folder {
			continue // WireMock's bodies
		}
		s, err := traffic.Open(ctx, name, i.encoding())
		if err != nil {
			return err
		}
		err = i.file(ctx, s, !folder)
		s.Close()
		if err != nil {
			return err
		}
	}
	return i.putStubs(ctx)
}

func (i *importer) encoding() string {
	if i.o.Mapping == nil {
		return ""
	}
	return i.o.Mapping.Encoding
}

// file reads one file. One that was not named itself may be of a kind that is not read.
func (i *importer) file(ctx context.Context, s *traffic.Source, named bool) error {
	m := i.o.Mapping
	if m != nil && m.Format != "" && (s.Format.NeedsTable() || !s.Format.CanImport()) {
		s.SetRows(m.Format)
	}
	switch {
	case !s.Format.CanImport() && !named, s.Format.NeedsTable() && !named && (m == nil || !m.HasRows()):
		i.leaveOut(s.Name, 1, s.Format.Title)
		return nil
	case !s.Format.CanImport():
		return fmt.Errorf("%s: %s; what can be imported: %s", s.Name, s.Format.Title, traffic.Known())
	case s.Format.NeedsTable() && (m == nil || !m.HasRows()):
		return fmt.Errorf("%s: %s; --map says what its fields mean (docs/import.md)", s.Name, s.Format.Title)
	}
	i.source, i.scope, i.clock, i.times = s, "", clock{unordered: s.Format.Unordered}, false
	if slices.Contains(s.Format.Lacks, traffic.Times) {
		i.scope = s.Name // tests use the same identifiers again and again
	}
	v := &traffic.Visitor{
		Skip: func(line int, why string) { i.sum.Entries++; i.leaveOut(s.Name, line, why) },
		Call: func(c *traffic.Call) error { return errors.Join(i.call(c), ctx.Err()) },
		Row:  func(r *traffic.Row) error { return errors.Join(i.row(r), ctx.Err()) },
	}
	if m != nil {
		v.Table = &m.Table
	}
	if s.Format.Stubs {
		v.Call = func(c *traffic.Call) error { i.stubs = append(i.stubs, stub{s, c}); return ctx.Err() }
		return s.Read(v)
	}
	first := i.seq
	err := errors.Join(s.Read(v), i.unfollowed(), i.onlyWorkers())
	i.read(s.Name, &s.Format, i.seq-first)
	return err
}

// read says what was read.
func (i *importer) read(name string, f *traffic.Format, entries int) {
	i.sum.Files = append(i.sum.Files, fmt.Sprintf("%s: %s, %d entries kept", name, f.Title, entries))
	for _, what := range f.Lacks {
		i.lacks(what)
	}
}

func (i *importer) lacks(what string) {
	if !slices.Contains(i.sum.Lacks, what) {
		i.sum.Lacks = append(i.sum.Lacks, what)
	}
}

func (i *importer) leaveOut(file string, line int, why string) {
	i.o.LeftOut(&traffic.PlaceError{File: file, Line: line, Err: errors.New("left out: " + redact.Cards(why))})
	if strings.HasPrefix(why, "broken: ") {
		i.sum.Broken++
	}
	group, _, _ := strings.Cut(strings.TrimPrefix(why, "broken: its "), ":")
	if strings.HasPrefix(why, "broken: ") {
		group = "broken"
	}
	for k := range i.sum.LeftOut {
		if i.sum.LeftOut[k].Name == group {
			i.sum.LeftOut[k].N++
			return
		}
	}
	i.sum.LeftOut = append(i.sum.LeftOut, policy.Count{Name: group, N: 1})
}

// call takes one HTTP call.
func (i *importer) call(c *traffic.Call) error {
	i.sum.Entries++
	i.carryOver(c)
	e, err := i.classifier.entry(c)
	if err != nil {
		i.leaveOut(i.source.Name, c.Line, callWhy(c, err))
		return nil
	}
	i.follow(c, e)
	if c.ReplyIn != "" {
		i.o.LeftOut(&traffic.PlaceError{File: i.source.Name, Line: c.Line, Err: errors.New("kept, but not its answer's body: " + c.ReplyIn)})
	}
	var known bool
	if e.Line.At, known = i.clock.of(c.At, c.Received, c.Latency); !known {
		i.times = true
	}
	if where := redirected(c); where != "" && len(i.redirects) < maxRedirects {
		i.redirects = append(i.redirects, redirect{e, i.source.Name, c.Line, where, c.Method, c.Header.Get("Content-Type"), c.Body})
		return nil
	}
	if c.Worker && len(i.workers.held) < maxWorkers {
		i.workers.held = append(i.workers.held, workerCall{e, sameCallOf(c)})
		return nil
	}
	if !c.Worker {
		i.workers.page(sameCallOf(c))
	}
	return i.keep(e, c.Line)
}

// callWhy says why a call is left out, with its path alone: the rest of a URL may hold secrets.
func callWhy(c *traffic.Call, err error) string {
	where := c.URL
	if i := strings.IndexAny(where, "?#;"); i >= 0 {
		where = where[:i]
	}
	if _, rest, ok := strings.Cut(where, "://"); ok {
		_, path, _ := strings.Cut(rest, "/")
		where = "/" + path
	}
	return fmt.Sprintf("%s: %s %s", err, c.Method, short(where))
}

// row takes one row of a table.
func (i *importer) row(row *traffic.Row) error {
	r := &rowReader{m: i.o.Mapping, row: row}
	if i.o.Mapping.isCall() {
		c := r.httpCall()
		if r.err != nil {
			i.sum.Entries++
			i.leaveOut(i.source.Name, row.Line, "broken: "+r.err.Error())
			return nil
		}
		if c.Fault == policy.NoFault && c.Status == 0 && len(c.Reply) == 0 {
			c.Fault = policy.Reset // no answer is in the row, and nothing that says why
		}
		return i.call(c)
	}
	i.sum.Entries++
	l := r.line()
	e := &entry{Line: *l}
	if r.err == nil {
		r.err = severalNames(l)
	}
	if r.err == nil {
		r.err = i.complete(e)
	}
	if r.err != nil {
		i.leaveOut(i.source.Name, row.Line, "broken: "+r.err.Error())
		return nil
	}
	var known bool
	if e.Line.At, known = i.clock.of(e.Line.At, time.Time{}, 0); !known {
		i.times = true
	}
	if e.Line.Phase == recorded.Truth {
		return i.truth(e, row.Line)
	}
	return i.keep(e, row.Line)
}

// complete checks a line of a row, and reads and redacts its body.
func (i *importer) complete(e *entry) error {
	l := &e.Line
	p := &l.Payment
	if p.Merchant == "" {
		p.Merchant = i.o.Merchant
	}
	if p.Provider == "" && len(i.classifier.catalogs) == 1 {
		p.Provider = i.classifier.catalogs[0].Name
	}
	cat, err := i.classifier.catalog(p)
	switch {
	case err != nil && p.Provider == "":
		return errors.New("provider: it is missing")
	case err != nil:
		return err
	case !cat.Offers(p.Operation):
		return fmt.Errorf("operation: %s does not offer %q", p.Provider, p.Operation)
	case len(i.o.Provider) > 0 && !slices.Contains(i.o.Provider, p.Provider):
		return fmt.Errorf("provider: --provider leaves out %s", p.Provider)
	}
	if !l.Phase.IsAnswer() {
		return nil
	}
	body := l.Body
	l.Body = nil
	if p.Currency == "" {
		p.Currency = cat.Currency
	}
	i.classifier.read(cat, body, e)
	return nil
}

// rowOf is a row of a list of executions, as far as it tells one from another.
type rowOf struct {
	own, order, request string
	amount              int64
	at                  time.Time
}

// at is a line of a file.
type at struct {
	file string
	line int
}

// truth keeps what reconciliation found until all of a flow is known: a flow has one truth.
func (i *importer) truth(e *entry, line int) error {
	l := &e.Line
	k := key{i.scope, l.Payment.Merchant, l.Payment.Provider, l.Payment.Operation, policy.OrderID, firstText(l.Flow, l.OrderID, l.RequestID)}
	row := rowOf{l.ProviderID, l.OrderID, l.RequestID, l.Executions[0].Amount, l.Executions[0].At}
	if seen := i.executions[row]; seen.file != "" && (seen.file != i.source.Name || row.own != "" || !row.at.IsZero()) {
		i.leaveOut(i.source.Name, line, fmt.Sprintf("an execution that is there already: %s:%d says the same (where two are meant, provider_id tells them apart)", seen.file, seen.line))
		return nil
	}
	i.executions[row] = at{i.source.Name, line}
	old := i.truths[k]
	if old == nil {
		e.Number, e.File = line, i.source.Name
		i.truths[k] = e
		return nil
	}
	old.Line.Executions = append(old.Line.Executions, l.Executions...)
	if l.At.After(old.Line.At) {
		old.Line.At = l.At
	}
	return nil
}

func firstText(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// keep hands an entry to the sorter.
func (i *importer) keep(e *entry, line int) error {
	if year := e.Line.At.Year(); year < 1 || year > 9999 {
		i.leaveOut(i.source.Name, line, "broken: its time is out of range")
		return nil
	}
	i.seq++
	e.Seq, e.Scope, e.File, e.Number, e.Unordered = i.seq, i.scope+e.Scope, i.source.Name, line, i.clock.unordered
	if e.Line.Phase == recorded.Send {
		e.Line.Lacks = i.source.Format.Lacks
		if i.times && !slices.Contains(e.Line.Lacks, traffic.Times) {
			e.Line.Lacks = append(slices.Clone(e.Line.Lacks), traffic.Times)
			i.lacks(traffic.Times)
		}
	}
	return i.sorted.add(e)
}

// write pairs all entries, in the order of time, and writes them.
func (i *importer) write(ctx context.Context, to io.Writer) error {
	truths := slices.SortedFunc(maps.Values(i.truths), func(a, b *entry) int { return cmp.Or(before(a, b), cmp.Compare(a.File, b.File), a.Number-b.Number) })
	for _, e := range truths {
		i.seq++
		e.Seq = i.seq
		if err := i.sorted.add(e); err != nil {
			return err
		}
	}
	var line []byte
	hider := redact.NewHider()
	p := newPairer(window, func(l *recorded.Line) error {
		if hider.Hide(l) {
			i.sum.Cards++
		}
		line = l.Append(line[:0])
		i.sum.Lines++
		_, err := to.Write(line)
		return err
	}, func(e *entry, why string) { i.leaveOut(e.File, e.Number, why) })
	err := i.sorted.all(func(e *entry) error { return errors.Join(p.add(e), ctx.Err()) })
	n := p.counts
	i.sum.Flows, i.sum.Sends, i.sum.Queries, i.sum.Webhooks, i.sum.Ends, i.sum.Truths = n.Flows, n.Sends, n.Queries, n.Webhooks, n.Ends, n.Truths
	return err
}
