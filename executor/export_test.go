package executor

import "time"

// ReadReply is readReply, for tests.
var ReadReply = readReply

// RequestLetters is requestLetters, for tests.
func RequestLetters(now time.Time) string {
	text := requestLetters(now)
	return string(text[:])
}

// SlotsUsed counts slots and places in line that flows have, if none is in memory and no driver was stopped by Close.
func (x *Executor) SlotsUsed() (used, inLine int64) {
	if len(x.inMemory()) > 0 || x.life.Err() != nil {
		return 0, 0
	}
	for _, g := range *x.guards.providers.Load() {
		for _, s := range []*slots{g.sends[0].slots, g.asks[0].slots} {
			if s != nil {
				used += s.used.Load()
				inLine += s.inLine.Load()
			}
		}
	}
	return used, inLine
}

// BudgetLeft is how many tokens the retries of a merchant have left at a provider.
func (x *Executor) BudgetLeft(provider, merchant string) float64 {
	p := (*x.guards.providers.Load())[account{provider, merchant}]
	return p.bucket.left(time.Now())
}

// BreakMachine makes the machine panic over a flow's next events, until mend is called.
func (x *Executor) BreakMachine(id string) (mend func()) {
	x.mu.Lock()
	r := x.flows[id]
	x.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	ledger := r.state.Ledger
	r.state.Ledger = nil
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.state.Ledger = ledger
	}
}
