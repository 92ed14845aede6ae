package simulate

import (
	"sync"
	"time"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// moment is a time in microseconds since 1970: what is kept of a time while a flow is open.
type moment int64

func momentOf(t time.Time) moment { return moment(t.UnixMicro()) }

func (m moment) time() time.Time { return time.UnixMicro(int64(m)).UTC() }

func (m moment) plus(d time.Duration) moment { return m + moment(d/time.Microsecond) }

// line is one line of a recording, its body decoded.
type line struct {
	recorded.Line
	number int // in its file
}

// lineReader reads lines and decodes their bodies by the catalogues. It is for one goroutine.
type lineReader struct {
	catalog func(p *policy.Payment) (*providers.Catalog, error)
	lines   *recorded.Reader
	line    line // under way
	parser  fastjson.Parser
	tries   int // at a pattern
	known   int // lines that were read by a pattern
	pages   int
	*lore
}

// lore is what the readers of a run learn of its lines, each for all. Who looks at it holds the lock, and who adds to it alone.
type lore struct {
	sync.RWMutex
	kinds     kinds
	patterns  node
	learned   int // of them
	size      int // their bytes, about
	merchants map[string]*merchant
}

// newLore knows nothing. Reads says that messages are read, by a rule or in a story.
func newLore(reads bool) *lore {
	return &lore{kinds: newKinds(reads), merchants: map[string]*merchant{}}
}

func newLineReader(o *Options, known *lore) *lineReader {
	r := &lineReader{
		catalog: func(p *policy.Payment) (*providers.Catalog, error) { return o.Catalogs.Get(p.Provider) }, lines: recorded.NewReader(), lore: known,
	}
	if d, ok := o.Decider.(interface {
		Catalog(p *policy.Payment) (*providers.Catalog, error)
	}); ok {
		r.catalog = d.Catalog // which knows where a merchant meets its provider
	}
	return r
}

// read decodes one line.
func (r *lineReader) read(raw []byte, l *line) error {
	body, err := r.lines.Read(raw, &l.Line)
	if err != nil || !l.Phase.IsAnswer() {
		return err
	}
	cat, err := r.catalog(&l.Payment)
	if err != nil {
		return err
	}
	decode(cat, l, body)
	return nil
}

// catalogOf is the catalogue by which a line was decoded that is no other's.
func (r *lineReader) catalogOf(l *line) *providers.Catalog {
	if !l.Phase.IsAnswer() {
		return nil
	}
	cat, err := r.catalog(&l.Payment)
	if err != nil {
		return nil // it was found when the line was read
	}
	return cat
}

// decode fills the answer from the line's own fields and then from the body, which outranks them.
func decode(cat *providers.Catalog, l *line, body *fastjson.Value) {
	a := &l.Answer
	a.Phase = policy.Phase(l.Phase)
	a.ProviderID, a.Currency = l.ProviderID, l.Payment.Currency
	if l.Phase == recorded.Webhook {
		a.OrderID, a.RequestID = l.OrderID, l.RequestID
	}
	if (body != nil || l.Query != "" || len(l.Header) > 0) && a.Fault == policy.NoFault {
		m := policy.Message{HTTPStatus: a.HTTPStatus, Header: l.Header, Query: l.Query}
		// A message that does not decode is the fault "unreadable", which is an answer.
		_ = cat.DecodeValue(l.Payment.Operation, a.Phase, &m, body, a)
	}
	if l.Phase == recorded.Send && a.RequestID != "" && l.RequestID == "" {
		l.RequestID = a.RequestID // the reply to a call names what the call was
	}
}
