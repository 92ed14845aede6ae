package adversary

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing/fstest"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// set is a drawn rule set. Its parts stand apart, so that a smaller set can be made of it.
type set struct {
	product
	beside []string // other merchants with a file, whose rules are proved together with these
	blocks []block
}

// block is a piece of one file: a rule, or a table such as [limits].
type block struct {
	file  string
	text  string
	fixed bool // the set cannot do without it
}

// files are the files of a set.
func (s *set) files() map[string]string {
	files := map[string]string{}
	for _, b := range s.blocks {
		files[b.file] += b.text + "\n"
	}
	return files
}

func (s *set) open() (*ruleset.Engine, error) {
	fsys := fstest.MapFS{}
	for name, text := range s.files() {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return ruleset.OpenFS(fs.FS(fsys))
}

// mini is a small provider of every kind of fact. Products of it are proved in a fraction of the
// time that those of the real providers need.
const mini = `
name        = "mini"
title       = "Mini"
currency    = "USD"
amount_unit = "major"
operations  = ["pay", "checkout", "capture", "cancel", "refund", "payout"]
sources     = ["a test"]
%s
[[decode]]
code        = "code"
sub_code    = "reason"
status      = "state"
sub_status  = "step"
order_id    = "order"
request_id  = "request"
provider_id = "id"

[[envelope]]
body = '{"code":"$code","reason":"$sub_code","state":"$status","step":"$sub_status","order":"$order_id","request":"$request_id","id":"$provider_id"}'
`

// miniOperations are those of the small provider.
var miniOperations = []policy.Operation{policy.Pay, policy.Checkout, policy.Capture, policy.Cancel, policy.Refund, policy.Payout}

// miniRow is a code or status of the small provider; its facts are drawn.
type miniRow struct{ key, class, effects string }

var miniRows = []miniRow{
	{`code = "00"`, "success", "executed"},
	{`code = "11"`, "insufficient_funds", "not_executed"},
	{`code = "20"`, "processing", "pending"},
	{`code = "29"`, "customer_action", "pending"},
	{`code = "30"`, "rate_limited", "not_executed door"},
	{`code = "31"`, "credentials", "not_executed door"},
	{`code = "40"`, "duplicate_request", "unknown"},
	{`code = "44"`, "not_found", "unknown door"},
	{`code = "50"`, "provider_error", "unknown"},
	{`code = "A7"`, "disputed", "executed"},
	{`code = "x-1"`, "issuer_declined", "not_executed"},
	{`status = "DONE"`, "success", "executed"},
	{"status = \"DONE\"\nsub_status = \"HELD\"", "authorized", "executed"},
	{`status = "OPEN"`, "processing", "pending"},
	{`status = "DEAD"`, "issuer_declined", "not_executed"},
	{"status = \"DEAD\"\nsub_status = \"LATE\"", "expired", "not_executed"},
}

// claimRows say something of the money, beside what became of the request. With them a proof takes longer.
var claimRows = []miniRow{
	{`code = "A8"`, "disputed", "unknown"},
	{`code = "70"`, "mismatch", "unknown"},
	{`code = "71"`, "mismatch", "executed"},
}

// drawMini draws the small provider's catalogue: rows, and what it promises. It returns the codes of the rows.
func drawMini(r *rand.Rand) (text string, codes []string) {
	var b strings.Builder
	contract := drawContract(r, "", true)
	for _, op := range miniOperations {
		if r.IntN(6) == 0 {
			contract += drawContract(r, "."+op.String(), true)
		}
	}
	fmt.Fprintf(&b, mini, contract)
	codes = []string{"00", "11", "20", "30", "40", "44", "50", "A7", "x-1"}
	if r.IntN(4) == 0 {
		codes = append(codes, "A8", "70", "71")
		for _, row := range claimRows {
			row.write(&b, r, "")
		}
	}
	for _, row := range miniRows {
		row.write(&b, r, "")
	}
	if r.IntN(3) == 0 { // a place where some of them mean what others mean elsewhere
		b.WriteString("\n[deployment.east]\ntitle = \"East\"\nsources = [\"a test\"]\n")
		for _, i := range r.Perm(len(miniRows))[:1+r.IntN(4)] {
			row := miniRows[r.IntN(len(miniRows))]
			if row.key = miniRows[i].key; row.key == `code = "40"` {
				row.effects = "unknown" // the contract may say that it refuses a repeat
			}
			row.write(&b, r, "deployment.east.")
		}
	}
	return b.String(), codes
}

// write draws the facts of a row, and writes it to a table of a catalogue.
func (row *miniRow) write(b *strings.Builder, r *rand.Rand, table string) {
	kind, _, _ := strings.Cut(row.key, " ")
	effect, stage, _ := strings.Cut(row.effects, " ")
	if stage == "" {
		stage = "result"
	}
	fmt.Fprintf(b, "\n[[%s%s]]\n%s\nclass = %q\nfinal = %q\ndescription = \"It says so.\"\nfacts = [\n", table, kind, row.key, row.class, one(r, "yes", "no"))
	for _, ph := range policy.Phases() {
		e := effect
		if stage == "door" && ph != policy.Send || r.IntN(12) == 0 {
			e = "unknown"
		}
		reach := "payment"
		if e == "pending" && r.IntN(4) == 0 {
			reach = "attempt"
		}
		fmt.Fprintf(b, "  { operation = \"*\", phase = %q, effect = %q, stage = %q, reach = %q, basis = \"documented\", because = \"a test\" },\n", ph, e, stage, reach)
	}
	b.WriteString("]\n")
}

// drawContract draws the lines of a contract, or of one operation's. Those that contradict each other are refused when they are loaded.
func drawContract(r *rand.Rand, of string, replayCodes bool) string {
	var b strings.Builder
	b.WriteString("\n[contract" + of + "]\n")
	fmt.Fprintf(&b, "timeout  = %q\n", one(r, "10s", "30s"))
	queryBy := one(r, `[]`, `["order_id"]`, `["order_id"]`, `["request_id"]`, `["provider_id"]`, `["provider_id", "order_id"]`)
	fmt.Fprintf(&b, "query_by = %s\n", queryBy)
	fmt.Fprintf(&b, "webhook  = %s\n", one(r, "true", "false"))
	dedupe := one(r, `[]`, `["request_id"]`, `["request_id"]`, `["order_id"]`, `["request_id", "order_id"]`)
	fmt.Fprintf(&b, "dedupe   = %s\n", dedupe)
	window := one(r, "", "2m", "30m", "24h", "744h")
	if window != "" && dedupe != `[]` {
		fmt.Fprintf(&b, "dedupe_window = %q\n", window)
	}
	replay := one(r, "", "first_result", "first_result", "rejected")
	if dedupe == `[]` {
		replay = one(r, "", "executed_again")
	}
	if of != "" && replay == "" { // else that of the provider holds, and may deny the line above
		replay = map[bool]string{true: "executed_again", false: "first_result"}[dedupe == `[]`]
	}
	if replay != "" {
		fmt.Fprintf(&b, "replay = %q\n", replay)
		if replayCodes {
			b.WriteString("replay_codes = [\"40\"]\n")
		}
	}
	if r.IntN(2) == 0 {
		grace := one(r, "30s", "1m", "10m")
		if window == "2m" {
			grace = one(r, "30s", "1m")
		}
		fmt.Fprintf(&b, "arrival_grace = %q\n", grace)
	}
	if r.IntN(2) == 0 && queryBy != `[]` {
		fmt.Fprintf(&b, "not_found_after = %q\n", one(r, "1m", "10m", "1h"))
	}
	return b.String()
}

func drawLimits(r *rand.Rand) string {
	return fmt.Sprintf("[limits]\nmax_attempts = %d\nmax_queries = %d\nmax_elapsed = %q\nmax_retry_after = %q\n",
		1+r.IntN(4), 1+r.IntN(one(r, 3, 6)), one(r, "1m", "10m", "20m", "2h", "26h", "48h"), one(r, "30s", "10m", "1h"))
}

// The rules that end every set: what they do is safe, whatever stands before them.
var lastRules = []string{
	rule("contested", `class in ["disputed", "mismatch", "conflict"]`, "escalate", ""),
	rule("executed", `effect == "executed"`, "mark_succeeded", ""),
	rule("in-doubt", `in_doubt || effect in ["unknown", "pending"]`, "query_status", ""),
	rule("failed", `effect == "not_executed"`, "mark_failed", ""),
}

func rule(id, when, then, schedule string) string {
	s := fmt.Sprintf("[[rule]]\nid   = %q\nwhen = '''%s'''\nthen = %q\n", id, when, then)
	if schedule != "" {
		s += fmt.Sprintf("schedule = %q\n", schedule)
	}
	return s
}

const schedules = "[schedule.poll]\nintervals = [\"5s\", \"1m\", \"1h\"]\n\n[schedule.retry]\nintervals = [\"2s\", \"1m\"]\n\n" +
	"[schedule.slow]\ninitial_interval = \"30s\"\nmultiplier = 3.0\nrandomization_factor = 0.5\nmax_interval = \"2h\"\n"

// drawSet draws a rule set: mostly safe rules, and in most sets one that may not be.
// With counts, the small provider's, and the one that may not be safe is safe only by counts.
func drawSet(seed uint64, shipped *providers.Catalogs, counts bool) (*set, map[string]int) {
	r := rand.New(rand.NewPCG(seed, 0x5e7))
	s := &set{product: product{provider: "mini", op: one(r, append(miniOperations, policy.Pay)...), merchant: one(r, "", "acme", "acme")}}
	w := &writer{Rand: r, words: words(), merchant: []string{"acme", "vip", "v"}, used: map[string]int{}}
	if r.IntN(4) == 0 && !counts {
		s.provider = one(r, "opi", "opi", "momo", "shopline", "paykka", "stripe", "vnpay")
	}
	if c, err := shipped.Get(s.provider); err == nil {
		s.op = one(r, c.Operations...)
		w.catalogue(c)
	} else {
		text, codes := drawMini(r)
		s.blocks = append(s.blocks, block{file: "providers/mini.toml", text: text, fixed: true})
		w.codes, w.statuses, w.subs = codes, []string{"DONE", "OPEN", "DEAD"}, []string{"HELD", "LATE", ""}
	}
	w.provider, w.op = s.provider, s.op.String()
	baseline, layer, own := "baseline.toml", s.provider+".toml", "merchants/acme.toml"
	s.blocks = append(s.blocks,
		block{file: baseline, text: drawLimits(r), fixed: true}, block{file: baseline, text: schedules, fixed: true},
		block{file: layer, text: fmt.Sprintf("provider = %q\n", s.provider), fixed: true},
	)
	files := []string{baseline, layer}
	if s.merchant != "" {
		files = append(files, own, own)
		s.drawMerchant(r, own)
		if r.IntN(3) == 0 {
			s.beside = []string{"nearby"}
			s.drawMerchant(r, "merchants/nearby.toml")
			when, then := w.safeRule()
			s.blocks = append(s.blocks, block{file: "merchants/nearby.toml", text: rule("near", when, then, "")})
		}
	}
	n := 1 + r.IntN(4)
	bad := -1
	if r.IntN(2) > 0 || counts {
		bad = r.IntN(n)
	}
	for i := range n {
		when, then := w.safeRule()
		if i == bad {
			if when, then = w.doubtfulRule(); counts {
				when = w.counted() + one(r, " && in_doubt", " && in_doubt", ` && effect == "not_executed"`, ` && effect != "executed"`)
			}
		}
		schedule := ""
		if then != "mark_failed" && then != "mark_succeeded" && r.IntN(3) == 0 {
			schedule = one(r, "slow", "poll", "retry")
		}
		s.blocks = append(s.blocks, block{file: one(r, files...), text: rule(fmt.Sprintf("r%d", i), when, then, schedule)})
	}
	for _, text := range lastRules {
		s.blocks = append(s.blocks, block{file: baseline, text: text, fixed: true})
	}
	return s, w.used
}

// drawMerchant draws what a merchant's file says beside rules.
func (s *set) drawMerchant(r *rand.Rand, file string) {
	s.blocks = append(s.blocks, block{file: file, text: "description = \"drawn\"\n", fixed: true})
	where := s.place(r)
	switch {
	case r.IntN(3) == 0:
		s.blocks = append(s.blocks, block{file: file, text: drawContract(r, "", false) + where})
	case where != "":
		s.blocks = append(s.blocks, block{file: file, text: "[contract]\n" + where})
	}
	if r.IntN(6) == 0 { // of one operation alone
		s.blocks = append(s.blocks, block{file: file, text: drawContract(r, "."+one(r, s.op, policy.Pay, policy.Refund).String(), false)})
	}
	if r.IntN(3) == 0 {
		s.blocks = append(s.blocks, block{file: file, text: drawLimits(r)})
	}
}

// place draws where a merchant meets the provider, if the provider has several places; empty: it does not say.
func (s *set) place(r *rand.Rand) string {
	east := s.provider == "mini" && strings.Contains(s.blocks[0].text, "[deployment.east]")
	switch {
	case east && r.IntN(3) > 0:
		return "deployment = { mini = \"east\" }\n"
	case s.provider == "opi" && r.IntN(2) == 0:
		return fmt.Sprintf("deployment = { opi = %q }\n", one(r, "indonesia", "philippines"))
	}
	return ""
}

func (w *writer) catalogue(c *providers.Catalog) {
	for _, row := range c.Codes {
		w.codes = append(w.codes, row.Code)
	}
	w.statuses, w.subs = []string{""}, []string{""}
	for _, row := range c.Statuses {
		w.statuses, w.subs = append(w.statuses, row.Status), append(w.subs, row.SubStatus)
	}
}

// safeRule draws a rule that is safe by the part that it ends with.
func (w *writer) safeRule() (when, then string) {
	c := w.condition(1 + w.IntN(2))
	switch w.IntN(6) {
	case 0:
		return c, "query_status"
	case 1:
		return c, "escalate"
	case 2:
		return "(" + c + `) && effect == "executed" && class not in ["mismatch", "disputed", "conflict"]`, "mark_succeeded"
	}
	return "(" + c + `) && !in_doubt && effect == "not_executed"`, one(w.Rand, "retry_same_request", "retry_new_request", "retry_new_order", "mark_failed")
}

// guards are parts of conditions that make some actions safe, or nearly so.
var guards = []string{
	"", "", "!in_doubt", `effect == "not_executed"`, `effect != "executed"`, `effect != "unknown" && !in_doubt`, `class not in ["mismatch"]`,
	`effect == "executed"`, `fault == "not_sent"`, `stage == "door" && effect == "not_executed"`, `phase == "send" && attempt == 1`, `phase == "query"`,
	`phase == "webhook"`, `in_doubt`, `in_doubt && effect != "executed"`, `elapsed < duration("1m")`, `fired < 1`, `class == "not_found" && phase == "query"`,
	`effect == "executed" && class != "mismatch"`, `reach == "payment"`, `final == "yes"`,
}

// doubtfulRule draws a rule that may be safe or not: a condition, half a guard, and an action.
func (w *writer) doubtfulRule() (when, then string) {
	then = one(w.Rand, "retry_same_request", "retry_new_request", "retry_new_order", "mark_failed", "mark_succeeded")
	switch w.IntN(5) {
	case 0, 1:
		return w.narrow(), then
	case 2:
		return w.counted() + one(w.Rand, " && in_doubt", " && in_doubt", ` && effect == "not_executed"`, ` && effect != "executed"`, ""), then
	}
	when = w.condition(w.IntN(3))
	if g := one(w.Rand, guards...); g != "" {
		when = "(" + when + ") && " + g
	}
	return when, then
}

// counted draws a condition on counts and the flow's time, with numbers near the limits that are drawn. Whether the rule is safe rests on them.
func (w *writer) counted() string {
	w.use("narrow", "counted")
	count := func() string { return one(w.Rand, "attempt", "attempt", "queries", "queries", "fired") }
	plain := func() string {
		if w.IntN(4) == 0 {
			return "elapsed " + one(w.Rand, "<", "<=", ">", ">=", "==") + " duration(" + quote(one(w.Rand, "0s", "1m", "9m59s", "10m", "20m", "2h", "26h", "47h")) + ")"
		}
		return fmt.Sprintf("%s %s %d", count(), one(w.Rand, "<", "<=", ">", ">=", "==", "!="), w.IntN(8))
	}
	n := w.IntN(5)
	return "(" + one(w.Rand,
		plain(), plain(), plain()+" && "+plain(), plain()+" || "+plain(),
		"("+plain()+" ? "+plain()+" : "+plain()+")", "("+plain()+") == ("+plain()+")", "!("+plain()+")",
		fmt.Sprintf("%s in [%d, %d]", count(), n, n+1+w.IntN(3)), fmt.Sprintf("%s >= %d && %s <= %d", count(), n, count(), n+w.IntN(4)),
		fmt.Sprintf("%s + %s > %d", count(), count(), w.IntN(12)), fmt.Sprintf("%s - %s >= %d", count(), count(), w.IntN(4)), fmt.Sprintf("%s * %d <= %s", count(), 1+w.IntN(3), count()),
	) + ")"
}

// narrow draws a condition that few answers or payments meet, of fields that are seldom seen
// together. A checker that lists answers by hand overlooks them.
func (w *writer) narrow() string {
	code, other := quote(one(w.Rand, w.codes...)), quote(one(w.Rand, w.codes...))
	http := one(w.Rand, "http_status == 502", "http_status >= 500", "http_status == 200", "http_status == 429", "http_status == 599")
	class := quote(one(w.Rand, w.words["class"]...))
	name := one(w.Rand, "code", "sub_code", "status", "sub_status")
	w.use("narrow", name)
	return one(w.Rand,
		"fault == "+quote(one(w.Rand, "timeout", "reset", "unreadable"))+" && "+http,
		"code == "+code+" && sub_code == "+other,
		"status == "+quote(one(w.Rand, w.statuses...))+" && sub_status == "+quote(one(w.Rand, w.subs...)),
		w.textual(name, one(w.Rand, w.codes...)), w.textual(name, one(w.Rand, w.codes...)),
		"class == "+class+" && "+http,
		"class == "+class+" && code == "+code,
		`effect == "executed" && code == `+code,
		`phase == "webhook" && class == `+class+` && effect == "unknown"`,
		`phase == "webhook" && code == ""`,
		`capture == "manual" && in_doubt`, `amount == 0 && effect == "unknown"`, `currency == "" && in_doubt`, `lower(currency) == "usd" && effect == "unknown"`,
		`merchant == "vip" && in_doubt`, `merchant startsWith "v" && effect == "unknown"`,
		`final == "no" && reach == "attempt" && in_doubt`, `retry_after > duration("1m") && in_doubt`, `hour == 9 && weekday == "monday" && in_doubt`,
		`message contains "retry" && in_doubt`, `tags.tier == "gold" && effect == "unknown"`, `queries > attempt && in_doubt`,
		`elapsed + retry_after > duration("26h") && in_doubt`, `fired == 1 && in_doubt`,
		"(in_doubt ? "+one(w.Rand, w.number(), w.span())+" : false) && in_doubt", "("+w.number()+") == ("+w.number()+") && in_doubt",
		"phase == "+quote(one(w.Rand, "send", "query", "webhook"))+" && class == "+quote(one(w.Rand, "conflict", "unrecognized", "processing"))+one(w.Rand, " && in_doubt", " && !in_doubt"),
	)
}
