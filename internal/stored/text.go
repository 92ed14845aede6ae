package stored

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
)

// A row is written at each step of a flow, and package encoding/json took a fifth of the processor time of a
// flow: it looks at every field by reflection, and writes every word of ours by way of a method. What stands
// here writes the same text, byte by byte (TestTheTextOfARowIsThatOfJSON fills in every field), so rows are
// still read by encoding/json. A field that is added to a stored struct fails that test until it is added here.

// writer appends JSON to a buffer.
type writer struct {
	to  []byte
	err error // of the first value that JSON does not have
}

// text is the row without its checksum, in memory that is overwritten.
func (s *Flow) text(memory []byte) ([]byte, error) {
	w := writer{to: memory[:0]}
	w.raw(`{"v":`)
	w.int(s.V)
	w.raw(`,"request":`)
	w.request(&s.Request)
	w.raw(`,"state":`)
	w.state(&s.State)
	if s.Shopper != (Shopper{}) {
		w.raw(`,"shopper":`)
		w.shopper(&s.Shopper)
	}
	if len(s.Notices) > 0 {
		w.raw(`,"notices":`)
		list(&w, s.Notices, w.notice)
	}
	w.raw(`}`)
	return w.to, w.err
}

func (w *writer) raw(s string) { w.to = append(w.to, s...) }

func (w *writer) int(n int) { w.to = strconv.AppendInt(w.to, int64(n), 10) }

// str writes a text. Most need no escaping; the rest is left to encoding/json.
func (w *writer) str(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, err := json.Marshal(s)
			w.fail(err)
			w.to = append(w.to, text...)
			return
		}
	}
	w.to = append(append(append(w.to, '"'), s...), '"')
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// time writes a time as [time.Time.MarshalJSON] does, which refuses years that have not four digits.
func (w *writer) time(t time.Time) {
	w.raw(`"`)
	text, err := t.AppendText(w.to)
	if err != nil {
		_, err = t.MarshalJSON() // its words
		w.fail(err)
		return
	}
	w.to = append(text, '"')
}

// The fields of an object: the name is written with the comma or brace before it.

func (w *writer) strField(name, s string) { w.raw(name); w.str(s) }

func (w *writer) intField(name string, n int) { w.raw(name); w.int(n) }

func (w *writer) timeField(name string, t time.Time) { w.raw(name); w.time(t) }

// wordField writes one of our words, which needs no escaping.
func (w *writer) wordField(name, word string) { w.raw(name); w.raw(`"`); w.raw(word); w.raw(`"`) }

// Fields that are left out where they are empty.

func (w *writer) strUnlessEmpty(name, s string) {
	if s != "" {
		w.strField(name, s)
	}
}

func (w *writer) intUnlessZero(name string, n int) {
	if n != 0 {
		w.intField(name, n)
	}
}

func (w *writer) timeUnlessZero(name string, t time.Time) {
	if !t.IsZero() {
		w.timeField(name, t)
	}
}

func (w *writer) ifTrue(name string, b bool) {
	if b {
		w.raw(name)
		w.raw(`true`)
	}
}

func (w *writer) bytesUnlessEmpty(name string, b []byte) {
	if len(b) > 0 {
		w.raw(name)
		w.raw(`"`)
		w.to = base64.StdEncoding.AppendEncode(w.to, b)
		w.raw(`"`)
	}
}

// list writes an array, or null.
func list[T any](w *writer, all []T, one func(*T)) {
	if all == nil {
		w.raw(`null`)
		return
	}
	w.raw(`[`)
	for i := range all {
		if i > 0 {
			w.raw(`,`)
		}
		one(&all[i])
	}
	w.raw(`]`)
}

// firstComma turns the comma after an object's brace into the brace itself: which field comes first depends on
// which are left out.
func (w *writer) firstComma(at int) {
	if len(w.to) > at {
		w.to[at] = '{'
	} else {
		w.raw(`{`)
	}
	w.raw(`}`)
}

func (w *writer) request(r *Request) {
	w.strField(`{"order_id":`, r.OrderID)
	w.strUnlessEmpty(`,"request_id":`, r.RequestID)
	w.strUnlessEmpty(`,"provider_id":`, r.ProviderID)
	w.bytesUnlessEmpty(`,"data":`, r.Data)
	w.ifTrue(`,"bound":`, r.Bound)
	w.bytesUnlessEmpty(`,"digest":`, r.Digest)
	w.raw(`}`)
}

func (w *writer) state(s *State) {
	w.raw(`{"payment":`)
	w.payment(&s.Payment)
	w.strField(`,"stage":`, string(s.Stage))
	w.timeField(`,"started":`, s.Started)
	w.timeUnlessZero(`,"not_after":`, s.NotAfter)
	w.strUnlessEmpty(`,"target":`, s.Target)
	w.raw(`,"ledger":`)
	list(w, s.Ledger, w.identity)
	w.intField(`,"attempts":`, s.Attempts)
	w.intField(`,"queries":`, s.Queries)
	w.intUnlessZero(`,"hastened":`, s.Hastened)
	if len(s.Fired) > 0 {
		w.raw(`,"fired":`)
		list(w, s.Fired, w.count)
	}
	if len(s.Waits) > 0 {
		w.raw(`,"waits":`)
		list(w, s.Waits, w.count)
	}
	w.timeUnlessZero(`,"asked":`, s.Asked)
	w.strUnlessEmpty(`,"asked_by":`, string(s.AskedBy))
	if s.Displaced != nil {
		w.raw(`,"displaced":`)
		w.next(s.Displaced)
	}
	if s.Next != (Next{}) {
		w.raw(`,"next":`)
		w.next(&s.Next)
	}
	w.wordField(`,"outcome":`, s.Outcome.String())
	w.strUnlessEmpty(`,"reason":`, s.Reason)
	w.wordField(`,"class":`, s.Class.String())
	if len(s.Evidence) > 0 {
		w.raw(`,"evidence":`)
		list(w, s.Evidence, w.evidence)
	}
	w.strUnlessEmpty(`,"withdrawn":`, s.Withdrawn)
	w.ifTrue(`,"new_order_possible":`, s.NewOrderPossible)
	w.raw(`}`)
}

func (w *writer) payment(p *Payment) {
	w.strField(`{"provider":`, p.Provider)
	w.strUnlessEmpty(`,"merchant":`, p.Merchant)
	w.wordField(`,"operation":`, p.Operation.String())
	w.strUnlessEmpty(`,"payment_key":`, p.Key)
	w.intUnlessZero(`,"amount":`, int(p.Amount))
	w.strUnlessEmpty(`,"currency":`, p.Currency)
	w.wordField(`,"capture":`, p.Capture.String())
	if len(p.Tags) > 0 {
		text, err := json.Marshal(p.Tags)
		w.fail(err)
		w.raw(`,"tags":`)
		w.to = append(w.to, text...)
	}
	w.raw(`}`)
}

func (w *writer) identity(id *Identity) {
	w.strField(`{"order_id":`, id.OrderID)
	w.strField(`,"request_id":`, id.RequestID)
	w.strUnlessEmpty(`,"provider_id":`, id.ProviderID)
	w.intField(`,"sends":`, id.Sends)
	w.intField(`,"copies":`, id.Copies)
	w.timeField(`,"first_sent":`, id.FirstSent)
	w.timeField(`,"last_sent":`, id.LastSent)
	w.timeField(`,"deadline":`, id.Deadline)
	w.wordField(`,"effect":`, id.Effect.String())
	w.raw(`,"fact":`)
	w.fact(&id.Fact)
	w.ifTrue(`,"mismatch":`, id.Mismatch)
	w.ifTrue(`,"disputed":`, id.Disputed)
	w.ifTrue(`,"contested":`, id.Contested)
	w.ifTrue(`,"reopened":`, id.Reopened)
	w.wordField(`,"prior":`, id.Prior.String())
	w.raw(`}`)
}

func (w *writer) fact(f *Fact) {
	w.wordField(`{"effect":`, f.Effect.String())
	w.wordField(`,"class":`, f.Class.String())
	w.wordField(`,"stage":`, f.Stage.String())
	w.wordField(`,"reach":`, f.Reach.String())
	w.wordField(`,"basis":`, f.Basis.String())
	w.wordField(`,"final":`, f.Final.String())
	w.raw(`}`)
}

func (w *writer) count(c *Count) {
	w.strField(`{"name":`, c.Name)
	w.intField(`,"n":`, c.N)
	w.raw(`}`)
}

func (w *writer) next(n *Next) {
	w.wordField(`{"action":`, n.Action.String())
	w.timeUnlessZero(`,"at":`, n.At)
	w.strUnlessEmpty(`,"via":`, string(n.Via))
	w.raw(`}`)
}

func (w *writer) evidence(e *Evidence) {
	w.timeField(`{"at":`, e.At)
	w.wordField(`,"phase":`, e.Phase.String())
	w.intField(`,"identity":`, e.Identity)
	w.raw(`,"answer":`)
	w.answer(e.Answer)
	w.raw(`,"fact":`)
	w.fact(&e.Fact)
	w.strUnlessEmpty(`,"person":`, e.Person)
	w.raw(`}`)
}

func (w *writer) answer(a *Answer) {
	if a == nil {
		w.raw(`null`)
		return
	}
	w.wordField(`{"phase":`, a.Phase.String())
	if a.Fault != 0 {
		w.wordField(`,"fault":`, a.Fault.String())
	}
	w.intUnlessZero(`,"http_status":`, a.HTTPStatus)
	w.strUnlessEmpty(`,"code":`, a.Code)
	w.strUnlessEmpty(`,"sub_code":`, a.SubCode)
	w.strUnlessEmpty(`,"status":`, a.Status)
	w.strUnlessEmpty(`,"sub_status":`, a.SubStatus)
	w.strUnlessEmpty(`,"message":`, a.Message)
	w.intUnlessZero(`,"retry_after":`, int(a.RetryAfter))
	w.ifTrue(`,"verified":`, a.Verified)
	w.strUnlessEmpty(`,"order_id":`, a.OrderID)
	w.strUnlessEmpty(`,"request_id":`, a.RequestID)
	w.strUnlessEmpty(`,"provider_id":`, a.ProviderID)
	w.intUnlessZero(`,"amount":`, int(a.Amount))
	w.strUnlessEmpty(`,"currency":`, a.Currency)
	w.strUnlessEmpty(`,"set_aside":`, a.SetAside)
	w.raw(`}`)
}

func (w *writer) shopper(s *Shopper) {
	at := len(w.to)
	w.strUnlessEmpty(`,"pay_url":`, s.PayURL)
	w.strUnlessEmpty(`,"deeplink":`, s.Deeplink)
	w.strUnlessEmpty(`,"qr_code":`, s.QRCode)
	w.strUnlessEmpty(`,"redirect_url":`, s.RedirectURL)
	w.strUnlessEmpty(`,"token":`, s.Token)
	w.firstComma(at)
}

func (w *writer) notice(n *Notice) {
	if n.Alert == nil {
		w.raw(`{}`)
		return
	}
	w.strField(`{"alert":{"reason":`, n.Alert.Reason)
	w.raw(`,"evidence":`)
	w.evidence(&n.Alert.Evidence)
	w.raw(`}}`)
}
