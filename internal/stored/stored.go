package stored

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// The rows of a journal outlive the program that wrote them. Their form is therefore written
// down here, apart from flow.State: a field that is added, renamed or dropped there does not
// compile here, until it is decided what becomes of the rows that are already on disk.
//
// To change the form: freeze the types below under their version, as rowV1 is, raise
// Version, let upgrade carry the old form over, and add golden rows of the new version
// to testdata/rows (go test ./internal/stored -run GoldenRows -update).

// Version is the version of the rows that this program writes. It reads all before it.
const Version = 4

// Flow is a flow in a journal, as JSON in [journal.Row.State].
type Flow struct {
	V       int      `json:"v"`
	Request Request  `json:"request"`
	State   State    `json:"state"`
	Shopper Shopper  `json:"shopper,omitzero"`
	Notices []Notice `json:"notices,omitempty"`
	CRC     string   `json:"crc,omitempty"` // from version 3, always the last key: see Sealed
}

// Since version 3 a row ends with a checksum of all that stands before it: a bit that turned over on the
// disk could make another amount, another order, or a refusal of an execution.
const (
	crcBefore = `,"crc":"`
	crcAfter  = `"}`
	crcLength = len(crcBefore) + 8 + len(crcAfter)
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// Sealed is the text of a row, with its checksum at the end.
func (s *Flow) Sealed() ([]byte, error) {
	// The usual size; the rest of it grows. Few rows are copied so, and little room is left over.
	size := 700 + 512*len(s.State.Ledger) + 512*len(s.State.Evidence) + 2*len(s.Request.Data)
	return s.SealedIn(make([]byte, 0, size))
}

// SealedIn is Sealed in memory that is used again, whose content is overwritten.
func (s *Flow) SealedIn(memory []byte) ([]byte, error) {
	text, err := s.text(memory)
	if err != nil {
		return nil, err
	}
	return seal(text), nil
}

// seal adds the checksum to an object.
func seal(text []byte) []byte {
	text = text[:len(text)-1] // its brace
	return append(appendCRC(append(text, crcBefore...), text), crcAfter...)
}

// appendCRC appends the checksum of a text, in eight digits.
func appendCRC(to, text []byte) []byte {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(text, crcTable))
	return hex.AppendEncode(to, sum[:])
}

// CheckSeal returns an error if a row is not what was written.
func CheckSeal(text []byte) error {
	at := len(text) - crcLength
	if at < 0 || !bytes.HasPrefix(text[at:], []byte(crcBefore)) {
		return errors.New("it does not end with its checksum: it was cut short, or written by another program")
	}
	if want, got := string(text[at+len(crcBefore):at+len(crcBefore)+8]), string(appendCRC(nil, text[:at])); got != want {
		return fmt.Errorf("its checksum is %s and should be %s: it is not what was written", got, want)
	}
	return nil
}

// Request is what of the caller's request the state does not hold.
type Request struct {
	OrderID    string `json:"order_id"`
	RequestID  string `json:"request_id,omitempty"`
	ProviderID string `json:"provider_id,omitempty"`
	Data       []byte `json:"data,omitempty"`
	Bound      bool   `json:"bound,omitempty"`  // by the context of a Do: nothing is sent when the caller is gone
	Digest     []byte `json:"digest,omitempty"` // of Data, in a tombstone; from version 3
}

// Notice is a notification that is due: an alert, or that the flow escalated.
type Notice struct {
	Alert *Alert `json:"alert,omitempty"` // nil: escalated
}

// Alert is an alert that OnAlert has not taken yet.
type Alert struct {
	Reason   string   `json:"reason"`
	Evidence Evidence `json:"evidence"`
}

// State is the machine's state.
type State struct {
	Payment          Payment           `json:"payment"`
	Stage            flow.Stage        `json:"stage"`
	Started          time.Time         `json:"started"`
	NotAfter         time.Time         `json:"not_after,omitzero"` // from version 3
	Target           string            `json:"target,omitempty"`   // from version 3
	Ledger           []Identity        `json:"ledger"`
	Attempts         int               `json:"attempts"`
	Queries          int               `json:"queries"`
	Hastened         int               `json:"hastened,omitempty"`
	Fired            []Count           `json:"fired,omitempty"`
	Waits            []Count           `json:"waits,omitempty"`
	Asked            time.Time         `json:"asked,omitzero"`
	AskedBy          policy.Identifier `json:"asked_by,omitempty"`
	Displaced        *Next             `json:"displaced,omitempty"`
	Next             Next              `json:"next,omitzero"`
	Outcome          policy.Outcome    `json:"outcome"`
	Reason           string            `json:"reason,omitempty"`
	Class            policy.Class      `json:"class"`
	Evidence         []Evidence        `json:"evidence,omitempty"`
	Withdrawn        string            `json:"withdrawn,omitempty"`
	NewOrderPossible bool              `json:"new_order_possible,omitempty"`
}

// Payment is the payment as it was requested.
type Payment struct {
	Provider  string             `json:"provider"`
	Merchant  string             `json:"merchant,omitempty"`
	Operation policy.Operation   `json:"operation"`
	Key       string             `json:"payment_key,omitempty"`
	Amount    int64              `json:"amount,omitempty"`
	Currency  string             `json:"currency,omitempty"`
	Capture   policy.CaptureMode `json:"capture"`
	Tags      map[string]string  `json:"tags,omitempty"`
}

// Identity is one entry of the ledger: what was sent under which names, and its effect.
type Identity struct {
	OrderID    string        `json:"order_id"`
	RequestID  string        `json:"request_id"`
	ProviderID string        `json:"provider_id,omitempty"`
	Sends      int           `json:"sends"`
	Copies     int           `json:"copies"`
	FirstSent  time.Time     `json:"first_sent"`
	LastSent   time.Time     `json:"last_sent"`
	Deadline   time.Time     `json:"deadline"`
	Effect     policy.Effect `json:"effect"`
	Fact       Fact          `json:"fact"`
	Mismatch   bool          `json:"mismatch,omitempty"`
	Disputed   bool          `json:"disputed,omitempty"` // from version 4
	Contested  bool          `json:"contested,omitempty"`
	Reopened   bool          `json:"reopened,omitempty"`
	Prior      policy.Effect `json:"prior"`
}

// Fact is what an answer proves.
type Fact struct {
	Effect policy.Effect   `json:"effect"`
	Class  policy.Class    `json:"class"`
	Stage  policy.Stage    `json:"stage"`
	Reach  policy.Reach    `json:"reach"`
	Basis  policy.Basis    `json:"basis"`
	Final  policy.Finality `json:"final"`
}

// Count is how often a rule has fired, or a schedule has waited.
type Count struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Next is the action that a flow waits for.
type Next struct {
	Action policy.Action `json:"action"`
	At     time.Time     `json:"at,omitzero"`
	Via    flow.Via      `json:"via,omitempty"`
}

// Evidence is an answer and what it proved. It is kept for people and for disputes.
type Evidence struct {
	At       time.Time    `json:"at"`
	Phase    policy.Phase `json:"phase"`
	Identity int          `json:"identity"`
	Answer   *Answer      `json:"answer"`
	Fact     Fact         `json:"fact"`
	Person   string       `json:"person,omitempty"` // from version 3
}

// Answer is a decoded answer. The raw body is not stored: it may hold card data.
type Answer struct {
	Phase      policy.Phase  `json:"phase"`
	Fault      policy.Fault  `json:"fault,omitempty"`
	HTTPStatus int           `json:"http_status,omitempty"`
	Code       string        `json:"code,omitempty"`
	SubCode    string        `json:"sub_code,omitempty"`
	Status     string        `json:"status,omitempty"`
	SubStatus  string        `json:"sub_status,omitempty"`
	Message    string        `json:"message,omitempty"`
	RetryAfter time.Duration `json:"retry_after,omitempty"`
	Verified   bool          `json:"verified,omitempty"`
	OrderID    string        `json:"order_id,omitempty"`
	RequestID  string        `json:"request_id,omitempty"`
	ProviderID string        `json:"provider_id,omitempty"`
	Amount     int64         `json:"amount,omitempty"`
	Currency   string        `json:"currency,omitempty"`
	SetAside   string        `json:"set_aside,omitempty"` // from version 3
}

// Shopper is what the shopper must do next.
type Shopper struct {
	PayURL      string `json:"pay_url,omitempty"`
	Deeplink    string `json:"deeplink,omitempty"`
	QRCode      string `json:"qr_code,omitempty"`
	RedirectURL string `json:"redirect_url,omitempty"`
	Token       string `json:"token,omitempty"`
}

// rowV1 is the first form, of the builds before v0.1.0. Its state is that of version 2.
type rowV1 struct {
	V          int     `json:"v"`
	State      State   `json:"state"`
	OrderID    string  `json:"order_id"`
	RequestID  string  `json:"request_id,omitempty"`
	ProviderID string  `json:"provider_id,omitempty"`
	Data       []byte  `json:"data,omitempty"`
	Shopper    Shopper `json:"shopper,omitzero"`
	Owed       []struct {
		Alert *struct {
			Reason   string
			Evidence Evidence
		} `json:"alert,omitempty"`
	} `json:"owed,omitempty"`
	Bound bool `json:"bound,omitempty"`
}

// upgrade carries a row of version 1 over to version 2.
func (old *rowV1) upgrade() *Flow {
	s := &Flow{
		V:       2,
		Request: Request{OrderID: old.OrderID, RequestID: old.RequestID, ProviderID: old.ProviderID, Data: old.Data, Bound: old.Bound},
		State:   old.State, Shopper: old.Shopper,
	}
	for _, o := range old.Owed {
		n := Notice{}
		if o.Alert != nil {
			n.Alert = &Alert{Reason: o.Alert.Reason, Evidence: o.Alert.Evidence}
		}
		s.Notices = append(s.Notices, n)
	}
	return s
}

// upgrade carries a row of version 2 or 3 over to version 4. Each has more keys than the one before.
func (s *Flow) upgrade() (*Flow, error) {
	if s.V == Version {
		return s, nil
	}
	if more := s.laterKeys(); len(more) > 0 {
		return nil, fmt.Errorf("version %d has no %s", s.V, strings.Join(more, ", "))
	}
	if s.V == 2 {
		s.State.Target = s.Request.ProviderID
	}
	s.V = Version
	s.State.findDisputes()
	return s, nil
}

// findDisputes looks for disputes in the state of a row before version 4, which kept them only in what
// the answers proved. A person's word ends one.
func (s *State) findDisputes() {
	for i := range s.Ledger {
		s.Ledger[i].Disputed = s.Ledger[i].Fact.Class == policy.Disputed
	}
	for i := range s.Evidence {
		e := &s.Evidence[i]
		if e.Identity < 0 || e.Identity >= len(s.Ledger) {
			continue
		}
		id := &s.Ledger[e.Identity]
		id.Disputed = e.Person == "" && (id.Disputed || e.Fact.Class == policy.Disputed)
	}
}

// laterKeys lists the keys in a row of version 2 or 3 that came with a later one.
func (s *Flow) laterKeys() (more []string) {
	for i := range s.State.Ledger {
		if s.State.Ledger[i].Disputed {
			more = append(more, fmt.Sprintf("state.ledger[%d].disputed", i))
		}
	}
	if s.V == 3 {
		return more
	}
	if len(s.Request.Digest) > 0 {
		more = append(more, "request.digest")
	}
	if s.CRC != "" {
		more = append(more, "crc")
	}
	if !s.State.NotAfter.IsZero() {
		more = append(more, "state.not_after")
	}
	if s.State.Target != "" {
		more = append(more, "state.target")
	}
	for i := range s.State.Evidence {
		if s.State.Evidence[i].Person != "" {
			more = append(more, fmt.Sprintf("state.evidence[%d].person", i))
		}
		if a := s.State.Evidence[i].Answer; a != nil && a.SetAside != "" {
			more = append(more, fmt.Sprintf("state.evidence[%d].answer.set_aside", i))
		}
	}
	return more
}

// Decode reads the state of a row of any version up to Version. A key that the
// version does not have refuses the row: dropped in silence, it could be a refusal, a send or
// an amount.
func Decode(text []byte) (*Flow, error) {
	v, err := versionOf(text)
	if err != nil {
		return nil, err
	}
	switch {
	case v == 1:
		var old rowV1
		if err := Strictly(text, &old); err != nil {
			return nil, fmt.Errorf("version 1: %w", err)
		}
		return old.upgrade().upgrade()
	case v >= 2 && v <= Version:
		if v >= 3 {
			if err := CheckSeal(text); err != nil {
				return nil, fmt.Errorf("version %d: %w", v, err)
			}
		}
		s := new(Flow)
		if err := Strictly(text, s); err != nil {
			return nil, fmt.Errorf("version %d: %w", v, err)
		}
		if s.V != v {
			return nil, fmt.Errorf("it says that it is of version %d, and of version %d", v, s.V)
		}
		return s.upgrade()
	case v > Version:
		return nil, fmt.Errorf("version %d is of a newer release; this one reads versions 1 to %d: let the newer release finish the flow, or upgrade",
			v, Version)
	}
	return nil, fmt.Errorf("there is no version %d; this release reads versions 1 to %d", v, Version)
}

// versionOf is the version of a row. It stands first, so the rest is not read for it.
func versionOf(text []byte) (int, error) {
	if rest, found := bytes.CutPrefix(text, []byte(`{"v":`)); found {
		digits := rest[:min(len(rest), 4)]
		if end := bytes.IndexByte(digits, ','); end > 0 {
			if v, err := strconv.Atoi(string(digits[:end])); err == nil {
				return v, nil
			}
		}
	}
	var version struct {
		V int `json:"v"`
	}
	err := json.Unmarshal(text, &version)
	return version.V, err
}

// Strictly refuses unknown keys and text after the value.
func Strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is more after the row's end")
	}
	return nil
}

// StateOf puts a state into the stored form.
func StateOf(s *flow.State) State {
	var to State
	to.Set(s)
	return to
}

// Set puts a state into the stored form, in memory that is used again. The conversions of whole structs compile only
// while both have the same fields.
func (s *State) Set(of *flow.State) {
	*s = State{
		Payment: Payment(of.Payment), Stage: of.Stage, Started: of.Started, NotAfter: of.NotAfter, Target: of.Target,
		Attempts: of.Attempts, Queries: of.Queries, Hastened: of.Hastened,
		Asked: of.Asked, AskedBy: of.AskedBy,
		Displaced: (*Next)(of.Displaced), Next: Next(of.Next),
		Outcome: of.Outcome, Reason: of.Reason, Class: of.Class,
		Withdrawn: of.Withdrawn, NewOrderPossible: of.NewOrderPossible,
		Ledger: s.Ledger[:0], Fired: s.Fired[:0], Waits: s.Waits[:0], Evidence: s.Evidence[:0],
	}
	s.Ledger = convert(s.Ledger, of.Ledger, func(id *flow.Identity) Identity {
		return Identity{
			OrderID: id.OrderID, RequestID: id.RequestID, ProviderID: id.ProviderID, Sends: id.Sends, Copies: id.Copies,
			FirstSent: id.FirstSent, LastSent: id.LastSent, Deadline: id.Deadline, Effect: id.Effect, Fact: Fact(id.Fact),
			Mismatch: id.Mismatch, Disputed: id.Disputed, Contested: id.Contested, Reopened: id.Reopened, Prior: id.Prior,
		}
	})
	s.Fired = convert(s.Fired, of.Fired, func(c *policy.Count) Count { return Count(*c) })
	s.Waits = convert(s.Waits, of.Waits, func(c *policy.Count) Count { return Count(*c) })
	s.Evidence = convert(s.Evidence, of.Evidence, EvidenceOf)
}

// EvidenceOf puts evidence into the stored form.
func EvidenceOf(e *flow.Evidence) Evidence {
	return Evidence{At: e.At, Phase: e.Phase, Identity: e.Identity, Answer: (*Answer)(e.Answer), Fact: Fact(e.Fact), Person: e.Person}
}

// State is the reverse of StateOf.
func (s *State) State() flow.State {
	to := flow.State{
		Payment: policy.Payment(s.Payment), Stage: s.Stage, Started: s.Started, NotAfter: s.NotAfter, Target: s.Target,
		Attempts: s.Attempts, Queries: s.Queries, Hastened: s.Hastened,
		Asked: s.Asked, AskedBy: s.AskedBy,
		Displaced: (*flow.Next)(s.Displaced), Next: flow.Next(s.Next),
		Outcome: s.Outcome, Reason: s.Reason, Class: s.Class,
		Withdrawn: s.Withdrawn, NewOrderPossible: s.NewOrderPossible,
	}
	to.Ledger = convert(nil, s.Ledger, func(id *Identity) flow.Identity {
		return flow.Identity{
			OrderID: id.OrderID, RequestID: id.RequestID, ProviderID: id.ProviderID, Sends: id.Sends, Copies: id.Copies,
			FirstSent: id.FirstSent, LastSent: id.LastSent, Deadline: id.Deadline, Effect: id.Effect, Fact: policy.Fact(id.Fact),
			Mismatch: id.Mismatch, Disputed: id.Disputed, Contested: id.Contested, Reopened: id.Reopened, Prior: id.Prior,
		}
	})
	to.Fired = convert(nil, s.Fired, func(c *Count) policy.Count { return policy.Count(*c) })
	to.Waits = convert(nil, s.Waits, func(c *Count) policy.Count { return policy.Count(*c) })
	to.Evidence = convert(nil, s.Evidence, (*Evidence).Evidence)
	return to
}

// Evidence is the reverse of EvidenceOf.
func (from *Evidence) Evidence() flow.Evidence {
	return flow.Evidence{
		At: from.At, Phase: from.Phase, Identity: from.Identity, Answer: (*policy.Answer)(from.Answer), Fact: policy.Fact(from.Fact), Person: from.Person,
	}
}

// convert makes a list of one form from one of the other, in the memory of to; nil stays nil.
func convert[From, To any](to []To, list []From, one func(*From) To) []To {
	if list == nil {
		return nil
	}
	if to == nil {
		to = make([]To, 0, len(list))
	}
	to = slices.Grow(to, len(list))
	for i := range list {
		to = append(to, one(&list[i]))
	}
	return to
}
