package promela

import (
	"fmt"
	"slices"
	"strings"

	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

// Worlds tabulates the rules for each kind of payment that they may tell apart: the payment's own, and where they look at the capture mode,
// the amount or the currency, those around each value that they name. Worlds that differ in nothing that the model reads are one.
func Worlds(e *ruleset.Engine, p policy.Payment, distrust bool) ([]*World, error) {
	t, err := mentioned(e.Effective(p.Provider, p.Merchant).Rulings)
	if err != nil {
		return nil, err
	}
	amounts, currencies := []int64{p.Amount}, []string{p.Currency}
	if t.mentions["amount"] {
		amounts = append(amounts, t.around("amount", 0)...)
	}
	if t.mentions["currency"] {
		currencies = append(append(currencies, "", "XTS"), t.currencies()...)
	}
	var all []*World
	seen := map[string]bool{}
	for _, p.Capture = range policy.All[policy.CaptureMode]() {
		if p.Capture != policy.Auto && p.Operation != policy.Pay && p.Operation != policy.Checkout {
			continue
		}
		for _, p.Amount = range amounts {
			for _, p.Currency = range currencies {
				w, err := NewWorld(e, p, distrust)
				if err != nil {
					return nil, err
				}
				if key := w.key(); !seen[key] {
					seen[key] = true
					all = append(all, w)
				}
			}
		}
	}
	return all, nil
}

// currencies are the texts of the conditions that can be one, in capitals.
func (t *texts) currencies() (all []string) {
	for _, s := range t.strings {
		if s = strings.ToUpper(s); len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// key is everything that the model reads of a world.
func (w *World) key() string {
	facts := make([][]int, len(w.judged))
	for ph, list := range w.judged {
		for _, j := range list {
			facts[ph] = append(facts[ph], j.fact)
		}
	}
	return fmt.Sprint(w.facts, facts, w.decisions, w.sets, w.table, w.saysMoney())
}

// saysMoney reports whether the payment names an amount or a currency, which an answer can contradict.
func (w *World) saysMoney() bool { return w.payment.Amount != 0 || w.payment.Currency != "" }
