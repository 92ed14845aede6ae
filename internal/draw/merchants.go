package draw

import (
	"fmt"
	"strings"
)

// templates is how many different files of rules the merchants of a folder begin with: shops
// of one plugin or one agency share theirs.
const templates = 100

// Merchants draws the rules folder of n merchants, by the names of its files. With later set,
// it is the same folder some time later: a third of the merchants kept their file, a third
// changed one rule, and a third has wholly new rules.
func Merchants(n int, later bool) map[string]string {
	files := map[string]string{}
	for m := range n {
		seed := uint64(m % templates)
		change := -1
		switch {
		case later && m%3 == 1:
			change = m
		case later && m%3 == 2:
			seed = uint64(templates + m)
		}
		files[fmt.Sprintf("merchants/m%04d.toml", m)] = merchantFile(seed, change)
	}
	return files
}

// refusals are codes of momo that merchants treat in their own way.
var refusals = []string{"10", "11", "99", "1001", "1002", "1003", "1004", "1005", "1006", "4001"}

// merchantFile draws one merchant's file; change is the rule that has another limit in it.
func merchantFile(seed uint64, change int) string {
	r := From(seed)
	var b strings.Builder
	fmt.Fprintf(&b, "timezone = %q\n", One(r, "Asia/Ho_Chi_Minh", "Asia/Tokyo", "UTC", "Asia/Manila", "Europe/Berlin"))
	if r.IntN(5) == 0 {
		fmt.Fprintf(&b, "disable = [%q]\n", One(r, "momo-lost", "closed", "not-sent"))
	}
	fmt.Fprintf(&b, "[limits]\nmax_attempts = %d\n", 3+r.IntN(3))
	if r.IntN(3) == 0 {
		b.WriteString("max_elapsed = \"72h\"\n")
	}
	fmt.Fprintf(&b, "[schedule.own]\nintervals = [\"%dm\", \"%dh\"]\n", 1+r.IntN(50), 1+r.IntN(9))
	rules := 3 + r.IntN(4)
	for i := range rules {
		more := 0
		if change >= 0 && change%rules == i {
			more = 1
		}
		b.WriteString(merchantRule(r, i, more))
	}
	return b.String()
}

// merchantRule draws a rule; more is added to each number that it compares with.
func merchantRule(r Rand, i, more int) string {
	var id, when, then string
	const refused = `effect == "not_executed" && !in_doubt`
	switch r.IntN(7) {
	case 0:
		id, then = "own-codes", One(r, "retry_new_request", "mark_failed", "escalate")
		when = fmt.Sprintf(`provider == "momo" && operation == "pay" && code in [%q, %q] && %s && fired < %d`, refusals[r.IntN(5)], refusals[5+r.IntN(5)], refused, 1+r.IntN(3)+more)
	case 1:
		id, then = "own-classes", One(r, "retry_new_request", "retry_new_order", "escalate")
		when = fmt.Sprintf(`operation == "pay" && class in [%q, %q] && %s && attempt < %d`, One(r, "insufficient_funds", "limit_exceeded"), One(r, "issuer_declined", "maintenance", "rate_limited"), refused, 2+r.IntN(4)+more)
	case 2:
		id, then = "large", "escalate"
		currency := One(r, "VND", "TWD", "USD", "JPY", "PHP")
		when = fmt.Sprintf(`currency == %q && amount >= %d && in_doubt && elapsed > duration("%dh")`, currency, 1000*(1+r.IntN(500))+more, 1+r.IntN(9))
		if r.IntN(2) == 0 {
			when = fmt.Sprintf(`(currency == %q && amount >= %d || currency == "EUR" && amount >= %d) && %s`, currency, 1000*(1+r.IntN(500))+more, 500*(1+r.IntN(50)), refused)
		}
	case 3:
		id, then = "at-night", One(r, "query_status", "escalate")
		when = fmt.Sprintf(`phase == "query" && class == "not_found" && (hour >= %d || hour < %d) && queries > %d`, 19+r.IntN(4), 5+r.IntN(4), r.IntN(9)+more)
	case 4:
		id, then = "tier", "query_status"
		when = fmt.Sprintf(`operation == "refund" && effect == "unknown" && tags.tier == "gold-%d"`, r.IntN(9)+10*more)
	case 5:
		id, then = "at-door", One(r, "retry_same_request", "mark_failed")
		when = fmt.Sprintf(`operation in ["pay", "checkout"] && stage == "door" && class == %q && %s && fired < %d`, One(r, "maintenance", "rate_limited"), refused, 1+r.IntN(4)+more)
	case 6:
		id, then = "weekend", "escalate"
		when = fmt.Sprintf(`operation == "payout" && in_doubt && weekday in ["saturday", "sunday"] && queries >= %d`, 2+r.IntN(9)+more)
	}
	waits := ""
	if strings.HasPrefix(then, "retry") && r.IntN(2) == 0 {
		waits = "schedule = \"own\"\n"
	}
	return fmt.Sprintf("[[rule]]\nid = \"%s-%d\"\nwhen = '%s'\nthen = %q\n%sreason = \"of its own\"\n", id, i, when, then, waits)
}
