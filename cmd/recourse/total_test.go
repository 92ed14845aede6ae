package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// variants are the ways in which the same answer can reach us.
var variants = map[string]fields{
	"plain":         {},
	"verified":      {"verified": true},
	"in doubt":      {"in_doubt": true, "verified": true, "attempt": 2},
	"replay":        {"replay": true, "verified": true, "attempt": 2},
	"manual":        {"capture": "manual", "verified": true},
	"server error":  {"http_status": 503, "verified": true},
	"limits spent":  {"attempt": 50, "queries": 500, "elapsed_ms": 9_000_000_000, "verified": true},
	"doubt, spent":  {"attempt": 50, "queries": 500, "elapsed_ms": 9_000_000_000, "verified": true, "in_doubt": true},
	"never resends": {"merchant": "swift-payouts", "verified": true},
	"subscriptions": {"merchant": "evergreen-box", "amount": 500, "currency": "VND", "tags": map[string]string{"a": "b"}},
}

// everywhere calls f for each provider, each of the nine operations, each phase.
func everywhere(t *testing.T, f func(t *testing.T, cat *providers.Catalog, op policy.Operation, ph policy.Phase)) {
	e := defaults(t)
	names := e.Catalogs.Names()
	for _, name := range names[:testkit.Size(1, len(names), len(names))] {
		cat, err := e.Catalogs.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, op := range policy.Operations() {
				for _, ph := range policy.Phases() {
					f(t, cat, op, ph)
				}
			}
		})
	}
}

// answers lists the answers of a provider: every code and status of its catalogue, some
// that are in no catalogue, and every fault.
func answers(cat *providers.Catalog) []fields {
	all := []fields{
		{}, {"code": "no-such-code"}, {"code": 987654}, {"status": "NO_SUCH_STATUS"}, {"code": "0", "sub_code": "no-such-code"},
		{"message": "\u0000\uffff"}, {"http_status": 429}, {"http_status": 200}, {"http_status": -1},
	}
	for _, r := range cat.Codes {
		all = append(all, fields{"code": r.Code}, fields{"sub_code": r.Code})
	}
	for _, r := range cat.Statuses {
		said := fields{"status": r.Status, "sub_status": r.SubStatus}
		all = append(all, said, said.with(fields{"sub_status": "no-such-sub-status"}), said.with(fields{"code": "no-such-code"}))
	}
	for _, f := range policy.All[policy.Fault]() {
		all = append(all, fields{"fault": f})
	}
	return all
}

// Every answer of a provider has a decision in every state, and it breaks no law.
func TestEveryAnswerIsDecided(t *testing.T) {
	everywhere(t, func(t *testing.T, cat *providers.Catalog, op policy.Operation, ph policy.Phase) {
		for _, said := range answers(cat) {
			said = said.with(fields{"provider": cat.Name, "operation": op, "phase": ph})
			for name, variant := range variants {
				line := said.with(variant).line(t)
				q, err := advice.Read(line)
				if err != nil {
					t.Fatalf("%s: %s", line, err)
				}
				a, err := advice.Ask(defaults(t), q)
				if err != nil {
					t.Fatalf("%s: %s", line, err)
				}
				if broken := brokenLaw(q, a); broken != "" {
					t.Errorf("%s (%s): %s", line, name, broken)
				}
			}
		}
	})
}

// A status and a reason beside it: every pair.
func TestEveryStatusWithEveryReasonIsDecided(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	everywhere(t, func(t *testing.T, cat *providers.Catalog, op policy.Operation, ph policy.Phase) {
		for _, s := range cat.Statuses {
			for _, r := range cat.Codes {
				q := &advice.Question{
					Provider: cat.Name, Operation: &op, Phase: ph, Status: advice.Scalar(s.Status), SubStatus: advice.Scalar(s.SubStatus),
					Code: advice.Scalar(r.Code), Verified: true, At: at,
				}
				a, err := advice.Ask(defaults(t), q)
				if err != nil {
					t.Fatalf("%s/%s with %s: %s", s.Status, s.SubStatus, r.Code, err)
				}
				if broken := brokenLaw(q, a); broken != "" {
					t.Errorf("%s %s, status %s/%s with code %s: %s", op, ph, s.Status, s.SubStatus, r.Code, broken)
				}
			}
		}
	})
}

// An answer that is in no catalogue is unknown. The engine resolves it in the way
// that the contract leaves open: a query, the same request where a replay is safe, the
// webhook, and a person last.
func TestUnseenAnswersAreFoundOutAbout(t *testing.T) {
	unseen := []fields{
		{"code": "no-such-code"}, {"code": 987654}, {"status": "NO_SUCH_STATUS"}, {"sub_code": "no-such-code"},
		{"code": "no-such-code", "http_status": 500}, {},
	}
	everywhere(t, func(t *testing.T, cat *providers.Catalog, op policy.Operation, ph policy.Phase) {
		for _, said := range unseen {
			for _, id := range []string{"", "their-id"} {
				line := said.with(fields{"provider": cat.Name, "operation": op, "phase": ph, "verified": true, "provider_id": id}).line(t)
				a := decided(t, line)
				want := foundOutBy(cat.Contract(op), ph == policy.Query || id != "")
				if d := a.Decision(); d.Effect != policy.Unknown || d.Action != want {
					t.Errorf("%s: %s, %s; want %s", line, d.Effect, d.Action, want)
				}
			}
		}
	})
}

// foundOutBy is what a contract leaves for a first send in doubt.
func foundOutBy(c policy.Contract, theirIDKnown bool) policy.Action {
	now := time.Now()
	switch {
	case c.QueryIdentifier(theirIDKnown) != "":
		return policy.QueryStatus
	case c.ReplaySafe(now, now):
		return policy.RetrySame
	case c.Webhook:
		return policy.QueryStatus
	}
	return policy.Escalate
}

// In doubt no answer of any provider ends a payment or sends a new identity.
func TestDoubtForbidsNewIdentities(t *testing.T) {
	everywhere(t, func(t *testing.T, cat *providers.Catalog, op policy.Operation, ph policy.Phase) {
		for _, said := range answers(cat) {
			line := said.with(fields{
				"provider": cat.Name, "operation": op, "phase": ph, "in_doubt": true, "verified": true,
			}).line(t)
			switch d := decided(t, line).Decision(); d.Action {
			case policy.MarkFailed, policy.RetryNewRequest, policy.RetryNewOrder, policy.RetrySame:
				t.Errorf("%s: %s", line, d.Action)
			default:
			}
		}
	})
}

// bodies are raw responses, as JSON strings hold them.
var bodies = map[string]string{
	"nothing":        ``,
	"null":           `null`,
	"object":         `{}`,
	"array":          `[]`,
	"number":         `42`,
	"text":           `"a text"`,
	"page":           `<html><body>502 Bad Gateway</body></html>`,
	"cut short":      `{"resultCode":0,"code":"0","data":{"transactionStatus":"COMPL`,
	"two objects":    `{"resultCode":0}{"resultCode":0}`,
	"nested texts":   `"\"\\\"{}\\\"\""`,
	"odd types":      `{"resultCode":[0],"code":{},"status":7,"data":"x","param":"{","paymentMsg":[],"ret_code":null,"orderId":{"a":1}}`,
	"huge numbers":   `{"resultCode":1e999,"code":99999999999999999999999999,"amount":1e400,"data":{"amount":-0.0000001,"error_code":1E+5}}`,
	"negative":       `{"resultCode":-1,"code":"-1","amount":-500}`,
	"no utf-8":       "{\"resultCode\":\"\xff\xfe\",\"code\":\"\xc3\x28\",\"status\":\"\xed\xa0\x80\"}",
	"control bytes":  "\x00\x01\x02",
	"byte order":     "\ufeff{\"resultCode\":0,\"code\":\"0\"}",
	"deep":           strings.Repeat(`{"data":`, 2000) + `1` + strings.Repeat(`}`, 2000),
	"very deep":      strings.Repeat(`[`, 100_000),
	"deep in a text": `{"param":"` + strings.Repeat(`[`, 100_000) + `"}`,
	"long":           `{"resultCode":"` + strings.Repeat("x", 1<<18) + `"}`,
}

// Whatever comes back as a body, there is a decision, and nothing is proved by it.
func TestEveryBodyIsDecided(t *testing.T) {
	everywhere(t, func(t *testing.T, cat *providers.Catalog, op policy.Operation, ph policy.Phase) {
		for name, body := range bodies {
			if len(body) > 10_000 && op != policy.Refund {
				continue // these say nothing of the operation
			}
			head := `{"provider":"` + cat.Name + `","operation":"` + op.String() + `","phase":"` + ph.String() + `","verified":true,"body":`
			lines := []string{head + quoted(body) + `}`}
			if json.Valid([]byte(body)) {
				lines = append(lines, head+body+`}`)
			}
			for _, line := range lines {
				q, err := advice.Read([]byte(line))
				if err != nil {
					t.Fatalf("%s, %s, %s: %s", name, op, ph, err)
				}
				a, err := advice.Ask(defaults(t), q)
				if err != nil {
					t.Fatalf("%s, %s, %s: %s", name, op, ph, err)
				}
				if broken := brokenLaw(q, a); broken != "" {
					t.Errorf("%s, %s, %s: %s", name, op, ph, broken)
				}
				if d := a.Decision(); d.Effect != policy.Unknown {
					t.Errorf("%s, %s, %s is taken for %s, %s", name, op, ph, d.Effect, d.Class)
				}
			}
		}
	})
}

// quoted writes bytes as a JSON string and leaves those that are no UTF-8 as they are,
// as a careless client would.
func quoted(raw string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(raw) {
		switch c := raw[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			b.WriteString(`\u00` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]))
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
