package schematest

import (
	"github.com/recourse-pay/recourse/internal/emulation"
	"github.com/recourse-pay/recourse/policy"
)

// defining is a document with its own definitions.
func defining(definitions node, id, title string, root node) node {
	root = document(id, title, root)
	root["definitions"] = definitions
	return root
}

func share(why string) node {
	return node{"type": "number", "minimum": 0, "maximum": 1, "description": why}
}

// spread is one duration, or the shortest and the longest.
func spread(why string) node {
	return node{"anyOf": []any{span(why), node{"type": "array", "items": span(why), "minItems": 1, "maxItems": 2}}}
}

// faults is the file of `recourse emulate --faults`.
func faults() node {
	choices := func(why string) node {
		return list(object(why, nil, node{"weight": count("how often, beside the others", 1), "for": spread("after how long; without it at once")}))
	}
	fate := node{
		"executes": share("probability that one takes place"), "murky": share("probability of an answer that proves nothing"),
		"refused": share("probability of a refusal at the door"), "refused_times": count("at most so often for one payment", 1),
		"refused_as": someFilled(word("the reason", names(policy.All[policy.Class]()))),
		"settles":    choices("when a payment comes to its end"), "webhook_after": choices("when a webhook comes"),
	}
	all := node{}
	for k, v := range fate {
		all[k] = v
	}
	for _, op := range operations() {
		all[op] = node{"$ref": "#/definitions/fate"}
	}
	var kinds []string
	for k := emulation.Refuse; k < emulation.Maintenance; k++ {
		kinds = append(kinds, k.String())
	}
	own := node{"fate": object("of one operation, over the general lines", nil, fate)}
	return defining(own, "faults.json", "Faults of Recourse's emulator", object("What becomes of payments, and what goes wrong on the way", nil, node{
		"patience": span("how long the client waits for an answer"),
		"latency":  object("of answers", nil, node{"send": spread("of a send"), "query": spread("of a query")}),
		"fate":     object("what becomes of payments", nil, all),
		"fault": list(hits(object("a thing that goes wrong", []string{"kind"}, node{
			"kind": word("what goes wrong", kinds), "operation": someFilled(word("operation", operations())), "phase": someFilled(word("phase", names(policy.Phases()))),
			"orders": some(text("a pattern of order ids, such as \"timeout-*\"")), "for": spread("how long"), "status": count("HTTP status of error_after", 500),
			"probability": share("by chance"), "nth": count("every nth call", 1), "first": count("the first calls", 1),
			"of": word("what nth and first count by", []string{"order", "provider"}),
		}))),
		"maintenance": list(object("a window in which the door is closed", []string{"for"}, node{
			"operation": someFilled(word("operation", operations())), "for": span("how long"), "every": span("how often"), "from": shaped("a time of RFC 3339", `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`),
		})),
		"rate_limit": object("a quota of calls", []string{"calls", "per"}, node{"calls": count("calls", 1), "per": span("in this time")}),
	}))
}

// hits says that a fault has one way to choose the calls that it hits.
func hits(fault node) node {
	either(fault, "probability", "nth", "first")
	all := without("probability", "nth", "first")
	all["required"], all["properties"] = []string{"orders"}, node{"orders": node{"description": "the orders that it happens to", "anyOf": []any{node{"type": "string"}, node{"minItems": 1}}}}
	fault["oneOf"] = append(fault["oneOf"].([]any), all)
	fault["dependencies"] = node{"of": node{"anyOf": []any{node{"required": []string{"nth"}}, node{"required": []string{"first"}}}}}
	return fault
}

// ceilings is internal/check/ceilings.toml.
func ceilings() node {
	return defining(node{}, "ceilings.json", "Ceilings of card schemes", object("How often card schemes let a declined payment be tried again", nil, node{
		"ceiling": list(object("what one source says of one scheme and region", []string{"scheme", "region", "reattempts", "window", "classes", "source", "since", "read"}, node{
			"scheme": text("the card scheme"), "region": text("where"), "reattempts": count("after the first decline", 0), "window": span("in this time"),
			"classes": list(word("of the declines it is about", names(policy.All[policy.Class]()))), "program": text("the scheme's programme, and what it counts"),
			"source": text("title and address"), "since": text("when it came into force, or unstated"), "read": text("when the source was read"), "note": text("for people"),
		})),
	}))
}
