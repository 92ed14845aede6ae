package emulation

import (
	"time"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// callsKept bounds the calls that are remembered of one order.
const callsKept = 100

// CallRecord is one call of an order, as it was answered.
type CallRecord struct {
	At         time.Time        `json:"at"`
	Phase      policy.Phase     `json:"phase"`
	Operation  policy.Operation `json:"operation"`
	RequestID  string           `json:"request_id,omitempty"`
	Fault      FaultKind        `json:"fault"`              // what went wrong
	ReceivedAt policy.Fault     `json:"received,omitempty"` // in place of an answer
	HTTPStatus int              `json:"http_status,omitempty"`
	Code       string           `json:"code,omitempty"`
	Status     string           `json:"status,omitempty"`
}

// note counts a call and remembers it.
func (p *Provider) note(c *orderState, at time.Time, op policy.Operation, r *providers.Request, d *CallResult) {
	if d.Fault != NoFault {
		p.faultCounts[d.Fault]++
	}
	if len(c.calls) == callsKept {
		return
	}
	c.calls = append(c.calls, CallRecord{
		At: at, Phase: r.Phase, Operation: op, RequestID: r.RequestID, Fault: d.Fault, ReceivedAt: d.Answer.Fault,
		HTTPStatus: d.Answer.HTTPStatus, Code: d.Answer.Code, Status: d.Answer.Status,
	})
}

// Transaction is a request that the provider let in, and what becomes of it.
type Transaction struct {
	Operation  policy.Operation `json:"operation"`
	OrderID    string           `json:"order_id"`
	RequestID  string           `json:"request_id"`
	ProviderID string           `json:"provider_id"`
	Amount     int64            `json:"amount"` // ISO 4217 minor units; 0: the request named none
	Currency   string           `json:"currency,omitempty"`
	Arrived    time.Time        `json:"arrived"`
	Settles    time.Time        `json:"settles"`
	Executes   bool             `json:"executes"` // what its end is, or will be
	Over       bool             `json:"over"`     // whether it has ended
}

// Order is all that a provider knows of one order, its transactions and the replies to its calls.
type Order struct {
	OrderID      string        `json:"order_id"`
	Transactions []Transaction `json:"transactions"`
	Calls        []CallRecord  `json:"calls"` // the first hundred
}

// Order returns what is known of one order at a time. ok is false when no call named it.
func (p *Provider) Order(at time.Time, orderID string) (o Order, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrivals(at)
	c := p.orders[orderID]
	if c == nil {
		return o, false
	}
	o = Order{OrderID: orderID, Transactions: []Transaction{}, Calls: append([]CallRecord{}, c.calls...)}
	for _, t := range p.index.byOrder[orderID] {
		o.Transactions = append(o.Transactions, Transaction{
			Operation: t.owner.of.Operation, OrderID: t.orderID, RequestID: t.requestID, ProviderID: t.providerID,
			Amount: t.amount, Currency: t.currency, Arrived: t.arrived, Settles: t.settles, Executes: t.executes, Over: t.over(at),
		})
	}
	return o, true
}

// Account is a provider's ledger and how it was called.
type Account struct {
	Provider   string         `json:"provider"`
	Calls      int            `json:"calls"`
	Orders     int            `json:"orders"`  // that were named
	Pending    int            `json:"pending"` // transactions that have not ended
	Faults     map[string]int `json:"faults"`  // how often each occurred
	Executions []Execution    `json:"executions"`
}

// Account returns the state at a time.
func (p *Provider) Account(at time.Time) Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrivals(at)
	a := Account{
		Provider: p.cat.Name, Calls: p.calls, Orders: len(p.orders), Faults: map[string]int{},
		Executions: append([]Execution{}, p.index.ledger(at)...),
	}
	for _, t := range p.index.made {
		if !t.over(at) {
			a.Pending++
		}
	}
	for kind, n := range p.faultCounts {
		a.Faults[kind.String()] = n
	}
	return a
}
