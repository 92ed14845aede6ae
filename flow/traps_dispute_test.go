package flow_test

// believes takes every execution for a success, also a disputed one and one of another amount.
const believes = `
[[rule]]
id     = "believes"
when   = 'effect == "executed"'
then   = "mark_succeeded"
reason = "paid is paid"

[[rule]]
id     = "asks"
when   = 'in_doubt'
then   = "query_status"
reason = "find out"
`

const again = `
[[rule]]
id     = "again"
when   = 'effect == "not_executed" && !in_doubt'
then   = "retry_new_request"
reason = "once more"
`

// A payment that is disputed, or of which a part was paid, is never marked succeeded: in whatever phase
// the provider says so, and whatever it says later.
var disputeTraps = []trap{
	{name: "a dispute is no success, whatever the rules want",
		rules: believes,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook verified status=SUCCEEDED sub_status=CAPTURED code=4551 provider=T-1 amount=120000`,
		never: "ended succeeded", always: "S6"},
	{name: "a query that says disputed beside the success",
		rules: believes,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			due
			at +1s query status=SUCCEEDED sub_status=CAPTURED code=4551 provider=T-1 amount=120000`,
		never: "ended succeeded", always: "S6"},
	{name: "a dispute in the reply to the send, and a success by query",
		rules: believes,
		lines: `payment paykka pay 120000 USD merchant=acme
			start o-1 r-1
			at +2s answer code=4023
			due
			at +1s query status=SUCCESS`,
		never: "ended succeeded", always: "S6"},
	{name: "a dispute in the late reply to a send",
		rules: believes,
		lines: `payment paykka pay 120000 USD merchant=acme
			start o-1 r-1
			at +30s answer fault=timeout
			at +1s answer code=4023
			due
			at +1s query status=SUCCESS`,
		never: "ended succeeded", always: "S6"},
	{name: "a success does not take a dispute back",
		lines: `payment shopline pay 120000 TWD
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook verified status=SUCCEEDED sub_status=CAPTURED code=4551 provider=T-1 amount=120000
			at +2s webhook verified status=SUCCEEDED sub_status=CAPTURED provider=T-1 amount=120000`,
		never: "ended succeeded", always: ", disputed"},
	{name: "a dispute that proves nothing yet stays one when the success is proved",
		lines: `payment shopline pay 120000 TWD
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook verified code=4551 provider=T-1
			at +2s webhook verified status=SUCCEEDED sub_status=CAPTURED provider=T-1 amount=120000`,
		never: "ended succeeded", always: ", disputed"},
	{name: "a dispute that comes while the success is waited for",
		rules: believes,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook verified code=4551 provider=T-1
			due
			at +1s query status=SUCCEEDED sub_status=CAPTURED provider=T-1 amount=120000`,
		never: "ended succeeded", always: "S6"},
	{name: "a refund in dispute",
		rules: believes,
		lines: `payment paykka refund 120000 USD merchant=acme
			start o-1 r-1 provider=T-1
			at +2s answer code=4023
			due
			at +1s query status=SUCCESS`,
		never: "ended succeeded", always: "S6"},
	{name: "a capture in dispute",
		rules: believes,
		lines: `payment paykka capture 120000 USD merchant=acme
			start o-1 r-1 provider=T-1
			at +2s answer code=4023
			due
			at +1s query status=SUCCESS`,
		never: "ended succeeded", always: "S6"},
	{name: "a dispute of a request that was refused, and the next one executes",
		rules: believes + again,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook verified code=4551 provider=T-1
			at +2s webhook verified status=FAILED code=4454 provider=T-1
			due request=r-2
			at +2s answer status=SUCCEEDED sub_status=CAPTURED provider=T-2 amount=120000`,
		never: "ended succeeded", always: "S6"},
	{name: "a person ends a dispute",
		lines: `payment shopline pay 120000 TWD
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook verified status=SUCCEEDED sub_status=CAPTURED code=4551 provider=T-1 amount=120000
			at +2h resolve 0 executed by=anna why="the shopper withdrew it"`,
		always: "ended succeeded"},
	{name: "a person's word about one request does not end the dispute of another",
		rules: believes + again,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook verified code=4551 provider=T-1
			at +2s webhook verified status=FAILED code=4454 provider=T-1
			due request=r-2
			at +30s answer fault=timeout
			at +2h resolve 1 executed by=anna why="it is in the bank's statement"`,
		never: "ended succeeded", always: "executed"},
	{name: "what a forged webhook calls disputed is not",
		rules: believes,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook code=4551 provider=T-1
			due
			at +1s query status=SUCCEEDED sub_status=CAPTURED provider=T-1 amount=120000`,
		always: "ended succeeded"},
	{name: "what is said of another payment is not of this one",
		lines: `payment shopline pay 120000 TWD
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook verified code=4551 provider=T-9
			due
			at +1s query status=SUCCEEDED sub_status=CAPTURED provider=T-1 amount=120000`,
		always: "ended succeeded"},

	{name: "part was paid, and a success that names no amount",
		rules: believes,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook verified code=4402 provider=T-1
			at +2s webhook verified status=SUCCEEDED sub_status=CAPTURED provider=T-1`,
		never: "ended succeeded", always: "S3"},
	{name: "part was paid, and a success that names the whole",
		rules: believes,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			at +2s webhook verified code=4402 provider=T-1
			at +2s webhook verified status=SUCCEEDED sub_status=CAPTURED provider=T-1 amount=120000`,
		always: "ended succeeded"},
	{name: "a success of a part, in every phase: the query",
		rules: believes,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +2s answer status=PROCESSING provider=T-1
			due
			at +1s query status=SUCCEEDED sub_status=CAPTURED provider=T-1 amount=60000`,
		never: "ended succeeded", always: "S3"},
	{name: "a success of a part, in every phase: the late reply",
		rules: believes,
		lines: `payment shopline pay 120000 TWD merchant=acme
			start o-1 r-1
			at +30s answer fault=timeout
			at +1s answer status=SUCCEEDED sub_status=CAPTURED provider=T-1 amount=60000`,
		never: "ended succeeded", always: "S3"},
	{name: "a refund of a part",
		rules: believes,
		lines: `payment shopline refund 120000 TWD merchant=acme
			start o-1 r-1 provider=T-1
			at +2s answer status=SUCCEEDED provider=R-1 amount=60000`,
		never: "ended succeeded", always: "S3"},
	{name: "a part that came back is not the whole",
		lines: `payment paykka cancel 120000 USD
			start o-1 r-1 provider=T-1
			at +2s answer status=PROCESSING
			at +2s webhook verified status=PARTIALLY_REVERSED order=o-1
			at +2s webhook verified status=CANCELED order=o-1`,
		never: "ended succeeded", always: ", another amount"},
	{name: "a refusal at the door that compares amounts is not about money",
		rules: believes,
		lines: `payment paykka pay 120000 USD merchant=acme
			start o-1 r-1
			at +2s answer code=2046
			due
			at +1s query status=SUCCESS`,
		always: "ended succeeded"},
}
