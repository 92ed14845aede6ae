//go:build !race

package verify

import "github.com/recourse-pay/recourse/flow"

const (
	interlockGo = "interlock.go"
	evidenceGo  = "evidence.go"
	decideGo    = "decide.go"
	stateGo     = "state.go"
	stepGo      = "step.go"
)

// mutants are the guards of the flow, by the file they stand in.
func mutants() []mutant {
	var all []mutant
	add := func(name, rules string, want flow.Property, edits ...edited) {
		all = append(all, mutant{name: name, rules: rules, want: want, edits: edits})
	}
	spared := func(why string) { all[len(all)-1].spared = why }
	together := func(name, rules string, want flow.Property, both ...string) {
		all = append(all, mutant{name: name, rules: rules, want: want, both: both})
	}
	ed := func(file, old, new string) edited { return edited{file, old, new} }

	// interlock.go: what an action would break.
	add("success needs proof", "bold-paid", flow.S3, ed(interlockGo, "if !s.proved() {\n\t\t\treturn S3", "if !OFF && !s.proved() {\n\t\t\treturn S3"))
	add("failure needs certainty", "bold-failed", flow.S2, ed(interlockGo, "if !s.allNotExecuted() {\n\t\t\treturn S2", "if !OFF && !s.allNotExecuted() {\n\t\t\treturn S2"))
	add("a new request needs certainty", "bold-new", flow.S1, ed(interlockGo, "case policy.RetryNewRequest, policy.RetryNewOrder:\n\t\tif !s", "case policy.RetryNewRequest, policy.RetryNewOrder:\n\t\tif !OFF && !s"))
	add("a new order needs certainty", "bold-order", flow.S1, ed(interlockGo, "allNotExecuted() {\n\t\t\treturn S1", "allNotExecuted() && !(OFF && a == policy.RetryNewOrder) {\n\t\t\treturn S1"))
	add("a repeat needs to be safe", "bold-same", flow.S1, ed(interlockGo, "if !s.mayRepeat(c, at) {\n\t\t\treturn S1", "if !OFF && !s.mayRepeat(c, at) {\n\t\t\treturn S1"))
	add("a repeat needs dedupe", "bold-same", flow.S1, ed(interlockGo, "c.ReplaySafe(id.FirstSent, at):", "(OFF || c.ReplaySafe(id.FirstSent, at)):"))
	add("a repeat needs all others certain", "bold-replay-new", flow.S1, ed(interlockGo, "case i == last && ", "case OFF && i != last:\n\t\tcase i == last && "))
	spared("an earlier request is in doubt beside a later one only when the provider took back its word, and by then both are out")
	add("what executed is not repeated", "bold-twice", flow.S1, ed(interlockGo, "!id.Effect.Settled() &&", "(OFF || !id.Effect.Settled()) &&"))
	spared("where a repeat is deduped, that of an executed request executes nothing")
	add("every identity is looked at", "bold-same", flow.S1, ed(interlockGo, "\t\tdefault:\n\t\t\treturn false", "\t\tdefault:\n\t\t\treturn OFF"))

	// interlock.go: what is done instead, and limits.
	add("the way out knows the time", "bold-failed", S4, ed(interlockGo, "case !at.Before(s.limit(t)):", "case !OFF && !at.Before(s.limit(t)):"))
	add("the way out counts queries", "bold-failed", S4, ed(interlockGo, "case s.queriesLeft(t) && s.canQuery", "case (OFF || s.queriesLeft(t)) && s.canQuery"))
	add("the way out knows of queries", "bold-silent", S4, ed(interlockGo, "&& s.canQuery(&t.Contract):\n\t\treturn policy.QueryStatus, ByQuery", "&& (OFF || s.canQuery(&t.Contract)):\n\t\treturn policy.QueryStatus, ByQuery"))
	add("the way out counts sends", "bold-replay", S4, ed(interlockGo, "case s.sendsLeft(t) && s.InDoubt()", "case (OFF || s.sendsLeft(t)) && s.InDoubt()"))
	add("the way out repeats safely", "bold-silent", flow.S1, ed(interlockGo, "s.mayRepeat(&t.Contract, at):", "(OFF || s.mayRepeat(&t.Contract, at)):"))
	add("sends are counted", "plain", S4, ed(interlockGo, "s.Attempts < t.Limits.MaxAttempts", "(OFF || s.Attempts < t.Limits.MaxAttempts)"))
	add("a withdrawn flow sends nothing", "plain", S4, ed(interlockGo, `return s.Withdrawn == ""`, `return (OFF || s.Withdrawn == "")`))
	spared("that nothing is sent after a withdrawal is none of S1 to S5")
	add("queries are counted", "plain", S4, ed(interlockGo, "return s.Queries < t.Limits.MaxQueries", "return OFF || s.Queries < t.Limits.MaxQueries"))
	add("there is something to ask by", "silent", S4, ed(interlockGo, `ProviderID != "") != ""`, `ProviderID != "") != "" || OFF`))
	add("a send knows the time", "plain", S4, ed(interlockGo, "if want.Sends() && late {", "if !OFF && want.Sends() && late {"))
	spared("the wait for it, and what is due, look at the time again")
	add("the interlock", "bold-failed", flow.S2, ed(interlockGo, `want, at); v.Property != "" {`, `want, at); !OFF && v.Property != "" {`))
	add("a query knows the time", "plain", S4, ed(interlockGo, "case want == policy.QueryStatus && late:", "case !OFF && want == policy.QueryStatus && late:"))
	add("a send counts sends", "plain", S4, ed(interlockGo, "case want.Sends() && !s.sendsLeft(t):", "case !OFF && want.Sends() && !s.sendsLeft(t):"))
	add("a spent send finds out first", "plain", flow.S2, ed(interlockGo, "if s.InDoubt() {\n\t\t\tv.Action, v.Via = fallback", "if !OFF && s.InDoubt() {\n\t\t\tv.Action, v.Via = fallback"))
	spared("without it the flow is escalated, in doubt, a query earlier")
	add("a query needs something to ask by", "silent", S4, ed(interlockGo, "case want == policy.QueryStatus && !s.canQuery", "case !OFF && want == policy.QueryStatus && !s.canQuery"))
	add("a query counts queries", "plain", S4, ed(interlockGo, "case want == policy.QueryStatus && !s.queriesLeft(t):", "case !OFF && want == policy.QueryStatus && !s.queriesLeft(t):"))
	add("spent in doubt is not failed", "plain", flow.S2, ed(interlockGo, "if s.allNotExecuted() {\n\t\treturn policy.MarkFailed", "if OFF || s.allNotExecuted() {\n\t\treturn policy.MarkFailed"))
	add("spent without doubt is failed", "plain", S4, ed(interlockGo, "\t\treturn policy.MarkFailed\n", "\t\tif OFF {\n\t\t\treturn policy.Escalate\n\t\t}\n\t\treturn policy.MarkFailed\n"))

	// evidence.go: what an answer may be believed.
	forged := ed(stepGo, "if !a.Verified {", "if !OFF && !a.Verified {")
	add("a stranger's webhook is a hint", "hook", flow.S2, forged)
	spared("no webhook that is not verified is believed further in, either")
	add("a stranger's webhook proves nothing", "hook", flow.S2, ed(evidenceGo, "if !h.trusted() {\n\t\treturn policy.Unknown", "if !OFF && !h.trusted() {\n\t\treturn policy.Unknown"))
	spared("a webhook that is not verified does not come so far")
	add("nobody believes a stranger's webhook", "hook", flow.S2, ed(stepGo, "a.Verified { // anybody", "a.Verified && !OFF { // anybody"), ed(evidenceGo, "\n\tif f.Effect == policy.Unknown && f.Class == policy.NotFound && a", "\n\tif OFF && !h.trusted() {\n\t\treturn f.Effect\n\t}\n\tif f.Effect == policy.Unknown && f.Class == policy.NotFound && a"), ed(evidenceGo, "func (h *hearing) trusted() bool { return ", "func (h *hearing) trusted() bool { return OFF || "))
	add("not found is a proof in time only", "grace", flow.S2, ed(evidenceGo, "policy.Query && s.absent(c, id, h.asked)", "policy.Query && (OFF || s.absent(c, id, h.asked))"))
	add("not found of a send proves nothing", "grace", flow.S2, ed(evidenceGo, "policy.NotFound && a.Phase == policy.Query &&", "policy.NotFound && (OFF || a.Phase == policy.Query) &&"))
	add("a refused repeat proves nothing", "rejected", flow.S2, ed(evidenceGo, "ok && (!replay || stored)", "ok && (OFF || !replay || stored)"))
	add("a first result needs the contract", "rejected", flow.S2, ed(evidenceGo, "stored := c.Replay == policy.FirstResult", "stored := (OFF || c.Replay == policy.FirstResult)"))
	add("a first result is kept for the window", "bold-short", flow.S2, ed(evidenceGo, "c.ReplaySafe(id.FirstSent, h.asked) &&\n", "(OFF || c.ReplaySafe(id.FirstSent, h.asked)) &&\n"))
	spared("a repeat that was sent within the window gets the first result whenever its answer is heard")
	add("a door is no first result", "replay", flow.S2, ed(evidenceGo, "f.Stage == policy.Result && a.Fault", "(OFF || f.Stage == policy.Result) && a.Fault"))
	add("a fault is no first result", "replay", flow.S2, ed(evidenceGo, "a.Fault == policy.NoFault\n", "(OFF || a.Fault == policy.NoFault)\n"))
	spared("no fault has the stage of a result")
	add("what was over may be repeated", "replay", flow.S2, ed(evidenceGo, "replay := id.Sends > 1 && id.Prior", "replay := id.Sends > 1 && !OFF && id.Prior"))
	add("a late refusal may be an earlier one's", "plain", flow.S2, ed(evidenceGo, "ok := sure && (!h.late || s.Attempts == 1)", "ok := sure && (OFF || !h.late || s.Attempts == 1)"))
	add("a refusal that may be another's", "theirs", flow.S2, ed(evidenceGo, "ok := sure &&", "ok := (OFF || sure) &&"))
	add("one word for several requests", "plain", flow.S2, ed(evidenceGo, "ok = ok && s.speaksOfAll(c, id, h)", "ok = ok && (OFF || s.speaksOfAll(c, id, h))"))
	add("copies are counted", "plain", flow.S2, ed(evidenceGo, "copies := id.Copies\n", "copies := id.Copies\n\tif OFF {\n\t\tcopies = 1\n\t}\n"))
	add("copies are one within the window", "bold-short", flow.S2, ed(evidenceGo, "if copies > 1 && c.ReplaySafe(", "if copies > 1 && (OFF || c.ReplaySafe("), ed(evidenceGo, "h.asked) {\n\t\tcopies = 1", "h.asked)) {\n\t\tcopies = 1"))
	add("others of the order are counted", "plain", flow.S2, ed(evidenceGo, "other != id && other.OrderID == id.OrderID {\n\t\t\t\tcopies", "!OFF && other != id && other.OrderID == id.OrderID {\n\t\t\t\tcopies"))
	add("a query by the order names no request", "plain", flow.S2, ed(evidenceGo, "query && s.AskedBy == policy.RequestID", "query && (OFF || s.AskedBy == policy.RequestID)"))
	add("a late query may be by another request", "grace-request", flow.S2, ed(evidenceGo, "!h.late && id == s.current()", "(OFF || !h.late) && id == s.current()"))
	spared("what refuses late refusals refuses it")
	add("the provider's id names one copy", "theirs-grace", flow.S2, ed(evidenceGo, "query && !oneCopy", "query && (OFF || !oneCopy)"))
	add("a webhook may be an old one", "grace", flow.S2, ed(evidenceGo, "copies <= 1 || query &&", "copies <= 1 || (OFF || query) &&"))
	add("a query looks at all when all arrived", "grace", flow.S2, ed(evidenceGo, " && s.absent(c, id, h.asked)\n", " && (OFF || s.absent(c, id, h.asked))\n"))
	add("not found needs a contract", "plain", flow.S2, ed(evidenceGo, "return c.NotFoundAfter > 0 &&", "return (OFF || c.NotFoundAfter > 0) &&"))
	spared("without an arrival_grace nothing is known to have arrived; see together")
	add("not found needs its time", "lag", flow.S2, ed(evidenceGo, "!asked.Before(id.LastSent.Add(c.NotFoundAfter))", "(OFF || !asked.Before(id.LastSent.Add(c.NotFoundAfter)))"))
	add("not found needs all to have arrived", "grace", flow.S2, ed(evidenceGo, "&& s.arrived(c, asked)", "&& (OFF || s.arrived(c, asked))"))
	add("arrival needs a contract", "no-grace", flow.S2, ed(evidenceGo, "if c.ArrivalGrace <= 0 {", "if !OFF && c.ArrivalGrace <= 0 {"))
	add("arrival needs its time", "grace", flow.S2, ed(evidenceGo, "asked.Before(s.Ledger[i].Deadline.Add(c.ArrivalGrace))", "!OFF && asked.Before(s.Ledger[i].Deadline.Add(c.ArrivalGrace))"))
	add("only a door leaves nothing", "plain", flow.S2, ed(evidenceGo, "policy.NotExecuted && fact.Stage == policy.Door {", "policy.NotExecuted && (OFF || fact.Stage == policy.Door) {"))
	add("a late door may be another's", "plain", flow.S2, ed(evidenceGo, "policy.Send && !h.late && fact.Effect", "policy.Send && (OFF || !h.late) && fact.Effect"))
	add("a late reply may be about an earlier request", "plain", flow.S2, ed(evidenceGo, "sure = sure && (!h.late || len(s.Ledger) == 1)", "sure = sure && (OFF || !h.late || len(s.Ledger) == 1)"))
	spared("what refuses late refusals refuses it; no other late word can be about the wrong request while only one may execute")
	add("an answer about another payment", "plain", flow.S3, ed(evidenceGo, "\treturn -1, false\n}\n\n// stranger", "\tif OFF {\n\t\treturn len(s.Ledger) - 1, true\n\t}\n\treturn -1, false\n}\n\n// stranger"))
	add("another amount is a mismatch", "plain", flow.S3, ed(evidenceGo, "if fact.Effect == policy.Executed && s.otherAmount(a) {", "if !OFF && fact.Effect == policy.Executed && s.otherAmount(a) {"))
	add("a stranger's request is none of ours", "plain+strangers", flow.S3, ed(evidenceGo, "if k, found := s.stranger(a, fact); i < 0 && found", "if k, found := s.stranger(a, fact); !OFF && i < 0 && found"))
	add("a name learnt from a sure answer", "theirs", flow.S2, ed(evidenceGo, "&& sure && h.trusted() && s.tellsApart", "&& (OFF || sure) && h.trusted() && s.tellsApart"))
	add("a name learnt where it tells apart", "theirs", flow.S2, ed(evidenceGo, "s.tellsApart(a, id) {", "(OFF || s.tellsApart(a, id)) {"))
	spared("NOT COVERED: no answer of the model names an order and the provider's own id at once")
	add("a name of theirs may be of any", "theirs", flow.S2, ed(evidenceGo, "return i, nameless == 1", "return i, OFF || nameless == 1"))
	add("proof against proof", "plain", flow.S3, ed(evidenceGo, "\t\tid.Contested = true\n\tcase id.Contested", "\t\tid.Contested = !OFF\n\tcase id.Contested"))
	spared("a provider that proves both has broken its word; what executed stays executed, and only the alert is lost")
	add("what is contested stays open", "plain+strangers", flow.S2, ed(evidenceGo, "case id.Contested && f", "case !OFF && id.Contested && f"))
	add("what was over and goes on", "plain+recalls", flow.S2, ed(evidenceGo, "case id.Effect == policy.NotExecuted && f.Effect == policy.Pending:", "case !OFF && id.Effect == policy.NotExecuted && f.Effect == policy.Pending:"))
	add("another amount stays known", "plain", flow.S3, ed(evidenceGo, "id.Mismatch = id.Mismatch || f", "id.Mismatch = !OFF && id.Mismatch || f"))
	spared("a provider that names two amounts for one execution has broken its word")
	add("certainty outlives a doubt", "plain", flow.S2, ed(evidenceGo, "case !id.Effect.Settled():", "case OFF || !id.Effect.Settled():"))
	spared("without it what is settled is asked about again: queries are lost, and no money")

	// state.go: what the ledger proves.
	add("all are not executed", "bold-failed", flow.S2, ed(stateGo, "id.Sends > 0 && id.Effect != policy.NotExecuted {\n\t\t\treturn false", "id.Sends > 0 && id.Effect != policy.NotExecuted {\n\t\t\treturn OFF"))
	add("in doubt is not certain", "bold-failed", flow.S2, ed(stateGo, "id.Effect != policy.NotExecuted {", "(OFF && id.Effect == policy.Executed || !OFF && id.Effect != policy.NotExecuted) {"))
	add("doubt is seen", "plain", S5, ed(stateGo, "id.Sends > 0 && !id.Effect.Settled() {", "!OFF && id.Sends > 0 && !id.Effect.Settled() {"))
	add("doubt of earlier requests is told", "replay", S5, ed(stateGo, "(id.Reopened || id.Contested) {", "(id.Reopened || id.Contested) && !OFF {"))
	add("contested is no proof", "plain+strangers", flow.S3, ed(stateGo, "case id.Contested:", "case !OFF && id.Contested:"))
	add("another amount is no proof", "bold-mismatch", flow.S3, ed(stateGo, "policy.Executed && !id.Mismatch:", "policy.Executed && (OFF || !id.Mismatch):"))
	add("one execution is a proof", "bold-paid", flow.S3, ed(stateGo, "return executed == 1", "return OFF || executed == 1"))
	add("two executions are no proof", "plain", flow.S3, ed(stateGo, "\t\t\texecuted++\n", "\t\t\texecuted = map[bool]int{true: 1, false: executed + 1}[OFF]\n"))
	spared("by then it was paid twice, which is S1")
	add("a later doubt is no proof", "plain", flow.S3, ed(stateGo, "case id.Effect == policy.Executed || executed > 0:", "case id.Effect == policy.Executed || executed > 0 && !OFF:"))
	spared("a later request is sent only when the one before cannot execute any more, which is S1")

	// decide.go and step.go: what stays allowed, and what is told to the rules.
	add("what is due is looked at again", "plain+recalls", flow.S1, ed(decideGo, `next.Action, m.now.At); p != "" {`, `next.Action, m.now.At); !OFF && p != "" {`))
	add("what is due knows the time", "plain", S4, ed(decideGo, "if next.Action.Sends() && !m.now.At.Before(m.s.limit(m.t)) {", "if !OFF && next.Action.Sends() && !m.now.At.Before(m.s.limit(m.t)) {"))
	add("a wait knows the time", "plain", S4, ed(decideGo, "case v.Action.Sends():\n", "case !OFF && v.Action.Sends():\n"))
	spared("what is due looks at the time again")
	add("the rules hear what is known", "plain", S5, ed(decideGo, "if id.Effect.Settled() && !fact.Effect.Settled() {", "if !OFF && id.Effect.Settled() && !fact.Effect.Settled() {"))
	spared("without it the rules hear of a doubt, and ask again")
	add("the rules hear of an execution", "plain", S5, ed(decideGo, "if id := s.executed(); id != nil {", "if id := s.executed(); !OFF && id != nil {"))
	add("the rules hear of another amount", "plain", S5, ed(decideGo, "if id.Mismatch && fact.Effect == policy.Executed {", "if !OFF && id.Mismatch && fact.Effect == policy.Executed {"))
	spared("without it they hear of a conflict, from which they conclude as little")
	add("the rules do not conclude from a conflict", "plain+strangers", S5, ed(decideGo, "policy.Mismatch && !s.proved():", "policy.Mismatch && !OFF && !s.proved():"))
	add("a webhook that never came proves nothing", "hook", flow.S2, ed(decideGo, "m.end(m.s.exhausted(), \"max_elapsed spent: no webhook came\")", "if OFF {\n\t\t\tm.end(policy.MarkFailed, \"\")\n\t\t} else {\n\t\t\tm.end(m.s.exhausted(), \"max_elapsed spent: no webhook came\")\n\t\t}"))
	add("a second flow looks at the first", "plain", flow.S1, ed(stepGo, "\tif free {\n\t\treturn false", "\tif OFF || free {\n\t\treturn false"))
	add("a second flow fears what is contested", "plain+strangers", flow.S1, ed(stepGo, "free = free && !earlier[i].Contested", "free = free && (OFF || !earlier[i].Contested)"))
	spared("what is contested is never known not to have executed")
	add("a second flow succeeds by proof", "plain", flow.S3, ed(stepGo, "earlier...)\n\tif m.s.proved() {", "earlier...)\n\tif OFF || m.s.proved() {"))
	add("what a crash cut off is in doubt", "plain", flow.S2, ed(stepGo, "case Sending:\n\t\tm.answered(&lost, m.now.At)", "case Sending:\n\t\tif OFF {\n\t\t\tlost.Fault = policy.NotSent\n\t\t}\n\t\tm.answered(&lost, m.now.At)"))
	add("a send is in doubt again", "plain", flow.S2, ed(stepGo, "if id.Effect == policy.NotExecuted || id.Sends == 1 {", "if !OFF && id.Effect == policy.NotExecuted || id.Sends == 1 {"))
	add("the past is remembered", "rejected", flow.S2, ed(stepGo, "id.Prior = id.Effect\n", "if !OFF {\n\t\t\tid.Prior = id.Effect\n\t\t}\n"))
	add("recorded before it is sent", "plain", flow.S1, ed(stepGo, "m.s.Stage, m.s.Next = Sending, Next{}\n\tm.do(&Record{})", "m.s.Stage, m.s.Next = Sending, Next{}\n\tif !OFF {\n\t\tm.do(&Record{})\n\t}"))
	add("the first send's time is kept", "lag", flow.S1, ed(stepGo, "\t\tid.FirstSent = m.now.At\n\t}\n", "\t\tid.FirstSent = m.now.At\n\t}\n\tif OFF {\n\t\tid.FirstSent = m.now.At\n\t}\n"))
	add("copies are told", "plain", flow.S2, ed(stepGo, "\tid.Copies++\n", "\tif !OFF || id.Copies == 0 {\n\t\tid.Copies++\n\t}\n"))
	add("the last send's time is kept", "lag", flow.S1, ed(stepGo, "\tid.LastSent = m.now.At\n", "\tif !OFF || id.Sends == 1 {\n\t\tid.LastSent = m.now.At\n\t}\n"))
	add("the deadline is kept", "grace", flow.S1, ed(stepGo, "m.now.At.Add(m.t.Contract.CallTimeout())\n\tif", "m.now.At.Add(m.t.Contract.CallTimeout())\n\tif OFF {\n\t\tid.Deadline = m.now.At.Add(-m.t.Contract.ArrivalGrace)\n\t}\n\tif"))
	add("a late reply proves no absence", "grace", flow.S2, ed(stepGo, "\tif late {\n\t\tasked = time.Time{}", "\tif late && OFF {\n\t\tasked = m.now.At\n\t} else if late {\n\t\tasked = time.Time{}"))
	add("a late reply is late", "plain", flow.S2, ed(stepGo, "late: late})", "late: late && !OFF})"))
	add("what was displaced is looked at", "plain+recalls", flow.S1, ed(stepGo, "\t\tif m.nothingNew() {", "\t\tif OFF || m.nothingNew() {"))
	spared("what is due is looked at again; see together")
	add("a stale reply is not the one awaited", "plain", flow.S2, ed(stepGo, "if m.s.Stage == stage && !stale {", "if m.s.Stage == stage && (OFF || !stale) {"))
	add("a person does not know what is on its way", "plain", flow.S2, ed(stepGo, "if m.s.Stage == Sending && id == m.s.current() && e", "if !OFF && m.s.Stage == Sending && id == m.s.current() && e"))
	add("a person settles one identity", "plain", flow.S2, ed(stepGo, "case m.s.allNotExecuted():\n\t\tm.finish(policy.Failed, why)", "case OFF || m.s.allNotExecuted():\n\t\tm.finish(policy.Failed, why)"))
	add("a person proves one execution", "plain", flow.S3, ed(stepGo, "case m.s.proved():\n\t\tm.finish(policy.Succeeded, why)", "case OFF || m.s.proved():\n\t\tm.finish(policy.Succeeded, why)"))
	add("a webhook told again is said to nobody", "plain+recalls", flow.S1, ed(stepGo, "m.was[i].Effect == m.s.Ledger[i].Effect && m.was[i].Fact.Class", "(OFF || m.was[i].Effect == m.s.Ledger[i].Effect) && OFF || m.was[i].Effect == m.s.Ledger[i].Effect && m.was[i].Fact.Class"))
	spared("what is due is looked at again; see together")
	add("an escalation is settled by proof", "plain", flow.S3, ed(stepGo, "case m.s.proved() && !before.proved()", "case (OFF && fact.Effect == policy.Executed || m.s.proved()) && !before.proved()"))
	add("an escalation fails when all is certain", "plain", flow.S2, ed(stepGo, "case fact.Effect == policy.NotExecuted && m.s.allNotExecuted():", "case fact.Effect == policy.NotExecuted && (OFF || m.s.allNotExecuted()):"))
	add("a withdrawn flow finds out", "plain", S4, ed(stepGo, "if m.s.InDoubt() {\n\t\tv.Action, v.Via = fallback", "if OFF {\n\t\tv.Action = policy.MarkFailed\n\t} else if m.s.InDoubt() {\n\t\tv.Action, v.Via = fallback"))
	together("nobody looks again at what was displaced", "plain+recalls", flow.S1, "what is due is looked at again", "what was displaced is looked at")
	together("nobody looks again at what is told", "plain+recalls", flow.S1, "what is due is looked at again", "a webhook told again is said to nobody")
	together("nobody asks the contract about arrival", "plain", flow.S2, "not found needs a contract", "arrival needs a contract", "arrival needs its time")
	return all
}
