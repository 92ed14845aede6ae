package simulate

// columnNames are the numbers of a column, by their names in the report's JSON form.
var columnNames = [...]string{
	"flows", "succeeded", "failed", "escalated", "open", "off_record", "proved_executed", "proved_not_executed", "refused",
	string(executedTwice), string(failedThoughExecuted), string(succeededThoughNot), string(succeededOther), string(succeededDisputed),
	"sends", "queries", "corrected", "alerts", "unasked",
}

// The places of some numbers in columnNames.
const (
	firstEnd = 1 // succeeded, failed, escalated, open, off_record
	lastEnd  = 5
	harmFrom = 9
	harmTo   = 13
	sendsAt  = 14
	askedAt  = 15
)

type columnNumbers [len(columnNames)]int64

func (c *column) numbers() columnNumbers {
	n := func(n int) int64 { return int64(n) }
	return columnNumbers{
		n(c.flows), n(c.succeeded), n(c.failed), n(c.escalated), n(c.open), n(c.offRecord), n(c.provedExecuted), n(c.provedNotExecuted), n(c.refused),
		c.harms[executedTwice], c.harms[failedThoughExecuted], c.harms[succeededThoughNot], c.harms[succeededOther], c.harms[succeededDisputed],
		n(c.sends), n(c.queries), n(c.corrected), n(c.alerts), n(c.unasked),
	}
}

// moneyNames are the numbers of the money of one currency: the last two are at risk by all kinds of harm.
var moneyNames = [...]string{"volume", "escalated", "open", "off_record", "proved", "refused", "recorded", "simulated"}

type moneyNumbers [len(moneyNames)]int64

func (m *money) numbers() moneyNumbers {
	n := moneyNumbers{m.volume, m.escalated, m.open, m.offRecord, m.proved, m.refused}
	for _, h := range harmKinds {
		n[6] += m.recorded[h]
		n[7] += m.simulated[h]
	}
	return n
}

// raised is by how much one flow raises the numbers of a tally. What a table or a list says of a flow is
// taken from it, so it is what the totals say.
type raised struct {
	recorded, simulated columnNumbers
	money               moneyNumbers // of the flow's currency
}

// standing is where the numbers stand that a flow may raise.
func (t *tally) standing(r *record) raised {
	s := raised{recorded: t.recorded.numbers(), simulated: t.simulated.numbers()}
	if m := t.money[r.payment.Currency]; m != nil {
		s.money = m.numbers()
	}
	return s
}

// since is what was added after o.
func (s raised) since(o *raised) raised {
	for i := range s.recorded {
		s.recorded[i] -= o.recorded[i]
		s.simulated[i] -= o.simulated[i]
	}
	for i := range s.money {
		s.money[i] -= o.money[i]
	}
	return s
}

func (n *columnNumbers) add(o *columnNumbers) {
	for i := range o {
		n[i] += o[i]
	}
}

// named is the numbers by their names.
func (n *columnNumbers) named() map[string]int64 {
	m := make(map[string]int64, len(n))
	for i, name := range columnNames {
		m[name] = n[i]
	}
	return m
}

// end is the name of the end that a flow raised.
func (n *columnNumbers) end() string {
	for i := firstEnd; i <= lastEnd; i++ {
		if n[i] > 0 {
			return columnNames[i]
		}
	}
	return ""
}

// harm is the name of the first harm that a flow raised; empty: it did none.
func (n *columnNumbers) harm() string {
	for i := harmFrom; i <= harmTo; i++ {
		if n[i] > 0 {
			return columnNames[i]
		}
	}
	return ""
}
