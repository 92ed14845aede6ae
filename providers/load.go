package providers

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

//go:embed *.toml
var builtin embed.FS

// Builtin returns the embedded catalogues. Each is read once, when it is first asked for: most
// commands are about one provider. Each call returns a list of its own, so what a caller adds does not
// reach other callers.
func Builtin() (*Catalogs, error) {
	all, err := listBuiltin()
	if err != nil {
		return nil, err
	}
	return &Catalogs{byName: maps.Clone(all)}, nil
}

// reader reads a catalogue, once.
type reader func() (*Catalog, error)

// listBuiltin has the embedded catalogues by their names, which are those of their files.
var listBuiltin = sync.OnceValues(func() (map[string]reader, error) {
	files, err := builtin.ReadDir(".")
	if err != nil {
		return nil, err
	}
	all := map[string]reader{}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".toml")
		all[name] = sync.OnceValues(func() (*Catalog, error) {
			data, err := builtin.ReadFile(f.Name())
			if err != nil {
				return nil, err
			}
			own, file := &Catalogs{byName: map[string]reader{}}, "providers/"+f.Name()
			doc, err := source.ParseEmbedded(file, data)
			if err == nil {
				err = own.add(doc, data, true)
			}
			if err != nil {
				return nil, err
			}
			return own.Get(name)
		})
	}
	return all, nil
})

// Add reads one catalogue. A provider that is known already is extended: the
// file's codes, statuses and contract lines are added, and win over those that
// stood there. Mistakes are returned all at once, each with FILE:LINE:COLUMN; a
// file with mistakes changes nothing.
func (cs *Catalogs) Add(file string, data []byte) error {
	doc, err := source.Parse(file, data)
	if err != nil {
		return err
	}
	return cs.add(doc, data, false)
}

// add reads the catalogue of a file that was parsed.
func (cs *Catalogs) add(doc *source.Doc, data []byte, embedded bool) error {
	var errs source.List
	root := doc.Root()
	name := root.String(&errs, "name")
	if name == "" {
		errs.Add(root.KeyPos("name"), `a catalogue needs name = "…"`)
	}
	l := &loader{errs: &errs, embedded: embedded, c: &Catalog{Name: name, cells: map[string]*cell{}, states: map[state]*cell{}}}
	if known := cs.byName[name]; known != nil {
		old, err := known()
		if err != nil {
			return err
		}
		l.inherit(old)
	}
	own := sha256.Sum256(data)
	l.c.digest = sha256.Sum256(append(l.c.digest[:], own[:]...)) // with that of the catalogue that it is laid over
	l.operations(root)
	l.body(root)
	l.deployed(root, origin{doc.File, bytes.Clone(data), embedded})
	root.Done(&errs)
	if err := errs.Err(); err != nil {
		return err
	}
	cs.byName[name] = func() (*Catalog, error) { return l.c, nil }
	return nil
}

// body reads what a catalogue says, and a deployment over it.
func (l *loader) body(t source.Table) {
	l.head(t)
	l.contracts(t)
	l.rows(t)
	l.fallbacks(t)
	l.events(t)
	l.decoders(t)
	l.envelopes(t)
	l.endpoints(t)
	l.webhook(t)
	l.index()
	l.contradictions()
}

// AddFS adds every catalogue in the folder providers of a file system: providers/NAME.toml.
// It reads all of them, and returns the mistakes of all as [policy.Mistakes]. They name a
// file by its path below root, which may be empty. Files that end in .test.toml, or begin
// with a dot, are no catalogues.
func (cs *Catalogs) AddFS(fsys fs.FS, root string) error {
	var errs source.List
	files, err := fs.Glob(fsys, "providers/*.toml")
	if err != nil {
		errs.Add(source.Pos{File: root}, "%s", err)
	}
	for _, f := range files {
		name := filepath.Join(root, filepath.FromSlash(f))
		if strings.HasSuffix(name, ".test.toml") || strings.HasPrefix(filepath.Base(name), ".") {
			continue
		}
		data, err := source.ReadFile(fsys, f)
		if err == nil {
			err = cs.Add(name, data)
		}
		errs.Join(name, err)
	}
	return errs.Err()
}

type loader struct {
	c    *Catalog
	errs *source.List
	at   map[*Row]source.Pos // where this file's rows stand

	embedded bool // the program carries the file
}

// sourceAt is FILE:LINE, and is kept as one of the user's if it is.
func (l *loader) sourceAt(pos source.Pos) string {
	at := fmt.Sprintf("%s:%d", pos.File, pos.Line)
	if !l.embedded {
		if l.c.read.own == nil {
			l.c.read.own = map[string]bool{}
		}
		l.c.read.own[at] = true
	}
	return at
}

func (l *loader) inherit(old *Catalog) {
	kept := *old
	kept.cells, kept.states = map[string]*cell{}, map[state]*cell{}
	kept.read.own = maps.Clone(old.read.own)
	kept.Codes = append([]*Row(nil), old.Codes...)
	kept.Statuses = append([]*Row(nil), old.Statuses...)
	kept.Fallbacks = append([]*Row(nil), old.Fallbacks...)
	l.c = &kept
}

func (l *loader) head(root source.Table) {
	c := l.c
	if s := root.String(l.errs, "title"); s != "" {
		c.Title = s
	}
	if s := root.String(l.errs, "currency"); s != "" {
		c.Currency = s
		if _, known := policy.Decimals(s); !known || s != strings.ToUpper(s) {
			l.errs.Add(root.ValuePos("currency"), "%q is no currency of ISO 4217 in capitals", s)
		}
	}
	root.Strings(l.errs, "sources") // for people
	if root.Has("amount_unit") {
		switch u := amountUnit(root.String(l.errs, "amount_unit")); u {
		case unitMinor, unitMajor, unitHundredths:
			c.unit = u
		default:
			l.errs.Add(root.ValuePos("amount_unit"), "amount_unit is %q; it must be minor, major or hundredths", u)
		}
	}
	l.amountUnits(root)
}

// operations reads what the provider offers. Its deployments offer the same.
func (l *loader) operations(root source.Table) {
	if root.Has("operations") {
		l.c.Operations = source.Words[policy.Operation](root, l.errs, "operations")
	}
	if len(l.c.Operations) == 0 {
		l.errs.Add(root.KeyPos("operations"), "a catalogue needs operations = [\"pay\", …]")
	}
}

// amountUnits reads the currencies that the provider writes in another unit than the rest.
func (l *loader) amountUnits(root source.Table) {
	if !root.Has("amount_units") {
		return
	}
	t, ok := root.Table(l.errs, "amount_units")
	if !ok {
		return
	}
	units := maps.Clone(l.c.units)
	if units == nil {
		units = map[string]amountUnit{}
	}
	for _, currency := range t.Keys() {
		u := amountUnit(t.String(l.errs, currency))
		if _, known := policy.Decimals(currency); !known || currency != strings.ToUpper(currency) {
			l.errs.Add(t.KeyPos(currency), "%q is no currency of ISO 4217 in capitals", currency)
		}
		if u != unitMinor && u != unitMajor && u != unitHundredths {
			l.errs.Add(t.ValuePos(currency), "%s is %q; it must be minor, major or hundredths", currency, u)
		}
		units[strings.ToUpper(currency)] = u
	}
	l.c.units = units
}

func (l *loader) rows(root source.Table) {
	l.at = map[*Row]source.Pos{}
	for _, t := range root.Tables(l.errs, "code") {
		code := t.String(l.errs, "code")
		if code == "" {
			l.errs.Add(t.KeyPos("code"), `a [[code]] needs code = "…"`)
		}
		r := l.row(t)
		r.Code = code
		l.c.Codes = l.place(l.c.Codes, r)
	}
	for _, t := range root.Tables(l.errs, "status") {
		r := &Row{Status: t.String(l.errs, "status"), SubStatus: t.String(l.errs, "sub_status")}
		if r.Status == "" {
			l.errs.Add(t.KeyPos("status"), `a [[status]] needs status = "…"`)
		}
		read := l.row(t)
		read.Status, read.SubStatus = r.Status, r.SubStatus
		l.c.Statuses = l.place(l.c.Statuses, read)
	}
}

// fallbacks reads the [[fallback]] rows.
func (l *loader) fallbacks(root source.Table) {
	for _, t := range root.Tables(l.errs, "fallback") {
		status, sub := t.String(l.errs, "status"), t.String(l.errs, "sub_status")
		if status == "" {
			l.errs.Add(t.KeyPos("status"), `a [[fallback]] needs status = "…", beside which it stands for the codes that no row lists`)
		}
		r := l.row(t)
		r.Status, r.SubStatus, r.fallback = status, sub, true
		if status != "" && !l.c.HasStatus(status) {
			l.errs.Add(t.ValuePos("status"), "status %q has no [[status]] row, so no answer bears it", status)
		}
		named := func(s *Row) bool { return s.Status == status && s.SubStatus == sub && !strings.Contains(sub, "*") }
		if l.c.HasStatus(status) && sub != "" && !slices.ContainsFunc(l.c.Statuses, named) {
			l.errs.Add(t.ValuePos("sub_status"), "status %q has no [[status]] row with sub_status %q; leave it out for any", status, sub)
		}
		for _, f := range r.Facts {
			if f.Effect == policy.Executed {
				l.errs.Add(l.at[r], "%s: a code beside a status is its reason; a reason proves no execution", r.name())
				break
			}
		}
		l.c.Fallbacks = l.place(l.c.Fallbacks, r)
	}
}

// place adds a row, or puts it where an inherited row of the same name stood.
func (l *loader) place(rows []*Row, r *Row) []*Row {
	for i, old := range rows {
		if old.Scope != r.Scope || old.Code != r.Code || old.Status != r.Status || old.SubStatus != r.SubStatus {
			continue
		}
		if pos, here := l.at[old]; here {
			l.errs.Add(l.at[r], "%s stands already at %s", r.name(), pos)
			return rows
		}
		rows[i] = r
		return rows
	}
	return append(rows, r)
}

func (r *Row) name() string {
	switch {
	case r.fallback && r.SubStatus != "":
		return fmt.Sprintf("the fallback of status %q with sub-status %q", r.Status, r.SubStatus)
	case r.fallback:
		return fmt.Sprintf("the fallback of status %q", r.Status)
	case r.Code != "":
		return fmt.Sprintf("code %q of section %q", r.Code, r.Scope)
	case r.SubStatus != "":
		return fmt.Sprintf("status %q with sub-status %q", r.Status, r.SubStatus)
	}
	return fmt.Sprintf("status %q", r.Status)
}

func (l *loader) row(t source.Table) *Row {
	pos := t.Pos()
	r := &Row{Provider: l.c.Name, Scope: "-", Source: l.sourceAt(pos)}
	l.at[r] = pos
	if s := t.String(l.errs, "scope"); s != "" {
		r.Scope = s
	}
	r.Symbol = t.String(l.errs, "symbol")
	r.Description = t.String(l.errs, "description")
	r.Envelope = t.Bool(l.errs, "envelope")
	r.HTTPStatus = t.Count(l.errs, "http_status", 100)
	t.Word(l.errs, "final", &r.Final)
	t.Word(l.errs, "class", &r.Class)
	facts := t.Tables(l.errs, "facts")
	if len(facts) == 0 {
		l.errs.Add(t.KeyPos("facts"), "a row needs at least one fact")
	}
	for _, ft := range facts {
		r.Facts = append(r.Facts, l.facts(ft, r)...)
	}
	sort.SliceStable(r.Facts, func(i, j int) bool {
		a, b := r.Facts[i], r.Facts[j]
		if a.Operation != b.Operation {
			return a.Operation < b.Operation
		}
		return a.Phase < b.Phase
	})
	t.Done(l.errs)
	return r
}

// facts reads one entry of a row's facts and spreads it over its operations and phases.
func (l *loader) facts(t source.Table, r *Row) []RowFact {
	f := policy.Fact{Class: r.Class, Final: r.Final, Basis: policy.Inferred}
	t.Word(l.errs, "effect", &f.Effect)
	t.Word(l.errs, "class", &f.Class)
	t.Word(l.errs, "stage", &f.Stage)
	t.Word(l.errs, "reach", &f.Reach)
	t.Word(l.errs, "basis", &f.Basis)
	because := t.String(l.errs, "because")
	for _, need := range []string{"operation", "phase", "effect", "stage"} {
		if !t.Has(need) {
			l.errs.Add(t.Pos(), "a fact needs %s", need)
		}
	}
	wide := t.Has("operation") && t.String(&source.List{}, "operation") == "*"
	ops := l.c.Operations
	if !wide {
		ops = source.Words[policy.Operation](t, l.errs, "operation")
	}
	phs := source.Words[policy.Phase](t, l.errs, "phase")
	modes := source.Words[policy.CaptureMode](t, l.errs, "capture")
	t.Done(l.errs)
	var all []RowFact
	for _, op := range ops {
		if len(modes) > 0 && !holds(op) {
			l.errs.Add(t.ValuePos("capture"), "%s: only a pay or a checkout is captured by itself or by hand; name those operations, or leave capture out", op)
		}
		if !wide && !l.c.Offers(op) {
			l.errs.Add(t.ValuePos("operation"), "%s is not among the provider's operations", op)
		}
		for _, ph := range phs {
			if broken := lawBroken(op, ph, modes, f); broken != "" {
				l.errs.Add(t.ValuePos("effect"), "%s, %s: %s", op, ph, broken)
			}
			all = append(all, RowFact{Operation: op, Phase: ph, Capture: modes, Fact: f, Because: because, wide: wide})
		}
	}
	return all
}

// refusals are the classes of answers that say that nothing was done.
var refusals = []policy.Class{
	policy.InvalidRequest, policy.InvalidAmount, policy.InvalidInstrument, policy.Credentials, policy.Configuration, policy.Unsupported,
	policy.IssuerDeclined, policy.InsufficientFunds, policy.LimitExceeded, policy.RiskDeclined, policy.AuthenticationFailed,
	policy.MerchantBalance, policy.NotFound, policy.Maintenance, policy.RateLimited, policy.NotYet,
}

// lawBroken says why a fact cannot be true whatever a document says; empty if it can.
func lawBroken(op policy.Operation, ph policy.Phase, modes []policy.CaptureMode, f policy.Fact) string {
	switch {
	case f.Class == policy.Authorized && f.Effect == policy.Executed && holds(op) && slices.Equal(modes, []policy.CaptureMode{policy.Auto}):
		return "a hold is not the end of a payment that is captured by itself; its class is success if the money was taken"
	case f.Reach == policy.OneAttempt && f.Effect != policy.Pending:
		return "an answer that ends one attempt leaves the payment pending"
	case ph == policy.Query && f.Stage == policy.Door && f.Effect != policy.Unknown:
		return "a refused query proves nothing; its effect is unknown"
	case ph == policy.Query && f.Class == policy.NotFound && f.Effect != policy.Unknown:
		return "a request that is not found may still be on its way; its effect is unknown (see not_found_after)"
	case f.Class == policy.AlreadyDone && f.Effect == policy.Executed && op != policy.Cancel && op != policy.Unbind:
		return "already_done proves an execution only where the operation is a state to reach (cancel, unbind)"
	case f.Effect == policy.NotExecuted && (f.Class == policy.Success || f.Class == policy.Authorized):
		return "the class says that it was executed, and the effect that it was not"
	case f.Effect == policy.Executed && slices.Contains(refusals, f.Class):
		return "the class says that it was refused, and the effect that it was executed"
	case f.Effect == policy.NotExecuted && (f.Class == policy.DuplicateRequest || f.Class == policy.DuplicateOrder):
		return "a refused repeat proves nothing of the first one; its effect is unknown"
	case f.Class == policy.Unrecognized && f.Effect.Settled():
		return "an unrecognized answer proves nothing"
	}
	return ""
}

// index builds the look-up tables. Within a code or status, a named operation wins
// over "*"; two sections that disagree with equal right are a mistake.
func (l *loader) index() {
	l.c.wild, l.c.others = nil, nil
	for _, r := range l.c.Codes {
		known := l.c.cells[r.Code]
		if known == nil {
			known = &cell{fallback: policy.Fact{Class: r.Class, Final: r.Final}}
			l.c.cells[r.Code] = known
		}
		l.fill(known, r)
	}
	for _, r := range l.c.Statuses {
		known := &cell{fallback: policy.Fact{Class: r.Class, Final: r.Final}}
		if l.c.states[state{r.Status, r.SubStatus}] != nil {
			known = l.c.states[state{r.Status, r.SubStatus}]
		}
		l.c.states[state{r.Status, r.SubStatus}] = known
		if strings.Contains(r.SubStatus, "*") {
			l.c.wild = append(l.c.wild, state{r.Status, r.SubStatus})
		}
		l.fill(known, r)
	}
	for _, r := range l.c.Fallbacks {
		known := &cell{fallback: policy.Fact{Class: r.Class, Final: r.Final}}
		l.fill(known, r)
		l.c.others = append(l.c.others, other{state{r.Status, r.SubStatus}, known})
	}
}

func (l *loader) fill(known *cell, r *Row) {
	known.envelope = known.envelope || r.Envelope
	for i := range r.Facts {
		before := len(l.errs.Mistakes)
		for _, mode := range policy.All[policy.CaptureMode]() {
			if contains(r.Facts[i].Capture, mode) && len(l.errs.Mistakes) == before { // a mistake is said once
				l.fact(known, r, &r.Facts[i], mode)
			}
		}
	}
}

// fact enters a fact for payments that are captured in one way.
func (l *loader) fact(known *cell, r *Row, f *RowFact, mode policy.CaptureMode) {
	place := &known.facts[f.Operation][f.Phase][mode]
	switch old := *place; {
	case old == nil || l.inherited(old.row) && !l.inherited(r):
		*place = &entry{Fact: f.Fact, row: r, wide: f.wide}
	case l.inherited(r) && !l.inherited(old.row):
	case old.wide && !f.wide:
		*place = &entry{Fact: f.Fact, row: r, wide: f.wide}
	case !old.wide && f.wide:
	case old.row == r:
		l.errs.Add(l.at[r], "%s says two things of %s, %s", r.name(), f.Operation, f.Phase)
	case old.Fact != f.Fact:
		l.errs.Add(l.at[r], "%s disagrees with %s about %s, %s", r.name(), old.row.Source, f.Operation, f.Phase)
	}
}

// inherited reports whether a row stood in the catalogue before this file.
func (l *loader) inherited(r *Row) bool { _, here := l.at[r]; return !here }
