package certify_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/internal/certificate"
	"github.com/recourse-pay/recourse/internal/certify"
	"github.com/recourse-pay/recourse/policy"
)

// edit changes one text of a file of the certificate's rules, which it adds if it is not there.
func edit(t *testing.T, c *certificate.Certificate, name string, data []byte, was, is string) {
	t.Helper()
	i := slices.IndexFunc(c.Rules, func(o certificate.Text) bool { return o.Name == name })
	if i < 0 {
		i, c.Rules = len(c.Rules), append(c.Rules, certificate.Text{Name: name, Data: data})
	}
	changed := bytes.Replace(c.Rules[i].Data, []byte(was), []byte(is), 1)
	if bytes.Equal(changed, c.Rules[i].Data) {
		t.Fatalf("%s has no %q", name, was)
	}
	c.Rules[i].Data = changed
}

// otherMerchant says that a product is about one merchant more.
func otherMerchant(c *certificate.Certificate, p *certificate.Product, rules string) {
	c.Rules = append(c.Rules, certificate.Text{Name: "merchants/other.toml", Data: []byte(rules)})
	p.Merchants = append(p.Merchants, "other")
}

// A certificate proves something about its own rules, catalogue, contract and merchants: with others it is refused, and the error says why.
func TestCertificateOfSomethingElse(t *testing.T) {
	momo, err := os.ReadFile("../../providers/momo.toml")
	if err != nil {
		t.Fatal(err)
	}
	data := made(t, "momo", policy.Unbind)
	for _, one := range []struct {
		name, want string
		change     func(c *certificate.Certificate, p *certificate.Product)
	}{
		{"a rule of the provider", "it does not list", func(c *certificate.Certificate, _ *certificate.Product) {
			edit(t, c, "momo.toml", nil, `then     = "query_status"`, `then     = "escalate"`)
		}},
		{"the order of the rules", "it does not list", func(c *certificate.Certificate, _ *certificate.Product) {
			i := slices.IndexFunc(c.Rules, func(o certificate.Text) bool { return o.Name == "baseline.toml" })
			parts := bytes.Split(c.Rules[i].Data, []byte("[[rule]]"))
			slices.Reverse(parts[1:])
			c.Rules[i].Data = bytes.Join(parts, []byte("\n[[rule]]"))
		}},
		{"a merchant's file", "it does not list mark_failed", func(c *certificate.Certificate, p *certificate.Product) {
			otherMerchant(c, p, "[[rule]]\nid = \"other\"\nwhen = 'in_doubt'\nthen = \"mark_failed\"\nreason = \"other\"\n")
		}},
		{"a merchant's file that is about one capture mode", "it does not list mark_failed", func(c *certificate.Certificate, p *certificate.Product) {
			otherMerchant(c, p, "[[rule]]\nid = \"other\"\nwhen = 'capture == \"manual\" && in_doubt'\nthen = \"mark_failed\"\nreason = \"other\"\n")
		}},
		{"a merchant's limits", "has other terms than it says", func(c *certificate.Certificate, p *certificate.Product) {
			otherMerchant(c, p, "[limits]\nmax_attempts = 1\n")
		}},
		{"a row of the catalogue", "the catalogue of momo says something else than its facts", func(c *certificate.Certificate, _ *certificate.Product) {
			edit(t, c, "providers/momo.toml", momo, `operation = ["unbind"], phase = ["send"], effect = "executed"`, `operation = ["unbind"], phase = ["send"], effect = "unknown"`)
		}},
		{"a promise of the contract", "has other terms than it says", func(c *certificate.Certificate, _ *certificate.Product) {
			edit(t, c, "providers/momo.toml", momo, `"744h"`, `"800h"`)
		}},
		{"limits of no use", "has other terms than it says", func(_ *certificate.Certificate, p *certificate.Product) { p.Terms.Limits.MaxElapsed = 1 }},
		{"no merchant", "not about the merchant", func(_ *certificate.Certificate, p *certificate.Product) { p.Merchants = nil }},
		{"no capture mode", "or the capture mode", func(_ *certificate.Certificate, p *certificate.Product) { p.Captures = nil }},
	} {
		c := read(t, data)
		for i := range c.Products {
			one.change(c, &c.Products[i])
			break
		}
		if err := check(c); err == nil || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%s: %v, want %q", one.name, err, one.want)
		}
	}
	c := read(t, data)
	c.V--
	older, err := c.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.Read(older); err == nil || !strings.Contains(err.Error(), fmt.Sprint("it has version ", c.V, ", and this program reads ", c.V+1)) {
		t.Errorf("an older version: %v", err)
	}
}

// A stranger who grows a set of his own to what he changed is refused as well, or has changed nothing that the proof reads.
func TestGrownToWhatWasChanged(t *testing.T) {
	data := made(t, "momo", policy.Unbind)
	e, err := engine.OpenFS(read(t, data).FS())
	if err != nil {
		t.Fatal(err)
	}
	untouched := read(t, data).Products[0]
	for name, change := range map[string]func(p *certificate.Product){
		"its flow has no time": func(p *certificate.Product) { p.Terms.Limits.MaxElapsed = 0 },
		"its flow sends once":  func(p *certificate.Product) { p.Terms.Limits.MaxAttempts = 1 },
		"providers ask for long waits": func(p *certificate.Product) {
			p.Terms.Limits.MaxRetryAfter = 1000 * time.Hour
			eachAnswer(p, func(a *policy.Answer) { a.RetryAfter = 1000 * time.Hour })
		},
		"providers ask for waits": func(p *certificate.Product) {
			eachAnswer(p, func(a *policy.Answer) { a.RetryAfter = 1000 * time.Hour })
		},
		"all amounts are odd":            func(p *certificate.Product) { eachAnswer(p, func(a *policy.Answer) { a.Amount = policy.OddAmount }) },
		"the payment's amount is odd":    func(p *certificate.Product) { p.Payment.Amount = policy.OddAmount },
		"all currencies are another one": func(p *certificate.Product) { eachAnswer(p, func(a *policy.Answer) { a.Currency = "XXX" }) },
		"every answer is a failed call": func(p *certificate.Product) {
			eachAnswer(p, func(a *policy.Answer) {
				was := certify.Read(e.Judge(&p.Payment, a))
				for _, f := range policy.All[policy.Fault]() {
					if failed := (policy.Answer{Phase: a.Phase, Fault: f}); certify.Read(e.Judge(&p.Payment, &failed)) == was {
						*a = failed
					}
				}
			})
		},
		"a rule has another name": func(p *certificate.Product) {
			for i := range p.Asked {
				for k := range p.Asked[i].Choices {
					p.Asked[i].Choices[k].Rules = []string{"another"}
				}
			}
		},
	} {
		c := read(t, data)
		p := &c.Products[0]
		change(p)
		grow(t, p, e)
		if err := check(c); err == nil && len(p.Closed) != len(untouched.Closed) {
			t.Errorf("%s: a set of %d states is accepted in place of %d", name, len(p.Closed), len(untouched.Closed))
		} else if (strings.Contains(name, "rule") || strings.Contains(name, "failed")) && err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	c := read(t, data)
	if grow(t, &c.Products[0], e); check(c) != nil || len(c.Products[0].Closed) != len(untouched.Closed) {
		t.Errorf("untouched, and grown: %d states, %v", len(c.Products[0].Closed), check(c))
	}
}

func eachAnswer(p *certificate.Product, change func(a *policy.Answer)) {
	for ph := range p.Answers {
		for i := range p.Answers[ph] {
			a := &p.Answers[ph][i]
			a.Phase = policy.Phase(ph)
			change(a)
		}
	}
}

// grow replaces the set of a product by the one that its steps reach, and what is listed by what they ask and need.
func grow(t *testing.T, p *certificate.Product, e *engine.Engine) {
	t.Helper()
	asked, done := map[certificate.Question][]certificate.Choice{}, map[certificate.Question]bool{}
	for _, a := range p.Asked {
		asked[a.Question] = a.Choices
	}
	m := certify.New(p, e, func(q certificate.Question) []certificate.Choice {
		done[q] = true
		return asked[q]
	})
	all, queue := map[certificate.State][]uint32{}, []certificate.State{{}}
	all[certificate.State{}] = []uint32{0}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if err := m.From(&s, slices.Clone(all[s]), func(to certificate.State, worlds []uint32) {
			for _, w := range worlds {
				if to.Count > 0 && !slices.Contains(all[to], w) {
					all[to] = append(all[to], w)
					queue = append(queue, to)
				}
			}
		}); err != nil {
			return // it breaks a property, and would be refused
		}
	}
	p.Closed, p.Uses = nil, slices.Collect(maps.Keys(m.Used))
	for s, worlds := range all {
		slices.Sort(worlds)
		p.Closed = append(p.Closed, certificate.Closed{State: s, Worlds: worlds})
	}
	p.Asked = slices.DeleteFunc(p.Asked, func(a certificate.Asked) bool { return !done[a.Question] })
}
