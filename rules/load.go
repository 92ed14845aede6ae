package rules

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/contract"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

//go:embed *.toml merchants/*.toml
var builtin embed.FS

// Builtin returns the embedded files: the default rules, and beside them their tests.
func Builtin() fs.FS { return builtin }

const (
	baselineFile = "baseline.toml"
	merchantsDir = "merchants"
)

// Load reads the embedded defaults and, where dir is not empty, the files of that
// folder over them, as [LoadFS] does.
func Load(dir string) (*Set, error) {
	if dir == "" {
		return LoadFS(nil, "")
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, policy.Mistakes{{Position: source.Pos{File: dir}, Msg: "rules folder cannot be read: not a folder"}}
	}
	return LoadFS(os.DirFS(dir), dir)
}

// LoadFS reads the embedded defaults and, where fsys is not nil, its files over them: a
// file replaces the embedded one of the same name. Files that end in .test.toml are no
// rules. Mistakes name a file by its path below root, which may be empty.
//
// The error is a [policy.Mistakes] with everything that was found. The set that comes with
// it holds what could be read, so that a compiler can look for mistakes in the rest; it is
// nil where the folder itself cannot be read.
func LoadFS(fsys fs.FS, root string) (*Set, error) {
	var errs source.List
	files := map[string]file{}
	collect(&errs, files, builtin, func(name string) string { return "rules/" + name })
	for n, f := range files {
		f.builtin = true // not by its name: a user's folder may be called rules, too
		files[n] = f
	}
	defaults := maps.Clone(files)
	if fsys != nil {
		if _, err := fs.ReadDir(fsys, "."); err != nil {
			errs.Add(source.Pos{File: root}, "rules folder cannot be read: %s", cause(err))
			return nil, errs.Err()
		}
		collect(&errs, files, fsys, func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) })
	}
	unread := false
	set := &Set{Providers: map[string]*File{}, Merchants: map[string]*File{}}
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		f := parse(&errs, files[n])
		if f == nil {
			unread = true
			continue
		}
		f.Path, f.Text = n, files[n].data
		if old, replaced := defaults[n]; replaced {
			f.builtin = files[n].builtin
			if !f.builtin {
				f.keepSchedules(parse(&source.List{}, old))
			}
		}
		set.put(&errs, n, f)
	}
	if !unread { // else what is missing may well be in the file that could not be read
		set.check(&errs)
	}
	return set, errs.Err()
}

// keepSchedules takes over the schedules that the replaced file had and this one has
// not: rules of other files may name them.
func (f *File) keepSchedules(old *File) {
	for name, s := range old.Schedules {
		if f.Schedules[name] == nil {
			f.Schedules[name] = s
		}
	}
}

// cause is an error of a file system without the name of the root, which is ".".
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

type file struct {
	shown   string
	data    []byte
	builtin bool
}

func collect(errs *source.List, into map[string]file, from fs.FS, shown func(string) string) {
	for _, pattern := range []string{"*.toml", merchantsDir + "/*.toml"} {
		names, err := fs.Glob(from, pattern)
		if err != nil {
			errs.Add(source.Pos{File: shown(pattern)}, "%s", err)
		}
		for _, n := range names {
			if strings.HasSuffix(n, ".test.toml") || strings.HasPrefix(path.Base(n), ".") {
				continue
			}
			data, err := source.ReadFile(from, n)
			if err != nil {
				errs.Add(source.Pos{File: shown(n)}, "%s", err)
				continue
			}
			into[n] = file{shown: shown(n), data: data}
		}
	}
}

// put files a layer by the name of its file.
func (s *Set) put(errs *source.List, name string, f *File) {
	stem := strings.TrimSuffix(path.Base(name), ".toml")
	switch {
	case name == baselineFile:
		s.Baseline = f
		f.notHere(errs, "the baseline is for every provider and merchant", f.Provider, f.providerPos)
		f.notHere(errs, "the baseline is for every provider and merchant", f.Merchant, f.merchantPos)
	case path.Dir(name) == merchantsDir:
		if f.Merchant != "" && f.Merchant != stem {
			errs.Add(f.merchantPos, "merchant %q does not fit the file's name; rename one of them", f.Merchant)
		}
		f.notHere(errs, `a merchant's file is for every provider; write provider == "…" in the conditions`, f.Provider, f.providerPos)
		f.Merchant = stem
		s.Merchants[stem] = f
	default:
		if f.Provider != "" && f.Provider != stem {
			errs.Add(f.providerPos, "provider %q does not fit the file's name; rename one of them", f.Provider)
		}
		f.notHere(errs, "a provider's file is for every merchant; write merchants/NAME.toml", f.Merchant, f.merchantPos)
		f.Provider = stem
		s.Providers[stem] = f
	}
	if path.Dir(name) == merchantsDir {
		return
	}
	if f.usesPos.Line > 0 {
		errs.Add(f.usesPos, "only a merchant's file can list the providers that it uses; write merchants/NAME.toml")
	}
	if f.contract != nil {
		errs.Add(f.contractPos, "only a merchant's file can hold a [contract]; a provider's stands in providers/NAME.toml")
	}
	for _, d := range f.Disable {
		errs.Add(d.Pos, "only a merchant's file can disable rules")
	}
}

func (f *File) notHere(errs *source.List, why, value string, pos source.Pos) {
	if value != "" {
		errs.Add(pos, "%q does not belong here: %s", value, why)
	}
}

func parse(errs *source.List, from file) *File {
	read := source.Parse
	if from.builtin {
		read = source.ParseEmbedded
	}
	doc, err := read(from.shown, from.data)
	if err != nil {
		errs.Join(from.shown, err)
		return nil
	}
	root := doc.Root()
	f := &File{
		Name: from.shown, Schedules: map[string]*policy.Schedule{},
		perOp: map[policy.Operation]policy.Limits{},
	}
	f.Provider, f.providerPos = root.String(errs, "provider"), root.ValuePos("provider")
	f.readMerchant(errs, root)
	root.String(errs, "description") // for people
	if zone := root.String(errs, "timezone"); zone != "" {
		if f.Timezone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
			errs.Add(root.ValuePos("timezone"), `timezone %q is not known (write "Asia/Ho_Chi_Minh")`, zone)
		}
	}
	root.Each(errs, "disable", func(pos source.Pos, id string) {
		f.Disable = append(f.Disable, Disabled{ID: id, Pos: pos})
	})
	f.readLimits(errs, root)
	f.readSchedules(errs, root)
	f.contractPos = root.KeyPos("contract")
	f.readContract(errs, root)
	f.readRules(errs, root)
	root.Done(errs)
	return f
}

// readMerchant reads the merchant's name, or a table with the name and the providers it uses.
func (f *File) readMerchant(errs *source.List, root source.Table) {
	f.merchantPos = root.ValuePos("merchant")
	v, _ := root.Value("merchant")
	switch v.Any().(type) {
	case map[string]any:
	case string, nil:
		f.Merchant = root.String(errs, "merchant")
		return
	default:
		errs.Add(v.Pos(), `merchant is %s; it must be the merchant's name or a table: [merchant], then providers = ["momo"]`, v.Kind())
		return
	}
	t, _ := root.Table(errs, "merchant")
	f.Merchant, f.merchantPos = t.String(errs, "name"), t.ValuePos("name")
	f.readProviders(errs, t)
	t.Done(errs)
}

// readProviders reads the providers that a merchant uses.
func (f *File) readProviders(errs *source.List, t source.Table) {
	if !t.Has("providers") {
		return
	}
	f.usesPos = t.ValuePos("providers")
	mistakes, seen := len(errs.Mistakes), map[string]bool{}
	t.Each(errs, "providers", func(pos source.Pos, provider string) {
		if seen[provider] {
			errs.Add(pos, "provider %q stands twice in the list", provider)
		}
		seen[provider] = true
		f.Providers, f.providersPos = append(f.Providers, provider), append(f.providersPos, pos)
	})
	if len(f.Providers) == 0 && len(errs.Mistakes) == mistakes {
		errs.Add(f.usesPos, "the list of providers is empty; name at least one, or leave the key out for all of them")
	}
}

func (f *File) readLimits(errs *source.List, root source.Table) {
	t, ok := root.Table(errs, "limits")
	if !ok {
		return
	}
	f.limits = limits(t, errs)
	for _, op := range policy.Operations() {
		if sub, ok := t.Table(errs, op.String()); ok {
			f.perOp[op] = limits(sub, errs)
			sub.Done(errs)
		}
	}
	t.Done(errs)
}

func limits(t source.Table, errs *source.List) policy.Limits {
	return policy.Limits{
		MaxAttempts:   t.Count(errs, "max_attempts", 1),
		MaxQueries:    t.Count(errs, "max_queries", 1),
		MaxElapsed:    t.Duration(errs, "max_elapsed"),
		MaxRetryAfter: t.Duration(errs, "max_retry_after"),
	}
}

func (f *File) readSchedules(errs *source.List, root source.Table) {
	t, ok := root.Table(errs, "schedule")
	if !ok {
		return
	}
	for _, name := range t.Keys() {
		sub, ok := t.Table(errs, name)
		if !ok {
			continue
		}
		s := &policy.Schedule{
			Name:                name,
			InitialInterval:     sub.Duration(errs, "initial_interval"),
			Multiplier:          sub.Number(errs, "multiplier", 1, 1000, 1.5),
			RandomizationFactor: sub.Number(errs, "randomization_factor", 0, 1, 0),
			MaxInterval:         sub.Duration(errs, "max_interval"),
			Intervals:           sub.Durations(errs, "intervals"),
		}
		switch ladder := sub.Has("intervals"); {
		case ladder && (sub.Has("initial_interval") || sub.Has("max_interval") || sub.Has("multiplier")):
			errs.Add(sub.Pos(), "schedule %q is either a ladder of intervals or an exponential one", name)
		case ladder && len(s.Intervals) == 0:
			if len(sub.Strings(&source.List{}, "intervals")) == 0 {
				errs.Add(sub.ValuePos("intervals"), "schedule %q has no intervals", name)
			}
		case !ladder && !sub.Has("initial_interval"):
			errs.Add(sub.Pos(), "schedule %q needs initial_interval or intervals", name)
		}
		if s.MaxInterval == 0 {
			s.MaxInterval = max(time.Hour, s.InitialInterval)
		}
		if s.InitialInterval > s.MaxInterval {
			errs.Add(sub.ValuePos("max_interval"), "schedule %q: max_interval is shorter than initial_interval", name)
		}
		f.Schedules[name] = s
		sub.Done(errs)
	}
	t.Done(errs)
}

func (f *File) readContract(errs *source.List, root source.Table) {
	t, ok := root.Table(errs, "contract")
	if !ok {
		return
	}
	f.IdempotentKey = t.Bool(errs, "idempotent_key")
	f.IdempotentKeyPos = t.KeyPos("idempotent_key")
	f.readDeployments(errs, t)
	all, said := contract.Lines(t, errs), contract.Said{}.With(t)
	perOp, of := map[policy.Operation]func(*policy.Contract){}, map[policy.Operation]contract.Said{}
	for _, op := range policy.Operations() {
		if sub, ok := t.Table(errs, op.String()); ok {
			perOp[op], of[op] = contract.Lines(sub, errs), said.With(sub)
			sub.Done(errs)
		}
	}
	t.Done(errs)
	f.contract = func(op policy.Operation, c *policy.Contract) {
		all(c)
		if own := perOp[op]; own != nil {
			own(c)
		}
	}
	f.said = map[policy.Operation]contract.Said{}
	for _, op := range policy.Operations() {
		if f.said[op] = of[op]; of[op] == nil {
			f.said[op] = said
		}
	}
	f.refuseContradictions(errs, said, of)
}

// refuseContradictions looks at each operation's contract, as far as the file says it. What holds for every operation is said once.
func (f *File) refuseContradictions(errs *source.List, said contract.Said, of map[policy.Operation]contract.Said) {
	known := map[policy.Mistake]bool{}
	report := func(prefix string) func(source.Pos, string) {
		return func(at source.Pos, text string) {
			if m := (policy.Mistake{Position: at, Msg: text}); !known[m] {
				known[m] = true
				errs.Add(at, "%s%s", prefix, text)
			}
		}
	}
	for _, op := range policy.Operations() {
		own, prefix := of[op], op.String()+": "
		if own == nil {
			own, prefix = said, "" // what [contract] says
		}
		var c policy.Contract
		f.contract(op, &c)
		contract.Contradictions(&c, own, false, report(prefix))
	}
}

// readDeployments reads where the merchant meets each provider.
func (f *File) readDeployments(errs *source.List, contract source.Table) {
	if !contract.Has("deployment") {
		return
	}
	t, ok := contract.Table(errs, "deployment")
	if !ok {
		return
	}
	f.Deployments, f.deploymentsPos = map[string]string{}, map[string]policy.Position{}
	for _, provider := range t.Keys() {
		f.Deployments[provider], f.deploymentsPos[provider] = t.String(errs, provider), t.ValuePos(provider)
		if f.Deployments[provider] == "" {
			errs.Add(t.ValuePos(provider), "the deployment of %s has no name; leave it out for the provider's usual one", provider)
		}
	}
}

func (f *File) readRules(errs *source.List, root source.Table) {
	seen := map[string]source.Pos{}
	for _, t := range root.Tables(errs, "rule") {
		mistakes := len(errs.Mistakes)
		when := t.Text(errs, "when")
		r := &Rule{
			ID: t.String(errs, "id"), When: when.Value, when: when, Schedule: t.String(errs, "schedule"),
			Reason: t.String(errs, "reason"), Pos: t.Pos(), schedulePos: t.ValuePos("schedule"),
		}
		for _, need := range []string{"id", "when", "then"} {
			if !t.Has(need) {
				errs.Add(t.Pos(), "a rule needs %s", need)
			}
		}
		t.Word(errs, "then", &r.Then)
		if t.Has("id") && r.ID == "" && len(errs.Mistakes) == mistakes {
			errs.Add(t.ValuePos("id"), "a rule needs a name in id")
		}
		if first, twice := seen[r.ID]; twice && r.ID != "" {
			errs.Add(t.ValuePos("id"), "rule %q stands already at %s", r.ID, first)
		}
		seen[r.ID] = t.ValuePos("id")
		t.Done(errs)
		if t.Has("when") && len(errs.Mistakes) == mistakes && strings.TrimSpace(r.When) == "" {
			errs.Add(t.ValuePos("when"), "the condition is empty; write 'true' for always")
		}
		if strings.TrimSpace(r.When) != "" { // without an id too, for the mistakes in it
			r.behind = len(f.Rules) > 0 && f.Rules[len(f.Rules)-1].Pos.Line == r.Pos.Line
			f.Rules = append(f.Rules, r)
		}
	}
}

// check looks at what only the files together can show.
func (s *Set) check(errs *source.List) {
	if s.Baseline != nil {
		s.checkLayers(errs, Layers{s.Baseline})
	}
	providers := make([]string, 0, len(s.Providers))
	for p := range s.Providers {
		providers = append(providers, p)
	}
	sort.Strings(providers)
	for _, p := range providers {
		s.checkLayers(errs, s.Layers(p, ""))
	}
	for _, m := range s.MerchantNames() {
		s.checkMerchant(errs, s.Merchants[m], providers)
	}
}

// checkLayers looks at the first of the layers in the light of those below it. Two
// layers may have rules of the same id: both are tried, and counted together.
func (s *Set) checkLayers(errs *source.List, l Layers) {
	for _, r := range l[0].Rules {
		if r.Schedule != "" && l.Schedule(r.Schedule) == nil {
			errs.Add(r.schedulePos, "rule %q: there is no schedule %q%s", r.ID, r.Schedule, source.Suggest(r.Schedule, l.ScheduleNames()))
		}
	}
}

// checkMerchant looks at a merchant's file, which meets every provider's layer.
func (s *Set) checkMerchant(errs *source.List, f *File, providers []string) {
	known := map[string]bool{}
	layers := Layers{f}
	for _, p := range append([]string{""}, providers...) {
		below := s.Layers(p, "")
		for _, r := range below.Rules() {
			known[r.ID] = true
		}
		layers = append(layers, below...)
	}
	s.checkLayers(errs, layers)
	if f.builtin {
		return // the user's own files may lack what the examples do without
	}
	for _, d := range f.Disable {
		if !known[d.ID] {
			names := make([]string, 0, len(known))
			for k := range known {
				names = append(names, k)
			}
			errs.Add(d.Pos, "there is no rule %q to disable%s", d.ID, source.Suggest(d.ID, names))
		}
	}
}

// ScheduleNames lists the schedules that the layers have, by name, in the order of the
// layers; one that several of them have is named several times.
func (l Layers) ScheduleNames() []string {
	var names []string
	for _, f := range l {
		for n := range f.Schedules {
			names = append(names, n)
		}
	}
	return names
}

// String names the file, for messages.
func (f *File) String() string { return fmt.Sprintf("rules of %s", f.Name) }
