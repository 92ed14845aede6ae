package schematest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/schema"

	"github.com/recourse-pay/recourse/internal/testkit"
)

type node = map[string]any

// duration is what Go reads as one, longer than nothing. That it is at least a nanosecond and at most 292 years, only the
// loader knows.
var duration = func() string {
	const unit, none, some = `(ns|us|µs|μs|ms|s|m|h)`, `(0+(\.0*)?|\.0+)`, `([0-9]*[1-9][0-9]*(\.[0-9]*)?|[0-9]*\.[0-9]*[1-9][0-9]*)`
	return `^\+?(` + none + unit + `)*` + some + unit + `(([0-9]+(\.[0-9]*)?|\.[0-9]+)` + unit + `)*$`
}()

func text(why string) node { return node{"type": "string", "description": why} }
func condition(why string) node {
	n := text(why)
	n["maxLength"] = 32 << 10 // of internal/condition
	n["pattern"] = `\S`
	return n
}
func described(n node, why string) node { n["description"] = why; return n }
func flagged(why string) node           { return node{"type": "boolean", "description": why} }
func count(why string, least int) node {
	return node{"type": "integer", "minimum": least, "description": why}
}
func span(why string) node {
	return node{"type": "string", "pattern": duration, "description": why + `, such as "90s", "15m", "24h"`}
}
func word(why string, words []string) node {
	return node{"type": "string", "enum": words, "description": why}
}
func list(of node) node { return node{"type": "array", "items": of} }
func said(why string) node {
	t := text(why)
	t["minLength"] = 1
	return t
}
func someFilled(of node) node { return node{"anyOf": []any{of, filled(of)}} }
func filled(of node) node {
	return node{"type": "array", "items": of, "minItems": 1}
}
func some(of node) node { return node{"anyOf": []any{of, list(of)}} }

// saidOrNumber is said, or a whole number, which is read as a text.
func saidOrNumber(why string) node {
	n := scalar(why)
	n["minLength"] = 1
	return n
}

// shaped is a text of a form.
func shaped(why, pattern string) node {
	n := text(why)
	n["pattern"] = pattern
	return n
}

// either has one of some keys, or of some sets of keys, and none of the others.
func either(o node, keys ...string) node {
	var of []any
	for _, k := range keys {
		of = append(of, node{"required": []string{k}})
	}
	o["oneOf"] = of
	return o
}

// without has none of some keys.
func without(keys ...string) node {
	var of []any
	for _, k := range keys {
		of = append(of, node{"required": []string{k}})
	}
	return node{"not": node{"anyOf": of}}
}
func scalar(why string) node {
	return node{"type": []string{"string", "integer"}, "description": why}
}

// object is a table that has these keys and no others.
func object(why string, required []string, keys node) node {
	o := node{"type": "object", "description": why, "properties": keys, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

// mapping is a table with any keys.
func mapping(why string, of node) node {
	return node{"type": "object", "description": why, "additionalProperties": of}
}

func names[T interface{ String() string }](all []T, more ...string) []string {
	var n []string
	for _, v := range all {
		if v.String() != "" {
			n = append(n, v.String())
		}
	}
	return append(n, more...)
}

func document(id, title string, root node) node {
	root["definitions"] = node{
		"contract": object("what the provider promises for this operation alone, over the lines for all of them", nil, contractKeys()),
		"limits":   object("limits for this operation alone, over the lines for all of them", nil, limitKeys()),
	}
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["$id"] = "https://raw.githubusercontent.com/recourse-pay/recourse/main/schema/" + id
	root["title"] = title
	return root
}

func operations() []string { return names(policy.Operations()) }

func identifierList(why string) node {
	return some(word(why, []string{string(policy.RequestID), string(policy.OrderID), string(policy.ProviderID)}))
}

func contractKeys() node {
	return node{
		"dedupe":           identifierList("an identifier of which the provider carries out only one request: a second one that bears it again moves no money"),
		"dedupe_window":    span("for how long after the first request the provider still knows such an identifier; later the same request could be carried out once more"),
		"replay":           word("what the provider answers to a request that it has seen before: the first one's result, a refusal, or it carries it out again", []string{string(policy.FirstResult), string(policy.Rejected), string(policy.ExecutedAgain)}),
		"replay_codes":     some(text("a code with which the provider refuses a request that it has seen before, so that the code shows that the first one arrived")),
		"query_by":         identifierList("an identifier by which the provider can be asked what became of a request, the best one first; without any it cannot be asked"),
		"webhook":          flagged("whether the provider reports by itself how a payment ended, so that waiting for its notice makes sense"),
		"arrival_grace":    span("how long after the call has timed out the request may still reach the provider, on its way through networks and queues"),
		"not_found_after":  span("how long after the last request the provider's answer \"not found\" proves that no money moved; earlier the request may still be on its way"),
		"link_expiry":      span("how long the shopper can pay by a link or a page; until then it may still be paid"),
		"same_provider_id": some(word("a phase whose answers name an executed payment by the same id of the provider as those of the other phases here: another id is another payment", names(policy.Phases()))),
		"timeout":          span("how long to wait for the provider's answer to a call before its outcome counts as unknown"),
	}
}

func contract(why string, more node) node {
	keys := contractKeys()
	for _, op := range operations() {
		keys[op] = node{"$ref": "#/definitions/contract"}
	}
	for k, v := range more {
		keys[k] = v
	}
	return object(why, nil, keys)
}

func limitKeys() node {
	return node{
		"max_attempts":    count("sends, the first included", 1),
		"max_queries":     count("status queries", 1),
		"max_elapsed":     span("from the first send to the end"),
		"max_retry_after": span("cap on a wait that the provider asks for"),
	}
}

func limits() node {
	all := limitKeys()
	for _, op := range operations() {
		all[op] = node{"$ref": "#/definitions/limits"}
	}
	return object("what bounds every flow", nil, all)
}

func schedule(keys node) node {
	o := object("a ladder of intervals, or an exponential one", nil, keys)
	ladder := without("initial_interval", "max_interval", "multiplier")
	ladder["required"] = []string{"intervals"}
	exponential := without("intervals")
	exponential["required"] = []string{"initial_interval"}
	o["oneOf"] = []any{ladder, exponential}
	return o
}

func rulesFile() node {
	providers := some(text("a provider that the merchant uses"))
	providers["anyOf"].([]any)[1].(node)["minItems"] = 1
	providers["anyOf"].([]any)[1].(node)["uniqueItems"] = true
	return document("rules.json", "Rules of Recourse", object("Rules of a merchant, a provider, or every merchant", nil, node{
		"provider": text("of a provider's file: its name"),
		"merchant": node{"anyOf": []any{text("of a merchant's file: its name"), object("of a merchant's file", nil, node{
			"name":      text("its name"),
			"providers": providers,
		})}},
		"description": text("for people"),
		"timezone":    text(`where hour and weekday are read, such as "Asia/Ho_Chi_Minh"`),
		"disable":     some(text("the id of a rule of a lower layer")),
		"limits":      limits(),
		"schedule": mapping("waits, by name", schedule(node{
			"initial_interval":     span("the first wait"),
			"multiplier":           node{"type": "number", "minimum": 1, "maximum": 1000, "description": "by how much each wait is longer than the one before, such as 2.0"},
			"randomization_factor": node{"type": "number", "minimum": 0, "maximum": 1, "description": "how far a wait may be off by chance, as a part of it: 0.2 is up to a fifth shorter or longer"},
			"max_interval":         span("the longest wait"),
			"intervals":            someFilled(span("one wait; the last one repeats")),
		})),
		"contract": contract("what this merchant's integration promises beyond the provider's contract", node{
			"idempotent_key": flagged("whether this merchant's client sends the provider's optional idempotency key with each request, so that what the provider promises for it counts"),
			"deployment":     mapping("where the merchant meets a provider that speaks with other words in different places, by provider, such as { opi = \"philippines\" }; absent: the provider's usual one", said("a [deployment] of the provider's catalogue")),
		}),
		"rule": list(object("the first rule whose condition holds decides", []string{"id", "when", "then"}, node{
			"id":       said("its name, unique in the file"),
			"when":     condition("a condition, such as 'class == \"maintenance\" && !in_doubt && fired < 3'"),
			"then":     word("what is done", names(policy.All[policy.Action]())),
			"schedule": text("when: the name of a schedule"),
			"reason":   text("for people"),
		})),
	}))
}

func given(spread bool) node {
	items := func(n node) node {
		if spread {
			return someFilled(n)
		}
		return n
	}
	every := func(words []string) []string {
		if spread {
			return append(words, "*")
		}
		return words
	}
	return node{
		"provider": items(scalar("provider")), "merchant": items(scalar("merchant, for its rules")),
		"operation": items(word("operation", every(operations()))), "phase": items(word("how the answer came", every(names(policy.Phases())))),
		"answer":   items(scalar("the answer in a few words: \"timeout\", \"1001\", \"FAILED 4701\", or a raw body")),
		"code":     items(scalar("code of the catalogue")),
		"unlisted": items(scalar("a code that the catalogue does not have")),
		"sub_code": items(scalar("sub-code")), "status": items(scalar("status")), "sub_status": items(scalar("sub-status")),
		"http_status": items(count("HTTP status", 0)), "fault": items(word("what went wrong in the place of an answer", names(policy.All[policy.Fault]()))),
		"message": items(scalar("message")), "body": node{"type": []string{"string", "object"}, "description": "the raw response"},
		"attempt": items(count("sends so far", 0)), "queries": items(count("status queries so far", 0)),
		"fired":   items(mapping("how often rules were followed, by id", count("times", 0))),
		"elapsed": items(span("time since the first send")), "at": items(node{"description": "\"18:30\", \"friday 18:30\", or a time of RFC 3339"}),
		"retry_after": items(span("what the provider asked for")), "amount": items(count("minor units", 0)), "currency": items(scalar("ISO 4217 code")),
		"capture": items(word("who takes the money after a hold", every(names(policy.All[policy.CaptureMode]())))),
		"tags":    items(mapping("tags of the payment", node{"type": "string"})), "replay": items(flagged("this identity was sent before")),
		"in_doubt": items(flagged("an earlier identity may still execute")), "verified": items(flagged("the webhook's signature was checked")),
		"order_id": items(scalar("order id")), "request_id": items(scalar("request id")), "provider_id": items(scalar("the provider's own id")),
		"payment_key": items(scalar("the merchant's intent")),
	}
}

func expect() node {
	return object("what has to come out", nil, node{
		"action": word("what is done", names(policy.All[policy.Action]())), "wants": word("what the rules want, before the interlock", names(policy.All[policy.Action]())),
		"rule": scalar("the rule that decides, or none"), "schedule": scalar("the schedule, or none"), "delay": span("the wait before it"),
		"by": word("how a status is found out", []string{"query", "webhook", "none"}), "reason": saidOrNumber("part of the rule's reason"),
		"effect": word("what is proved", names(policy.All[policy.Effect]())), "class": word("the reason", names(policy.All[policy.Class]())),
		"final": word("the table's own word", names(policy.All[policy.Finality]())), "in_doubt": flagged("something may still execute"),
		"interlock": word("what the interlock had to guard; without this it must have had nothing to do", []string{"S1", "S2", "S3", "S6", "none"}),
		"limit":     word("the limit that is spent", []string{"max_attempts", "max_queries", "max_elapsed", "withdrawn", "none"}),
	})
}

func tests() node {
	chosen := func(words []string) node {
		var all []string
		for _, w := range words {
			all = append(all, w, "!"+w)
		}
		return someFilled(word("as the catalogue has it; !x: all but x", all))
	}
	g := given(false)
	payment := node{}
	for _, k := range []string{"provider", "merchant", "operation", "amount", "currency", "capture", "tags", "payment_key", "provider_id"} {
		payment[k] = g[k]
	}
	e, one := expect(), expect()
	one["minProperties"] = 1
	events := filled(shaped(`"send", "send new order in 24h", "query x3", "query*", "succeeded", "..."`, `^\s*(\.\.\.|alert|escalated|failed|open|query|send|succeeded)`))
	return document("test.json", "Tests of rules of Recourse", object("Tests of rules", nil, node{
		"provider": g["provider"], "merchant": g["merchant"], "operation": g["operation"], "description": text("for people"),
		"decision": list(object("one answer and the decision about it", []string{"given", "expect"}, node{
			"name": text("what is intended"), "given": object("the answer, and what went before", nil, g), "expect": one,
		})),
		"each": list(either(object("a table of decisions", nil, node{
			"name": text("what is intended"), "given": object("what the cases have in common; a list stands for each of its items, \"*\" for all", nil, given(true)),
			"expect": e, "columns": some(text("a key of given or expect")), "cases": described(filled(node{}), "rows of the table, each with a value for every column"),
			"where": object("a case for every code and status like that", nil, node{
				"class": chosen(names(policy.All[policy.Class]())), "effect": chosen(names(policy.All[policy.Effect]())),
				"stage": chosen(names(policy.All[policy.Stage]())), "final": chosen(names(policy.All[policy.Finality]())),
			}),
		}), "cases", "where")),
		"flow": list(object("a whole story in virtual time", []string{"name", "script", "expect"}, node{
			"name": said("what is intended"), "payment": object("the payment", nil, payment), "at": g["at"],
			"script": list(shaped(`"send: timeout", "query: 0", "+10m verified webhook: 0", "send: crash"`, "send|query|webhook|crash|withdraw|resolve|stop")), "expect": events, "never": events,
			"rules": filled(text("a rule that decides, in order")), "reason": saidOrNumber("part of the reason of the end"),
			"interlock": e["properties"].(node)["interlock"], "limit": e["properties"].(node)["limit"], "new_orders": flagged("the caller has new order ids; true unless said"),
		})),
	}))
}

func catalogue() node {
	ops, phases := operations(), names(policy.Phases())
	path := some(text("where it stands: keys joined by dots, such as data.order.id; or header:NAME, query:NAME, http:status. Of several the first at which something stands counts"))
	place := some(text("header:NAME, query:NAME, path:NAME, or a path into the body; with NAME=BEFORE*AFTER the value stands in the place of the *"))
	conditions := mapping("fields and the values that they must have", node{"type": "string"})
	conditions["minProperties"] = 1
	row := func(own node, need string) node {
		keys := node{
			"scope": text("the section of the provider's own table, where one code stands in several sections"), "symbol": text("the provider's own name for the code, such as OPI_SIGN_ERROR"), "description": text("what the code means, as a sentence in your own words"),
			"envelope": flagged("the code says only that the request was received; a status beside it says what came of it"), "final": word("whether the provider's table calls the code final; it proves nothing by itself", names(policy.All[policy.Finality]())),
			"class": word("the reason in the field's terms, by which rules decide", names(policy.All[policy.Class]())), "http_status": count("the HTTP status with which the provider answers a send so, for the emulator; it proves nothing", 100),
			"facts": list(object("what the code or status proves, for the operations and phases that are named here", []string{"operation", "phase", "effect", "stage"}, node{
				"operation": node{"anyOf": []any{word("the operation that was asked for; * stands for all", append(operations(), "*")), someFilled(word("operation", ops))}}, "phase": someFilled(word("where the answer came: to a send, to a query, or unasked in a webhook", phases)),
				"effect": word("what is proved: it executed, it did not and never will, it is on its way, or nothing", names(policy.All[policy.Effect]())), "class": word("a reason that differs from the row's", names(policy.All[policy.Class]())),
				"stage": word("where the answer was made: at the door, before the request was processed, or as its stored result", names(policy.All[policy.Stage]())), "reach": word("what a refusal ends: the payment, or one attempt after which the payer may try again", names(policy.All[policy.Reach]())),
				"basis":   word("whether a document says so, or our reasoning", []string{"inferred", "documented"}),
				"capture": someFilled(word("holds only for payments that are captured so: by themselves, or by hand after a hold; absent: both", names(policy.All[policy.CaptureMode]()))), "because": text("the document that says so, or the reasoning"),
			})),
		}
		for k, v := range own {
			keys[k] = v
		}
		keys["facts"].(node)["minItems"] = 1
		return list(object("what one code or status of the provider proves", []string{need, "facts"}, keys))
	}
	where := func(own node) node {
		own["operation"], own["phase"] = someFilled(word("an operation that the block is for; absent: all", ops)), someFilled(word("a phase that the block is for; absent: all", phases))
		return own
	}
	decode := where(node{})
	for _, f := range []string{"code", "sub_code", "status", "sub_status", "message", "order_id", "request_id", "provider_id", "amount", "currency",
		"event", "not_about", "pay_url", "deeplink", "qr_code", "redirect_url", "token"} {
		decode[f] = path
	}
	const field = `(code|sub_code|status|sub_status|message|order_id|request_id|provider_id|amount|currency|event)`
	decode["carries"] = some(shaped("a field that every answer which proves something bears; a|b: either", `^`+field+`(\|`+field+`)*$`))
	decode["within"] = text("where an object stands, or a text that holds one, in which alone the fields are read; what stands beside it is not signed")
	decode["body"] = word("how the body is written: JSON, XML, a form, or a form in the query string of a notice's URL", []string{"json", "xml", "form", "query"})
	endpoint := node{
		"body":      word("how the request's body is written", []string{"json", "xml", "form"}),
		"wrap":      text("what stands around the body of an answer with a status, such as the list of a search; $body stands for it"),
		"operation": someFilled(word("an operation that the call is for", ops)), "phase": word("whether the call sends a request or asks for its status", phases), "method": word("the HTTP method; POST unless said", []string{"GET", "POST", "PUT", "PATCH", "DELETE"}),
		"path": shaped("the path of the URL; a segment {NAME} stands for any text", "^/"), "where": conditions, "manual": conditions,
	}
	for _, f := range []string{"order_id", "request_id", "provider_id", "amount", "currency", "idempotency_key", "notify_url"} {
		endpoint[f] = place
	}
	deployment := node{}
	for _, key := range []string{"title", "sources", "currency", "amount_unit", "amount_units", "contract", "code", "status", "fallback", "event", "decode", "envelope", "endpoint", "webhook"} {
		deployment[key] = node{"$ref": "#/properties/" + key}
	}
	return document("catalogue.json", "A provider's catalogue of Recourse", object("One provider: what its answers prove, and its contract", []string{"name"}, node{
		"deployment": mapping("places where the provider speaks with other words, codes or units, by name; a merchant chooses one in its [contract]", object("what is said otherwise there, over the rest of the catalogue", nil, deployment)),
		"name":       said("the provider, as rules and payments name it"), "title": text("the provider's name for people"), "currency": shaped("the currency of amounts whose answer names none, in capitals", "^([A-Z]{3})?$"),
		"sources": some(text("a document that the catalogue rests on, with the day it was read")), "amount_unit": word("how the provider writes amounts: in minor units, whole units, or times 100; absent: amounts are not compared", []string{"minor", "major", "hundredths"}),
		"amount_units": node{"type": "object", "description": "the unit of currencies that the provider writes in another way", "additionalProperties": word("how amounts are written", []string{"minor", "major", "hundredths"})},
		"operations":   someFilled(word("an operation that the provider offers", ops)),
		"contract":     contract("what the provider promises of identities, repeats, queries and time; what is not promised stays unset", node{"idempotent_key": node{"$ref": "#/definitions/contract"}}),
		"code":         row(node{"code": said("the code as text, as it stands in the body")}, "code"),
		"status":       row(node{"status": said("the status, as it stands in the body"), "sub_status": text("the sub-status beside it; * stands for any text")}, "status"),
		"fallback":     row(node{"status": said("the status beside which the row stands for every code that no row lists"), "sub_status": text("the sub-status beside which alone it does; absent: any")}, "status"),
		"decode":       list(object("where the fields of an answer stand in its body, for some operations and phases", nil, decode)),
		"envelope": list(object("how the provider's bodies look, so that the emulator can write them", nil, where(node{
			"form": word("only for answers that bear a code, or a status", []string{"code", "status"}), "body": text("the body as JSON, with places such as \"$order_id\" and \"$amount:number\""),
			"headers":    mapping("headers that the answer bears; a value may be a place such as \"$provider_id\"", node{"type": "string"}),
			"status":     some(text("a status of the answers that it is for; absent: any")),
			"sub_status": some(text("a sub-status of the answers that it is for; absent: any")),
		}))),
		"event": list(object("a kind of notice, and what it speaks of", []string{"name", "operation"}, node{
			"name": someFilled(text("the event's name, as the provider writes it; * stands for any text")), "operation": someFilled(word("an operation that the event speaks of, or none", append(operations(), "none"))),
			"status": some(text("a status that does not contradict the name; absent: any")),
		})),
		"endpoint": list(object("a call of the provider's HTTP interface, for the emulator", []string{"operation", "path"}, endpoint)),
		"webhook": object("how the provider signs its webhooks, and what it takes for an acknowledgement", []string{"signature", "acknowledged"}, webhookKeys(node{
			"other": list(object("a further way to sign, for webhooks that have something", []string{"when", "signature", "acknowledged"}, webhookKeys(node{
				"when": signedPlace("what a webhook has that is signed in this way: header:NAME or a field"),
			}))),
		})),
	}))
}

// signedPlace is a place in a webhook.
func signedPlace(why string) node {
	return shaped(why, `^(header:[^#]+(#(.|\n)+)?|[^.:]+)$`)
}

// webhookKeys are the keys of one way to sign, and more.
func webhookKeys(keys node) node {
	conditions := mapping("fields of a reply's body that acknowledges, and the values that they must have; absent: the status is enough", node{"type": "string"})
	for k, v := range (node{
		"signature":      signedPlace("where the signature stands: header:NAME, header:NAME#v1 for a part of a header such as t=…,v1=…, or a field of the body"),
		"timestamp":      shaped("where the time stands that is signed: header:NAME or header:NAME#PART", `^header:[^#]+(#(.|\n)+)?$`),
		"timestamp_unit": word("what the timestamp counts since 1970; milliseconds unless said", []string{"milliseconds", "seconds"}),
		"tolerance":      span("how far the timestamp may be from now, in both directions; absent: any age is accepted"),
		"nonce":          signedPlace("where the text stands that no two webhooks share, so that a copy is told apart: header:NAME or a field"),
		"signed":         word("what is signed: the body; the timestamp, a dot and the body; the fields as name=value&…, ordered by name; the same without empty ones; or text", []string{"body", "timestamp.body", "fields", "nonempty_fields", "text"}),
		"body":           word("how the fields are written: JSON, XML, a form, or a form in the URL's query string", []string{"json", "xml", "form", "query"}),
		"algorithm":      word("how the signature is made; sha256 is of the signed text and then the secret, sha1 and md5 of a text in which {secret} stands", []string{"hmac-sha256", "hmac-sha512", "hmac-sha1", "sha256", "sha1", "md5", "rsa-sha256"}),
		"encoding":       word("how the signature is written; urlencoded-base64 is base64 escaped for a URL, base64url is base64 with - and _", []string{"hex", "base64", "urlencoded-base64", "base64url"}),
		"separator":      word("what stands between the parts of a header; a comma unless said", []string{",", ";", "&"}),
		"omit":           some(text("a field that is not signed, beside the signature itself")),
		"escape":         word("whether the names and values of the fields are signed as a form escapes them", []string{"none", "form"}),
		"reply":          conditions, "acknowledged": count("the HTTP status by which a webhook is acknowledged", 200),
		"acknowledgement": text("the body of a reply that acknowledges; it holds what reply says"),
		"text":            text("what is signed: a text with {body}, {field:NAME}, {header:NAME}, {header:NAME#PART}, {setting:NAME}, {method}, {path} and {secret}"),
		"empty":           text("what an empty part of the text is written as"),
		"suffix":          text("what is signed after the fields; {secret} stands for the secret"),
	}) {
		keys[k] = v
	}
	return keys
}

// The files are what is built here; go test ./cmd/recourse/internal/schematest -update writes them.
func TestSchemasAreUpToDate(t *testing.T) {
	for name, want := range map[string]node{
		"rules.json": rulesFile(), "test.json": tests(), "catalogue.json": catalogue(), "faults.json": faults(), "ceilings.json": ceilings(),
	} {
		var text bytes.Buffer
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(want); err != nil {
			t.Fatal(err)
		}
		if testkit.Update() {
			if err := os.WriteFile(filepath.Join("../../../../schema", name), text.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		have, err := schema.Read(name)
		if err != nil || !bytes.Equal(have, text.Bytes()) {
			t.Errorf("%s is not what it would be built to (%v); go test ./cmd/recourse/internal/schematest -update", name, err)
		}
	}
}
