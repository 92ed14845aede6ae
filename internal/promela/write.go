package promela

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

//go:embed model.pml
var model string

// Write writes a model of the worlds. It looks at each of them by itself.
func Write(out io.Writer, worlds ...*World) error {
	b := &strings.Builder{}
	header(b, worlds)
	fmt.Fprintf(b, "#define TABLES %d\n#define NONE_FACT 0\n#define NOT_SENT 0\n\n", len(worlds))
	d := &data{written: map[string]string{}}
	contracts(d, worlds)
	facts(d, worlds)
	answers(d, worlds)
	decisions(d, worlds)
	d.print("%s", lookup)
	b.WriteString(d.done())
	b.WriteString(model)
	_, err := io.WriteString(out, b.String())
	return err
}

// data is the C part of a model. Spin takes no more than about 16 KiB in one c_decl, and says "inline text too
// long" of any longer one; so the data stands in many.
type data struct {
	macros    strings.Builder
	all, part strings.Builder
	written   map[string]string // names of arrays, by what is in them
}

const longestPart = 8 << 10

func (d *data) print(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if d.part.Len()+len(text) > longestPart {
		d.cut()
	}
	d.part.WriteString(text)
}

func (d *data) cut() {
	if d.part.Len() > 0 {
		fmt.Fprintf(&d.all, "c_decl {\n%s}\n", d.part.String())
		d.part.Reset()
	}
}

func (d *data) done() string {
	d.cut()
	return d.macros.String() + d.all.String() + "\n"
}

// array writes an array of numbers, unless an equal one is there, and returns its name.
func (d *data) array(kind string, numbers []int) string {
	words := make([]string, len(numbers)+1)
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	words[len(numbers)] = "0" // no array is empty
	content := kind + " " + strings.Join(words, ",")
	name, known := d.written[content]
	if !known {
		name = fmt.Sprintf("data_%d", len(d.written))
		d.written[content] = name
		d.print("static const %s %s[] = { %s };\n", kind, name, strings.Join(words, ","))
	}
	return name
}

// column writes an array of the arrays of each world.
func (d *data) column(name string, names []string) { d.lines("unsigned char *const", name, names) }

// lines writes an array in pieces that fit into a part, and the macro NAME(INDEX) that reads it.
func (d *data) lines(kind, name string, elements []string) {
	const piece = 64
	var pieces []string
	for i := 0; i < len(elements); i += piece {
		pieces = append(pieces, fmt.Sprintf("%s_%d", name, i/piece))
		d.print("static const %s %s[] = { %s };\n", kind, pieces[len(pieces)-1], strings.Join(elements[i:min(i+piece, len(elements))], ", "))
	}
	d.print("static const %s *const %s_ALL[] = { %s };\n", kind, name, strings.Join(pieces, ", "))
	fmt.Fprintf(&d.macros, "#define %s(i) (%s_ALL[(i) / %d][(i) %% %d])\n", name, name, piece, piece)
}

func header(b *strings.Builder, worlds []*World) {
	b.WriteString(`/* The flow, the rules and an adversarial provider, for Spin (https://spinroot.com).
 *
 *   spin -a FILE && cc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -E -m1000000
 *
 * Spin stops at the first broken property and writes a trail; ./pan -r replays it. With spin -DREPORT -a instead, each
 * broken property is printed once as "broken TABLE PROPERTY RULE" and the search goes on to its end.
 * -DCOUNTED counts sends and queries by the limits: S4 is checked then. Without it any send or query may be the last.
 *
 * All tables are searched; the environment variable TABLE chooses one. A payment key has at most MAX_IDENTITIES
 * identities (-DMAX_IDENTITIES=3; 2 without it), and as many requests as the environment variable REQUESTS says (3; at most 4).
 *
 * Tables:
`)
	for i, w := range worlds {
		fmt.Fprintf(b, " *   %d: %s; rules by number: %s\n", i, clean(w.Name), clean(w.rulesOf()))
	}
	b.WriteString(" */\n")
}

// clean keeps a text from ending a comment.
func clean(s string) string { return strings.ReplaceAll(s, "*/", "* /") }

// ages are the regions of the age of a send, as the model counts them: region 1 begins at the first cut.
type ages struct {
	cuts                              []time.Duration
	window, windowEnd, arrival, found int // the regions that begin there; 0: none does
}

// never is a region that no send reaches.
const never = 200

// agesOf returns the ages at which something changes. Sends are not repeated after the flow's time, so a window
// that is longer does not end, as long as it begins with the identity.
func agesOf(t *policy.Terms) (a ages, dedupes bool) {
	c := &t.Contract
	window := c.DedupeWindow - c.CallTimeout() - c.ArrivalGrace
	dedupes = len(c.Dedupe) > 0 && c.DedupeWindow > 0 && (c.Replay == policy.FirstResult || c.Replay == policy.Rejected) && window > 0
	ends := dedupes && (window < t.Limits.MaxElapsed || slices.Contains(c.Dedupe, policy.OrderID))
	late := dedupes && c.ArrivalGrace == 0
	for _, cut := range []struct {
		at   time.Duration
		when bool
	}{{window, ends}, {c.DedupeWindow, late}, {c.CallTimeout() + c.ArrivalGrace, c.ArrivalGrace > 0}, {c.NotFoundAfter, c.NotFoundAfter > 0}} {
		if cut.when {
			a.cuts = append(a.cuts, cut.at)
		}
	}
	slices.Sort(a.cuts)
	a.cuts = slices.Compact(a.cuts)
	region := func(d time.Duration, when bool) int {
		if !when {
			return 0
		}
		return slices.Index(a.cuts, d) + 1
	}
	a.window = region(window, ends)
	if dedupes && !ends {
		a.window = never
	}
	a.windowEnd = region(c.DedupeWindow, late)
	a.arrival = region(c.CallTimeout()+c.ArrivalGrace, c.ArrivalGrace > 0)
	a.found = region(c.NotFoundAfter, c.NotFoundAfter > 0)
	return a, dedupes
}

// contracts writes what each contract promises.
func contracts(b *data, worlds []*World) {
	var lines []string
	b.print("struct contract { unsigned char dedupes, window, windowEnd, byOrder, firstResult, byKnown, byUnknown, asksTheirs, webhook, arrival, found, ages, target, maxAttempts, maxQueries, processing, resolvedDone, resolvedNot, past, money; };\n")
	for _, w := range worlds {
		t := w.engine.Terms(&w.payment)
		c := &t.Contract
		a, dedupes := agesOf(t)
		past := slices.IndexFunc(a.cuts, func(d time.Duration) bool { return d >= t.Limits.MaxElapsed }) + 1
		target := w.payment.Operation == policy.Capture || w.payment.Operation == policy.Cancel
		lines = append(lines, fmt.Sprintf("{ %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d }",
			bit(dedupes), a.window, a.windowEnd, bit(slices.Contains(c.Dedupe, policy.OrderID)), bit(c.Replay == policy.FirstResult),
			by(c.QueryIdentifier(true)), by(c.QueryIdentifier(false)), bit(!target && slices.Contains(c.QueryBy, policy.ProviderID)), bit(c.Webhook),
			a.arrival, a.found, len(a.cuts), bit(target), min(t.Limits.MaxAttempts, 200), min(t.Limits.MaxQueries, 200),
			w.fact(processing), w.fact(resolvedDone), w.fact(resolvedNot), past, bit(w.saysMoney())))
	}
	b.lines("struct contract", "CONTRACT", lines)
}

func bit(on bool) int {
	if on {
		return 1
	}
	return 0
}

// by is the number of an identifier in the model.
func by(id policy.Identifier) int {
	return slices.Index([]policy.Identifier{"", policy.OrderID, policy.RequestID, policy.ProviderID}, id)
}

// facts writes what the flow reads of each fact, and the facts that it makes of it.
func facts(d *data, worlds []*World) {
	column := func(name string, of func(w *World, f policy.Fact) int) {
		var names []string
		for _, w := range worlds {
			row := make([]int, len(w.facts))
			for i, f := range w.facts {
				if i > 0 {
					row[i] = of(w, f)
				} else if name == "F_NAMED" {
					row[i] = 255
				}
			}
			names = append(names, d.array("unsigned char", row))
		}
		d.column(name, names)
	}
	// A fact that the flow cannot make of this one has the number 0, which no decision is looked up by.
	to := func(f func(policy.Fact) policy.Fact) func(*World, policy.Fact) int {
		return func(w *World, from policy.Fact) int { return w.known(f(from)) }
	}
	column("F_EFFECT", func(_ *World, f policy.Fact) int { return int(f.Effect) })
	column("F_MADE", func(_ *World, f policy.Fact) int { return int(f.Stage) })
	column("F_NAMED", func(_ *World, f policy.Fact) int { return int(f.Class) })
	column("F_READ", func(_ *World, f policy.Fact) int {
		return slices.Index([]policy.Class{policy.NotFound, policy.Disputed, policy.Mismatch, policy.Conflict}, f.Class) + 1
	})
	column("F_LOWER", to(lowered))
	column("F_ABSENT", to(absent))
	column("F_MISMATCH", to(mismatch))
	column("F_DISPUTED", to(disputed))
	column("F_CONFLICT", to(conflict))
	column("F_OTHER", to(foreign))
}

// known returns the number of a fact, and 0 when the world does not have it.
func (w *World) known(f policy.Fact) int {
	before := len(w.facts)
	n := w.fact(f)
	if len(w.facts) > before { // it was made up just now
		w.facts = w.facts[:before]
		for k, v := range w.number {
			if v == n {
				delete(w.number, k)
			}
		}
		return 0
	}
	return n
}

// answers writes the facts that answers prove by themselves.
func answers(d *data, worlds []*World) {
	var numbers, news, lists []string
	for _, w := range worlds {
		count, settled := make([]int, len(w.judged)), make([]int, len(w.judged))
		for ph, list := range w.judged {
			count[ph] = len(list)
			row := make([]int, len(list))
			for k, j := range list {
				row[k] = j.fact
				if w.facts[j.fact].Effect != policy.Unknown {
					settled[ph] = k + 1
				}
			}
			lists = append(lists, d.array("unsigned char", row))
		}
		numbers = append(numbers, d.array("unsigned char", count))
		news = append(news, d.array("unsigned char", settled))
	}
	d.column("JUDGED_N", numbers)
	d.column("NEWS_N", news)
	d.column("JUDGED_BY", lists)
}

// decisions writes the table: which decisions the rules can come to about an answer, the fact that they are shown
// with it, and doubt.
func decisions(d *data, worlds []*World) {
	var tables, answered []string
	var list, from []int // from: where each set begins in the list; the first is that of nothing in the table
	from = append(from, 0)
	var all []decision
	number := map[decision]int{}
	for _, w := range worlds {
		base := len(from)
		for _, set := range w.sets {
			from = append(from, len(list))
			for _, text := range strings.Fields(strings.Trim(set, "[]")) {
				n, _ := strconv.Atoi(text)
				one := w.decisions[n]
				if _, known := number[one]; !known {
					number[one] = len(all)
					all = append(all, one)
				}
				list = append(list, number[one])
			}
		}
		for ph := range w.judged {
			tables = append(tables, strconv.Itoa(len(answered)))
			for k := range w.judged[ph] {
				answered = append(answered, d.array("unsigned short", w.decided(ph, k, base)))
			}
		}
	}
	d.lines("unsigned short *const", "ROWS", answered)
	d.lines("int", "ROWS_OF", tables)
	d.lines("int", "FROM", append(texted(from), strconv.Itoa(len(list))))
	d.lines("int", "LISTED", texted(list))
	var lines []string
	for _, one := range all {
		lines = append(lines, fmt.Sprintf("{ %d, %d, %d }", one.action, bit(one.waits), one.rule))
	}
	d.print("struct decision { unsigned char action, waits, rule; };\n")
	d.lines("struct decision", "DECISION", lines)
}

// decided is where the decisions about an answer stand, by what the rules are shown with it.
func (w *World) decided(ph, judged, base int) []int {
	row := make([]int, 2*len(w.facts))
	for c, n := range w.table {
		if int(c.phase) == ph && c.judged == judged {
			row[2*c.shown+bit(c.inDoubt)] = n + base
		}
	}
	return row
}

func texted(numbers []int) []string {
	list := make([]string, len(numbers))
	for i, n := range numbers {
		list[i] = strconv.Itoa(n)
	}
	return list
}

const lookup = `
extern void exit(int);
extern char *getenv(const char *);
extern int atoi(const char *);
static int chosen = -1, max_requests = 3;
static void choose_table(void) {
  const char *s = getenv("TABLE");
  if (s) chosen = atoi(s);
  s = getenv("REQUESTS");
  if (s) max_requests = atoi(s);
}
static int found_from, found_to, taken_action, taken_wait, taken_rule;
static void look(int t, int phase, int judged, int shown, int doubt) {
  int set = ROWS(ROWS_OF(3 * t + phase) + judged)[2 * shown + doubt];
  if (set == 0) { printf("no entry: table %d, phase %d, answer %d, fact %d, in doubt %d\n", t, phase, judged, shown, doubt); exit(3); }
  found_from = 0; found_to = FROM(set + 1) - FROM(set);
}
static void take(int t, int phase, int judged, int shown, int doubt, int n) {
  int d = LISTED(FROM(ROWS(ROWS_OF(3 * t + phase) + judged)[2 * shown + doubt]) + n);
  taken_action = DECISION(d).action; taken_wait = DECISION(d).waits; taken_rule = DECISION(d).rule;
}
static unsigned char reported[TABLES][6][256];
static void report(int t, int property, int rule) {
  if (!reported[t][property][rule]) { reported[t][property][rule] = 1; printf("broken %d S%d %d\n", t, property, rule); fflush(0); }
}
`
