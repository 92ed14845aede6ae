package providers

import (
	"github.com/recourse-pay/recourse/internal/contract"
	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// contracts reads [contract], which holds for every operation, and
// [contract.OPERATION] over it.
func (l *loader) contracts(root source.Table) {
	t, ok := root.Table(l.errs, "contract")
	if !ok {
		return
	}
	said := l.errs
	for _, op := range policy.Operations() {
		contract.Read(t, said, &l.c.contracts[op])
		l.c.promised[op] = l.c.promised[op].With(t)
		said = &source.List{} // the mistakes of [contract] are said once
	}
	for _, op := range policy.Operations() {
		if sub, ok := t.Table(l.errs, op.String()); ok {
			contract.Read(sub, l.errs, &l.c.contracts[op])
			l.c.promised[op] = l.c.promised[op].With(sub)
			if !l.c.Offers(op) {
				l.errs.Add(sub.Pos(), "%s is not among the provider's operations", op)
			}
			sub.Done(l.errs)
		}
	}
	if sub, ok := t.Table(l.errs, "idempotent_key"); ok {
		var keyed policy.Contract
		if l.c.keyed != nil {
			keyed = *l.c.keyed
		}
		l.c.keyed = &keyed
		contract.Read(sub, l.errs, l.c.keyed)
		l.c.keyedSaid = l.c.keyedSaid.With(sub)
		sub.Done(l.errs)
	}
	t.Done(l.errs)
}
