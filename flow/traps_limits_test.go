package flow_test

// What limits, waits and the word of a person must not do.
var limitTraps = []trap{
	{name: "somebody's word of earlier copies ends nothing while one is on its way",
		lines: `payment momo pay 120000 VND
			start o-1 r-1
			at +1s resolve 0 not_executed by=recon why="this morning's file"`,
		never: "ended"},
	{name: "a forged webhook does not cost the planned retry",
		lines: `payment momo pay 120000 VND
			start o-1 r-1
			at +1s answer fault=not_sent
			at +100ms webhook code=0 order=o-1
			due
			at +1s query code=42`,
		never: "ended", always: "then retry_same_request"},
	{name: "nothing is sent after the flow's time",
		lines: `payment momo pay 120000 VND
			start o-1 r-1
			at +1s answer code=10
			at +27h due request=r-2`,
		never: "send      2", always: "ended failed"},
	{name: "an end is not put off beyond the flow's time",
		rules: `
			[limits]
			max_elapsed = "10m"

			[schedule.poll]
			intervals = ["10m"]

			[schedule.hesitate]
			intervals = ["1h"]

			[[rule]]
			id       = "give-up"
			when     = 'effect == "not_executed" && !in_doubt'
			then     = "mark_failed"
			schedule = "hesitate"
			reason   = "the shopper refused"
			`,
		lines: `payment momo pay 120000 VND merchant=acme
			start o-1 r-1
			at +30s answer fault=timeout
			due
			at +1s query code=1006`,
		always: "ended failed"},
	{name: "a refusal told again does not use up a rule",
		lines: `payment momo pay 120000 VND merchant=evergreen-box
			start o-1 r-1
			at +2s answer code=1001 order=o-1 request=r-1
			at +1m webhook verified code=1001 order=o-1 request=r-1
			at +1m webhook verified code=1001 order=o-1 request=r-1
			at +1m webhook verified code=1001 order=o-1 request=r-1`,
		never: "ended failed", always: "wait      until 24h0m2s, then retry_new_order"},
	{name: "what the interlock does when the time has come is told",
		rules: `
			[contract]
			idempotent_key = true
			dedupe_window = "1h"
			replay = "first_result"
			arrival_grace = "20m"

			[[rule]]
			id     = "again"
			when   = 'in_doubt && fault == "timeout"'
			then   = "retry_same_request"
			reason = "the key makes it safe"
			`,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +30s answer fault=timeout
			at +2h due`,
		never: "send      2", always: "interlock S1"},
	{name: "no webhook asks more than may be asked",
		rules: `
			[limits]
			max_attempts = 1
			max_queries  = 1

			[[rule]]
			id     = "again"
			when   = 'in_doubt'
			then   = "retry_same_request"
			reason = "MoMo keeps a requestId for a month"
			`,
		lines: `payment momo pay 120000 VND merchant=acme
			start o-1 r-1
			at +30s answer fault=timeout
			due
			at +1s query code=42
			at +1s webhook code=0 order=o-1
			due`,
		never: "ask       2", always: "ended escalated"},
	{name: "not found proves nothing where nobody promised when",
		rules: `
			[contract]
			arrival_grace = "1m"
			`,
		lines: `payment momo pay 120000 VND merchant=acme
			start o-1 r-1
			at +30s answer fault=timeout
			at +10h due
			at +1s query code=42`,
		never: "not_executed"},
	{name: "what a person says of one identity settles no other",
		lines: `payment momo pay 120000 VND merchant=evergreen-box
			start o-1 r-1
			at +2s answer code=1001 order=o-1 request=r-1
			due request=r-2 order=o-2
			at +30s answer fault=timeout
			at +1s resolve 0 not_executed by=anna why="bank statement"`,
		always: "24h0m33s waiting"},
}
