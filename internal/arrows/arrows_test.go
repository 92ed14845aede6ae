// Package arrows holds the test that the packages know only those below them.
package arrows

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/recourse-pay/recourse/"

// may lists what each package may import of ours, and why the rest is not for it.
var may = map[string]struct {
	imports []string
	why     string
}{
	"policy":                           {nil, "the vocabulary: every package imports it, so it imports none"},
	"internal/source":                  {[]string{"policy"}, "TOML with positions; it does not know what the keys mean"},
	"internal/contract":                {[]string{"policy", "internal/source"}, "the lines of a contract, of a catalogue's and of a merchant's"},
	"providers":                        {[]string{"policy", "internal/source", "internal/contract"}, "facts; a catalogue knows no rule and no flow"},
	"internal/adversary":               {[]string{"policy", "providers", "rules", "internal/ruleset", "internal/verify", "flow"}, "plays rule sets that verify calls proved; it shares no search with verify, and no package imports it"},
	"rules":                            {[]string{"policy", "internal/source", "internal/contract"}, "what merchants want; it knows no provider and does not compile"},
	"internal/question":                {[]string{"policy", "internal/source"}, "the form of a situation that the rules are asked about; it asks nothing"},
	"internal/condition":               {[]string{"policy"}, "the variables of a condition, their values, and its tree; no rule and no region"},
	"internal/bundle":                  {nil, "a folder as one file; what is in it, it does not know"},
	"internal/ruleset":                 {[]string{"policy", "internal/bundle", "internal/condition", "internal/source", "providers", "rules"}, "decides; what may be done now is not its business"},
	"engine":                           {[]string{"policy", "providers", "internal/ruleset"}, "what a user needs of the compiled rules, and no more"},
	"flow":                             {[]string{"policy"}, "pure: facts and decisions reach it through policy.Decider"},
	"internal/emulation":               {[]string{"policy", "internal/source", "providers"}, "a provider knows neither rules nor flows; no I/O"},
	"emulator":                         {[]string{"policy", "internal/emulation", "providers"}, "a provider behind HTTP; it knows neither rules nor flows"},
	"internal/region":                  {nil, "sets and boxes; what a dimension means it does not know"},
	"internal/space":                   {[]string{"internal/question", "internal/condition", "policy", "providers", "rules", "internal/ruleset", "internal/region"}, "situations as regions; it makes no finding and drives no flow"},
	"internal/draw":                    {[]string{"policy", "providers", "rules", "internal/ruleset", "flow", "internal/source"}, "makes rules and situations for tests; only tests import it"},
	"internal/check":                   {[]string{"policy", "providers", "rules", "internal/condition", "internal/ruleset", "internal/source", "internal/region", "internal/space"}, "looks at rules; what they do in a flow is for verify"},
	"internal/diff":                    {[]string{"policy", "providers", "internal/ruleset", "internal/region", "internal/space"}, "holds two sets of rules against each other; it drives nothing"},
	"internal/outage":                  {[]string{"policy", "internal/breaker", "internal/emulation", "internal/source", "providers", "flow"}, "plays flows at an emulated provider that has an outage; where they come from it does not know"},
	"simulate":                         {[]string{"policy", "internal/emulation", "internal/outage", "internal/recorded", "internal/source", "providers", "flow"}, "a driver: no other driver, and rules only as a policy.Decider"},
	"internal/audit":                   {[]string{"policy", "internal/recorded", "providers"}, "looks for harm in what was recorded; it drives no flow"},
	"internal/scenarios":               {[]string{"policy", "providers", "engine", "flow", "executor", "journal", "internal/emulation"}, "payments and faults for the tests of every driver; only tests import it"},
	"internal/generate":                {[]string{"policy", "internal/recorded", "providers", "internal/ruleset", "flow", "internal/emulation"}, "makes recordings; no package imports it"},
	"internal/release":                 {nil, "writes the modules as a proxy; no package imports it"},
	"internal/recorded":                {[]string{"policy"}, "the format of a recording; what a body means is the catalogue's to say"},
	"internal/cards":                   {nil, "card numbers in a text; what else a text holds it does not know"},
	"internal/origin":                  {nil, "whether a web page of another site may have made a request; what the request asks for it does not know"},
	"internal/console":                 {[]string{"internal/cards"}, "the admin handler as pages; it knows its JSON, and neither a flow nor a journal"},
	"internal/redact":                  {[]string{"policy", "internal/cards", "internal/recorded", "providers"}, "keeps of an answer what its catalogue reads; where it comes from it does not know"},
	"internal/observed":                {[]string{"policy", "internal/recorded", "executor"}, "what an observer sees, as lines of a recording; it redacts nothing and writes nothing"},
	"recording":                        {[]string{"policy", "internal/recorded", "internal/redact", "internal/observed", "providers", "flow", "executor"}, "watches the executor and writes what a catalogue reads in an answer; it does not decide, and reads nothing back"},
	"internal/verify":                  {[]string{"policy", "internal/bundle", "internal/certificate", "internal/certify", "internal/condition", "internal/region", "internal/space", "internal/outfile", "internal/recorded", "internal/source", "providers", "rules", "internal/ruleset", "flow"}, "all paths of a flow: no other driver, no clock"},
	"internal/certificate":             {[]string{"policy", "flow", "providers"}, "the file of a proof; it proves nothing and checks nothing"},
	"internal/certify":                 {[]string{"policy", "flow", "engine", "internal/certificate"}, "checks a proof; it shares nothing with the search but the machine and the rules"},
	"internal/promela":                 {[]string{"policy", "providers", "internal/ruleset"}, "writes the flow and the rules for Spin; it shares nothing with the search that it is compared with"},
	"internal/advice":                  {[]string{"policy", "internal/question", "internal/ruleset", "flow"}, "one question to rules and flow, and how the answer is shown; it drives nothing"},
	"ruletest":                         {[]string{"internal/ruleset", "internal/ruletest"}, "the tests of rules as tests of Go, and no more"},
	"internal/ruletest":                {[]string{"policy", "internal/bundle", "internal/condition", "internal/source", "internal/advice", "providers", "rules", "internal/ruleset", "flow"}, "a driver for tests of rules: no other driver, no clock"},
	"cmd/recourse":                     {[]string{"policy", "internal/bundle", "providers", "rules", "internal/advice", "internal/ruleset", "flow", "emulator", "simulate", "internal/outage", "executor", "journal", "journal/sqlite", "journal/postgres", "internal/check", "internal/diff", "internal/verify", "engine", "internal/certificate", "internal/certify", "internal/promela", "internal/ruletest", "internal/outfile", "internal/redact", "internal/source", "schema", "cmd/recourse/internal/imports", "cmd/recourse/internal/traffic", "internal/audit", "recording", "otel", "cmd/recourse/internal/service", "cmd/recourse/internal/decisions", "cmd/recourse/internal/access"}, "wires everything; no package imports it"},
	"executor":                         {[]string{"policy", "flow", "journal", "internal/breaker", "internal/cards", "internal/console", "internal/origin", "internal/stored"}, "a driver: no other driver; rules and what providers say reach it through executor.Rules"},
	"internal/stored":                  {[]string{"policy", "flow"}, "the form of a flow that is written down; when and where to it does not know"},
	"webhook":                          {[]string{"providers", "executor"}, "a URL that providers call; what a webhook proves is not its business"},
	"journal":                          {[]string{"policy"}, "stores rows; what a flow is it does not know"},
	"journal/internal/rowqueue":        {[]string{"journal"}, "rows that wait for their commit; where they are stored it does not know"},
	"journal/sqlite":                   {[]string{"journal", "journal/internal/rowqueue", "policy"}, "a journal like any other: it knows no flow either"},
	"journal/postgres":                 {[]string{"journal", "journal/internal/rowqueue"}, "a journal like any other: it knows no flow either"},
	"durable/river":                    {[]string{"policy", "executor", "journal", "journal/postgres"}, "pokes flows by jobs; what a flow does it does not know, and nothing below knows River"},
	"durable/temporal":                 {[]string{"policy", "flow", "executor", "journal", "internal/cards", "internal/stored"}, "a driver: it carries the machine out in workflows; which rules and which journal, it does not know"},
	"journal/journaltest":              {[]string{"journal", "policy"}, "proves journals by their interface alone"},
	"examples/checkout":                {[]string{"policy", "providers", "engine", "flow", "emulator", "executor", "webhook", "journal", "journal/sqlite", "recording"}, "a shop, as a user would write it; no package imports it"},
	"examples/cluster":                 {[]string{"policy", "providers", "engine", "flow", "emulator", "executor", "journal", "journal/postgres", "internal/pgserver"}, "two workers on one database, as a user would write them; no package imports it"},
	"examples/foreign":                 {[]string{"policy"}, "turns a table into rules, as a user would; no package imports it"},
	"examples/sdk":                     {[]string{"policy", "executor"}, "payment SDKs as clients, as a user would write them; no package imports it"},
	"journal/sqlite/internal/killtest": {nil, "a test: no package imports it"},
	"schema":                           {nil, "data for editors"},
	"internal/breaker":                 {nil, "counts failures; whose they are it does not know"},
	"internal/outfile":                 {nil, "writes a file that a user named; what is in it, it does not know"},
	"internal/loopback":                {nil, "ports of the loopback; what listens there it does not know"},
	"internal/pgserver":                {[]string{"internal/loopback"}, "runs a server for tests and an example; no driver, no journal"},
	"internal/testkit":                 {nil, "only tests import it"},
	"cmd/recourse/internal/access":     {[]string{"internal/source"}, "who may call the service, and for whom; it knows neither HTTP nor journals"},
	"cmd/recourse/internal/decisions":  {[]string{"policy", "internal/advice", "internal/observed", "internal/recorded", "internal/redact", "internal/ruleset", "providers", "executor"}, "the log of decisions and its reader; the rules decide"},
	"cmd/recourse/internal/service":    {[]string{"policy", "providers", "cmd/recourse/internal/access", "cmd/recourse/internal/decisions", "internal/advice", "internal/origin", "internal/ruleset", "flow", "executor", "journal"}, "the executor and the rules behind HTTP; it decides nothing itself"},
	"cmd/recourse/internal/traffic":    {[]string{"policy", "internal/source"}, "files of other tools; what a call means it does not know"},
	"cmd/recourse/internal/imports":    {[]string{"policy", "providers", "internal/recorded", "internal/redact", "internal/source", "cmd/recourse/internal/traffic"}, "makes recordings of foreign calls; it decides nothing"},
	"cmd/recourse/browsertest":         {nil, "tests of pages in a browser: no package imports it"},
	"cmd/recourse/internal/schematest": {nil, "tests: no package imports it"},
	"otel":                             {[]string{"policy", "flow", "executor"}, "watches the executor"},
	"otel/prometheus":                  {nil, "an example and tests; no package imports it"},
	"bench":                            {nil, "tests: no package imports it"},
	"internal/arrows":                  {nil, "this test"},
	"docs":                             {nil, "the test of the documents; no package imports it"},
}

// forbidden are packages of the standard library that the core must not use.
var forbidden = map[string]map[string]string{
	"policy": {"os": "no I/O", "net/http": "no I/O", "math/rand": "no randomness", "math/rand/v2": "no randomness", "sync": "no goroutines"},
	"flow":   {"os": "no I/O", "net/http": "no I/O", "math/rand": "jitter arrives in events", "math/rand/v2": "jitter arrives in events", "sync": "no goroutines", "context": "no waiting"},
}

func TestArrowsOnlyGoDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "work").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	seen := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		path, imports, _ := strings.Cut(line, " ")
		pkg := strings.TrimPrefix(path, module)
		rule, known := may[pkg]
		if !known {
			t.Errorf("package %s is not in the picture; add it to this test with what it may import, and why", pkg)
			continue
		}
		seen++
		for _, imported := range strings.Fields(imports) {
			if reason, not := forbidden[pkg][imported]; not {
				t.Errorf("%s imports %s: %s", pkg, imported, reason)
			}
			ours, isOurs := strings.CutPrefix(imported, module)
			if isOurs && !slices.Contains(rule.imports, ours) {
				t.Errorf("%s imports %s, which is not below it: %s", pkg, ours, rule.why)
			}
			if !isOurs && pkg == "policy" && strings.Contains(imported, ".") {
				t.Errorf("policy imports %s: it is standard library only", imported)
			}
		}
	}
	if seen != len(may) {
		t.Errorf("%d of the %d packages of the picture are there", seen, len(may))
	}
}

// The pure core must not look at the clock.
func TestNoClockInTheCore(t *testing.T) {
	for _, pkg := range []string{"policy", "flow", "engine", "internal/ruleset", "rules", "providers"} {
		out, err := exec.Command("go", "list", "-f", "{{.Dir}}|{{join .GoFiles \"|\"}}", module+pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		files := strings.Split(strings.TrimSpace(string(out)), "|")
		for _, f := range files[1:] {
			checkNoClock(t, files[0]+"/"+f)
		}
	}
}
