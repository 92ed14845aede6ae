package draw

import "fmt"

// Wild draws a text in expr's syntax: often a condition of the rules' language, often one with
// a form that only expr knows, or with a part of another type than its place needs.
func Wild(r Rand, depth int) string { return wild(r, "truth", depth) }

var wildTypes = []string{"truth", "number", "text", "duration", "list", "tags", "nil"}

func wild(r Rand, of string, depth int) string {
	if r.IntN(40) == 0 {
		of = One(r, wildTypes...)
	}
	if depth <= 0 {
		return wildLeaf(r, of)
	}
	a := func(of string) string { return wild(r, of, depth-1-r.IntN(2)) }
	if r.IntN(12) == 0 {
		return wildAnyForm(r, of, a)
	}
	switch of {
	case "truth":
		return wildTruth(r, a)
	case "number":
		return One(r, a(of)+One(r, " + ", " - ", " * ")+a(of), "-"+a(of), "("+a(of)+")", "len("+a("text")+")", "len("+a("tags")+")", wildLeaf(r, of),
			"+"+a(of), a(of)+One(r, " / ", " % ", " ** ")+a(of))
	case "text":
		return One(r, a(of)+" + "+a(of), One(r, "upper", "lower", "trim")+"("+a(of)+")", "trim("+a(of)+", "+a(of)+")", wildSlice(r, a), wildLeaf(r, of),
			a(of)+" | upper()", "("+a(of)+")", "tags["+a(of)+"]", "("+wildTag(r)+" ?? "+One(r, `""`, a(of))+")")
	case "duration":
		return One(r, a(of)+One(r, " + ", " - ")+a(of), a("number")+" * "+a(of), a(of)+" * "+a("number"), "("+a(of)+")", wildLeaf(r, of), "-"+a(of))
	case "list":
		t := One(r, "text", "number", "duration", "truth")
		return One(r, "["+wildLeaf(r, t)+", "+wildLeaf(r, t)+"]", "["+a(t)+"]", "[]", "1..3", "["+wildLeaf(r, "text")+", "+wildLeaf(r, "number")+"]")
	}
	return wildLeaf(r, of)
}

func wildTruth(r Rand, a func(string) string) string {
	t := One(r, "number", "text", "duration", "truth")
	switch r.IntN(13) {
	case 0, 1:
		return a("truth") + One(r, " && ", " and ", " || ", " or ") + a("truth")
	case 2:
		return One(r, "!", "not ") + "(" + a("truth") + ")"
	case 3:
		return "(" + a(t) + ") " + One(r, "==", "!=") + " (" + a(t) + ")"
	case 4, 5:
		t = One(r, "number", "text", "duration")
		return a(t) + One(r, " < ", " <= ", " > ", " >= ", " == ", " != ") + a(t)
	case 6:
		return a(t) + One(r, " in ", " not in ") + One(r, "["+wildLeaf(r, t)+", "+wildLeaf(r, t)+"]", a("list"))
	case 7:
		return a("text") + One(r, " in ", " not in ") + a("tags")
	case 8:
		return a("text") + One(r, " contains ", " startsWith ", " endsWith ", " not contains ") + a("text")
	case 9:
		return a("text") + " matches " + One(r, `"^4"`, `"(?i)gold|x"`, `"\\d{2}"`, `"("`, a("text"))
	case 10:
		return One(r, "hasPrefix", "hasSuffix") + "(" + a("text") + ", " + a("text") + ")"
	case 11:
		return a("number") + " < " + a("number") + " <= " + a("number")
	}
	return "if " + a("truth") + " { " + a("truth") + " } else { " + a("truth") + " }"
}

func wildSlice(r Rand, a func(string) string) string {
	return "(" + a("text") + ")[" + One(r, "", a("number")) + ":" + One(r, "", a("number")) + "]"
}

// wildAnyForm is a form that any type can have, or none.
func wildAnyForm(r Rand, of string, a func(string) string) string {
	return One(r, "("+a("truth")+" ? "+a(of)+" : "+a(of)+")", "("+a("truth")+" ? "+a(of)+" : "+a(of)+")", "("+a("truth")+" ? "+a(of)+" : "+a(of)+")",
		"("+a(of)+" ?? "+a(of)+")", "["+a(of)+", "+a(of)+"]["+a("number")+"]", "["+a(of)+"][0]", "{\"k\": "+a(of)+"}.k", "let v = "+a(of)+"; v",
		"("+a("truth")+"; "+a(of)+")", "tags?.tier", "$env.code", "elapsed.Hours()", "all(["+a(of)+"], true)", a("text")+"["+a("number")+"]")
}

func wildTag(r Rand) string {
	return One(r, "tags.tier", `tags["tier"]`, "tags.x", `tags["a tier"]`, "tags?.tier", `tags?.["x"]`, "tags[code]")
}

func wildLeaf(r Rand, of string) string {
	switch of {
	case "truth":
		return One(r, "in_doubt", "true", "false", "in_doubt", fmt.Sprintf("%s == %q", "code", One(r, texts["code"]...)), `effect == "unknown"`, `attempt < 2`)
	case "number":
		return One(r, "attempt", "queries", "fired", "http_status", "amount", "hour", "0", "1", "2", "-1", "9223372036854775807", "1_000", "0x10", "2.5", "1e3",
			"4611686018427387904", "3", "attempt", "amount")
	case "text":
		return One(r, "code", "sub_code", "status", "currency", "provider", "merchant", "message", "operation", "effect", "fault", `""`, `"4"`, `"40"`, `"é"`, `'x'`, "`gold`",
			`"GOLD"`, wildTag(r), wildTag(r), "phase", "weekday")
	case "duration":
		return One(r, "elapsed", "retry_after", `duration("1h")`, `duration("0s")`, `duration("-1m")`, "elapsed", "duration(code)", `duration("2540400h")`)
	case "tags":
		return One(r, "tags", "tags", "tags", "{}", `{"tier": "gold"}`)
	case "list":
		return One(r, `["40", ""]`, "[1, 2]", "[]")
	}
	return "nil"
}
