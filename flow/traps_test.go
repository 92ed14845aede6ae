package flow_test

const onceMore = `
[contract]
arrival_grace = "1m"

[[rule]]
id     = "once-more"
when   = 'class == "cancelled" && effect == "not_executed" && !in_doubt && attempt == 1'
then   = "retry_new_request"
reason = "the shopper pressed the wrong button"
`

const payday = `
[contract]
arrival_grace = "1m"

[[rule]]
id     = "same-again"
when   = 'class == "insufficient_funds" && effect == "not_executed" && !in_doubt && attempt == 1'
then   = "retry_same_request"
reason = "the shopper put money on the card"
`

const anotherOrder = `
[[rule]]
id     = "another-order"
when   = 'class == "insufficient_funds" && effect == "not_executed" && !in_doubt'
then   = "retry_new_order"
reason = "the shopper chose another card"
`

var traps = []trap{
	{name: "a forged webhook plants an id of theirs",
		// The query would be about another customer's payment, and that one is paid.
		lines: `payment shopline pay 120000 TWD
			start o-1 r-1
			at +30s answer fault=timeout
			at +1s webhook status=SUCCEEDED provider=T-forged`,
		never: "theirs T-forged"},
	{name: "what is refused at the door is the request of the call, and not the one that the refusal names",
		rules: onceMore,
		lines: `payment momo pay 120000 VND merchant=acme
			start o-1 r-1
			at +2s answer code=1006 order=o-1 request=r-1
			due request=r-2
			at +2s answer code=20 order=o-1 request=r-1
			at +1s webhook verified code=1006 order=o-1`,
		never: "ended failed"},
	{name: "an old webhook is not a fresh look",
		// r-1's refusal, repeated when r-2 has long arrived, and executed.
		rules: onceMore,
		lines: `payment momo pay 120000 VND merchant=acme
			start o-1 r-1
			at +2s answer code=1006 order=o-1 request=r-1
			due request=r-2
			at +30s answer fault=timeout
			at +10m webhook verified code=1006 order=o-1`,
		never: "ended failed"},
	{name: "their id tells identities apart",
		rules: anotherOrder,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=FAILED code=4454 provider=T-1
			due request=r-2 order=o-2
			at +30s answer fault=timeout
			at +1s webhook verified status=FAILED code=4454 provider=T-1`,
		always: "1 o-2 r-2 sent 1: unknown"},
	{name: "an id of theirs that nobody knows yet may be of any identity",
		rules: anotherOrder,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=FAILED code=4454
			due request=r-2 order=o-2
			at +30s answer fault=timeout
			at +1s webhook verified status=FAILED code=4454 provider=T-1`,
		never: "theirs T-1", always: "1 o-2 r-2 sent 1: unknown"},
	{name: "another id of theirs is another payment",
		lines: `payment shopline pay 120000 TWD
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +1s webhook verified status=SUCCEEDED sub_status=CAPTURED provider=T-9`,
		never: "ended succeeded"},
	{name: "their id of the copy that failed, in an answer that names no more",
		rules: payday + `
			[contract.pay]
			query_by = ["order_id"]
			`,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=FAILED code=4454 provider=T-1
			due
			at +30s answer fault=timeout
			at +5m due
			at +1s query status=FAILED code=4454 provider=T-1`,
		never: "ended failed"},
	{name: "their id of the copy that failed, in the question",
		rules: payday,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=FAILED code=4454 provider=T-1
			due
			at +30s answer fault=timeout
			at +5m due
			at +1s query status=FAILED code=4454 order=o-1`,
		never: "ended failed"},
	{name: "a late reply to a query is as old as its question",
		// Asked at 32s, when the request was on its way; the process slept over it.
		rules: `
			[contract]
			arrival_grace   = "1m"
			not_found_after = "1m"
			`,
		lines: `payment momo pay 120000 VND merchant=acme
			start o-1 r-1
			at +30s answer fault=timeout
			due
			at +1s resume
			at +5m query code=42`,
		never: "ended failed"},
	{name: "a late reply to a query knows nothing of the next copy",
		// Asked when SHOPLINE held the first copy only; the second is sent when the key
		// is forgotten.
		rules: `
			[contract]
			idempotent_key = true
			dedupe_window = "1h"
			replay = "first_result"
			arrival_grace = "20m"

			[contract.pay]
			query_by = ["order_id"]

			[schedule.tomorrow]
			intervals = ["24h"]

			[[rule]]
			id       = "same-again"
			when     = 'class == "insufficient_funds" && effect == "not_executed" && !in_doubt && attempt == 1'
			then     = "retry_same_request"
			schedule = "tomorrow"
			reason   = "payday"
			`,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +30s answer fault=timeout
			due
			at +1s resume
			due
			at +1s query status=FAILED code=4454
			due
			at +30s answer fault=timeout
			at +1s query status=FAILED code=4454`,
		always: "0 o-1 r-1 sent 2: unknown"},
	{name: "the order does not tell whose id theirs is",
		rules: `
			[contract.pay]
			query_by = ["provider_id", "order_id"]

			[[rule]]
			id     = "another-request"
			when   = 'class == "insufficient_funds" && effect == "not_executed" && !in_doubt'
			then   = "retry_new_request"
			reason = "the shopper put money on the card"
			`,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=FAILED code=4454
			due request=r-2
			at +30s answer fault=timeout
			at +1s webhook verified status=FAILED code=4454 order=o-1 provider=T-1`,
		never: "theirs T-1"},
	{name: "a late reply to a send is no reply to the next one",
		rules: onceMore,
		lines: `payment momo pay 120000 VND merchant=acme
			start o-1 r-1
			at +1s resume
			at +1s webhook verified code=1006 order=o-1 request=r-1
			due request=r-2
			at +30s answer fault=timeout
			at +1s answer code=10`,
		always: "1 o-1 r-2 sent 1: unknown"},
	{name: "a late reply to a send is no reply to the next copy either",
		rules: `
			[[rule]]
			id     = "same-again"
			when   = 'class == "cancelled" && effect == "not_executed" && !in_doubt && attempt == 1'
			then   = "retry_same_request"
			reason = "the shopper pressed the wrong button"
			`,
		lines: `payment momo pay 120000 VND merchant=acme
			start o-1 r-1
			at +1s resume
			at +1s webhook verified code=1006 order=o-1 request=r-1
			due
			at +30s answer fault=timeout
			at +1s answer code=10`,
		always: "0 o-1 r-1 sent 2: unknown"},
	{name: "a late reply brings no id for the next identity",
		rules: onceMore,
		lines: `payment momo pay 120000 VND merchant=acme
			start o-1 r-1
			at +1s resume
			at +1s webhook verified code=1006 order=o-1 request=r-1
			due request=r-2
			at +30s answer fault=timeout
			at +1s answer code=7002 provider=T-1`,
		never: "theirs T-1"},
	{name: "nobody unverified contests an order",
		lines: `payment momo pay 120000 VND
			start o-1 r-1
			at +30s answer fault=timeout
			at +1s webhook code=0 order=o-1 request=r-9 amount=120000`,
		never: "contested"},
	{name: "no refusal closes an order under which a stranger moved money",
		lines: `payment momo pay 120000 VND
			start o-1 r-1
			at +30s answer fault=timeout
			at +1s webhook verified code=0 order=o-1 request=r-9 amount=120000
			due
			at +1s query code=1006 order=o-1`,
		never: "ended failed", always: "contested"},
	{name: "an earlier identity's refusal does not contradict the payment",
		lines: `payment momo pay 120000 VND merchant=evergreen-box
			start o-1 r-1
			at +2s answer code=1001 order=o-1 request=r-1
			due request=r-2 order=o-2
			at +2s answer code=0 order=o-2 request=r-2 amount=120000
			at +2s webhook verified code=1001 order=o-1 request=r-1`,
		never: "alert"},
	{name: "an earlier identity's payment does",
		lines: `payment momo pay 120000 VND merchant=evergreen-box
			start o-1 r-1
			at +2s answer code=1001 order=o-1 request=r-1
			due request=r-2 order=o-2
			at +2s answer code=0 order=o-2 request=r-2 amount=120000
			at +2s webhook verified code=0 order=o-1 request=r-1 amount=120000`,
		always: "alert"},
	{name: "no success while another identity is in doubt",
		lines: `payment momo pay 120000 VND merchant=evergreen-box
			start o-1 r-1
			at +2s answer code=1001 order=o-1 request=r-1
			due request=r-2 order=o-2
			at +30s answer fault=timeout
			at +2s webhook verified code=0 order=o-1 request=r-1 amount=120000`,
		never: "ended succeeded"},
	{name: "an unverified webhook raises no alarm",
		lines: `payment shopline pay 120000 TWD
			start o-1 r-1
			at +2s answer status=SUCCEEDED sub_status=CAPTURED provider=T-1
			at +1h webhook status=SUCCEEDED sub_status=CAPTURED code=4551 provider=T-1`,
		never: "alert"},
	{name: "what failed and is disputed was paid",
		lines: `payment shopline pay 120000 TWD
			start o-1 r-1
			at +2s answer status=FAILED code=4454 provider=T-1
			at +1h webhook verified code=4551 provider=T-1`,
		always: "alert"},
}
