package service

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/access"
	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

const (
	mostQuestion = 1 << 20  // bytes of a question
	mostBatch    = 64 << 20 // bytes of a batch of questions
	lines        = "application/x-ndjson"
)

// registerDecisions adds what answers without a flow.
func (s *Service) registerDecisions() {
	schemas := s.api.OpenAPI().Components.Schemas
	question := schemas.Schema(reflect.TypeFor[advice.Question](), true, "")
	decision := schemas.Schema(reflect.TypeFor[advice.Decision](), true, "")
	nullable(schemas.SchemaFromRef(decision.Ref), "interlock")
	body := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: question}}}
	problem := map[string]*huma.MediaType{"application/problem+json": {Schema: schemas.Schema(reflect.TypeFor[huma.ErrorModel](), true, "")}}
	s.api.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "decide", Method: http.MethodPost, Path: "/v1/decide", Tags: []string{"decisions"}, Summary: "What would be done about an answer",
		Description: "One question as JSON, or a batch of them as JSON lines: " + lines + ". Of a batch each line is answered by a line, in order; one that cannot be read by {\"error\": …}.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: question}, lines: {Schema: question}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "The decision, or one a line.", Content: map[string]*huma.MediaType{"application/json": {Schema: decision}, lines: {Schema: decision}}},
			"400": {Description: "The question cannot be read.", Content: problem}, "401": {Description: "There is no token, or another one.", Content: problem},
			"403": {Description: "It is a web page's.", Content: problem}, "408": {Description: "It did not come in time.", Content: problem},
			"413": {Description: "It is too long.", Content: problem}, "415": {Description: "It is of another type.", Content: problem},
		},
	})
	explain := huma.Operation{
		OperationID: "explain", Method: http.MethodPost, Path: "/v1/explain", Tags: []string{"decisions"}, Summary: "What would be done about an answer, and why",
		RequestBody: body, SkipValidateBody: true, MaxBodyBytes: mostQuestion, Errors: []int{400, 401, 403, 408, 413, 415, 422, 500},
	}
	huma.Register(s.api, explain, s.explain)
	huma.Register(s.api, huma.Operation{
		OperationID: "codes", Method: http.MethodGet, Path: "/v1/codes/{provider}", Tags: []string{"decisions"}, Summary: "A provider's codes, and what each proves", Errors: []int{401, 403, 404, 422, 500},
	}, s.codes)
}

// nullable lets a property be null: a pointer to a struct is no such thing to the library.
func nullable(s *huma.Schema, name string) {
	s.Properties[name] = &huma.Schema{OneOf: []*huma.Schema{s.Properties[name], {Type: "null"}}}
}

func (s *Service) explain(ctx context.Context, in *struct {
	RawBody []byte
}) (*struct{ Body advice.Explained }, error) {
	e := s.o.Rules.Now()
	q, err := advice.Read(in.RawBody)
	if err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	if err := s.actsFor(callerOf(ctx), q.Merchant, "explain"); err != nil {
		return nil, err
	}
	a, err := advice.Ask(e, q)
	if err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	trace := e.Explain(&a.Situation)
	return &struct{ Body advice.Explained }{advice.Explain(a, &trace)}, nil
}

// Code is one code of a provider.
type Code struct {
	Scope       string          `json:"scope"`
	Code        string          `json:"code"`
	Symbol      string          `json:"symbol"`
	Final       policy.Finality `json:"final"`
	Class       policy.Class    `json:"class"`
	Description string          `json:"description"`
	Facts       []CodeFact      `json:"facts"`
}

// CodeFact is what a code proves for an operation in a phase.
type CodeFact struct {
	Operation policy.Operation `json:"operation"`
	Phase     policy.Phase     `json:"phase"`
	Capture   string           `json:"capture,omitempty" enum:"auto,manual" doc:"The capture of the payments for which it holds; absent: of every one."`
	Effect    policy.Effect    `json:"effect"`
	Class     policy.Class     `json:"class"`
	Because   string           `json:"because"`
}

func (s *Service) codes(_ context.Context, in *struct {
	Provider string `path:"provider" doc:"By the name of its catalogue."`
}) (*struct{ Body []Code }, error) {
	catalog, err := s.o.Rules.Now().Catalogs.Get(in.Provider)
	if err != nil {
		return nil, huma.Error404NotFound(err.Error())
	}
	return &struct{ Body []Code }{codesOf(catalog)}, nil
}

func codesOf(catalog *providers.Catalog) []Code {
	all := make([]Code, 0, len(catalog.Codes))
	for _, r := range catalog.Codes {
		c := Code{Scope: r.Scope, Code: r.Code, Symbol: r.Symbol, Final: r.Final, Class: r.Class, Description: r.Description, Facts: []CodeFact{}}
		for _, f := range r.Facts {
			c.Facts = append(c.Facts, CodeFact{Operation: f.Operation, Phase: f.Phase, Capture: f.Only(), Effect: f.Fact.Effect, Class: f.Fact.Class, Because: f.Because})
		}
		all = append(all, c)
	}
	return all
}

// decide answers one question, or a batch of them.
func (s *Service) decide(w http.ResponseWriter, r *http.Request, c *access.Caller) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		writeProblem(w, http.StatusMethodNotAllowed, r.Method+" "+r.URL.Path+": the method must be POST")
		return
	}
	if !mayDecide(c) {
		s.refusal(c, "decide")
		writeProblem(w, http.StatusForbidden, mayNot(access.Decide))
		return
	}
	switch kindOf(r) {
	case "application/json":
		s.decideOne(w, r, c)
	case lines:
		s.decideBatch(w, r)
	default:
		writeProblem(w, http.StatusUnsupportedMediaType, "Content-Type must be application/json for one question, or "+lines+" for a batch")
	}
}

func (s *Service) decideOne(w http.ResponseWriter, r *http.Request, c *access.Caller) {
	m, _ := memories.Get().(*memory)
	raw, err := m.read(w, r)
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		writeProblem(w, http.StatusRequestEntityTooLarge, "a question has at most 1 MiB")
		return
	case errors.Is(err, os.ErrDeadlineExceeded):
		writeProblem(w, http.StatusRequestTimeout, "the question did not come within "+bodyTime.String())
		return
	case err != nil:
		writeProblem(w, http.StatusBadRequest, "the question cannot be read: "+err.Error())
		return
	}
	m.caller = c
	m.out, err = s.decision(s.o.Rules.Now(), &m.asking, raw, m.out[:0])
	switch {
	case errors.Is(err, errMerchant):
		writeProblem(w, http.StatusForbidden, err.Error())
	case err != nil:
		writeProblem(w, http.StatusBadRequest, err.Error())
	default:
		m.out = append(m.out, '\n')
		w.Header()["Content-Type"] = jsonType
		_, _ = w.Write(m.out) // the caller may be gone
	}
	m.giveBack()
}

// memory is what a question, or a part of a batch, is answered in. After a panic it is not given back.
type memory struct {
	asking

	raw   []byte // as it came
	lines []int  // of a part of a batch: where each line ends
	out   []byte
	wrong error         // of a part of a batch: why no more was read; nil and [io.EOF] need no word
	ready chan struct{} // of a part of a batch: out is there
}

var memories = sync.Pool{New: func() any { return new(memory) }}

// mostKept is how many bytes of a memory are kept for the next question.
const mostKept = 4 * mostInPart

// giveBack keeps the memory for another question, which clears what it needs.
func (m *memory) giveBack() {
	if cap(m.raw) > mostKept || cap(m.out) > mostKept {
		return
	}
	m.caller, m.ready = nil, nil
	memories.Put(m)
}

// read reads the body of a question.
func (m *memory) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body := io.Reader(r.Body)
	if r.ContentLength < 0 || r.ContentLength > mostQuestion {
		body = http.MaxBytesReader(w, r.Body, mostQuestion)
	}
	m.raw = m.raw[:0]
	for {
		m.raw = slices.Grow(m.raw, 512)
		n, err := body.Read(m.raw[len(m.raw):cap(m.raw)])
		m.raw = m.raw[:len(m.raw)+n]
		if errors.Is(err, io.EOF) {
			return m.raw, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

var jsonType = []string{"application/json"}

// asking is the memory of one question after the other.
type asking struct {
	caller *access.Caller
	q      advice.Question
	asker  advice.Asker
}

// decision answers one question, behind what out holds.
func (s *Service) decision(e *ruleset.Engine, mem *asking, raw, out []byte) ([]byte, error) {
	q := &mem.q
	if err := advice.ReadInto(raw, q); err != nil {
		return out, err
	}
	if err := s.actsFor(mem.caller, q.Merchant, "decide"); err != nil {
		return out, err
	}
	if q.At.IsZero() && s.o.Decisions != nil {
		q.At = time.Now().UTC().Truncate(time.Microsecond) // as it is written
	}
	a, err := mem.asker.Ask(e, q)
	if err != nil {
		return out, err
	}
	d := a.Decision()
	before := len(out)
	out = d.AppendJSON(out)
	s.o.Decisions.Asked(e, q, a, out[before:])
	return out, nil
}

// decideBatch answers line by line, in order. One set of rules answers the whole batch. Both the lines that wait and
// the cores that work on them are bounded.
func (s *Service) decideBatch(w http.ResponseWriter, r *http.Request) {
	e := s.o.Rules.Now()
	conn := http.NewResponseController(w)
	_ = conn.EnableFullDuplex() // HTTP/2 has it anyway
	w.Header().Set("Content-Type", lines)
	parts := make(chan *memory, runtime.GOMAXPROCS(0))
	go func() {
		defer close(parts)
		in := bufio.NewReaderSize(&batchReader{from: r.Body, left: mostBatch, conn: conn}, 1<<16)
		defer func() { _, _ = io.Copy(io.Discard, in) }() // else the connection is of no further use, and the caller's next request fails
		for more := true; more; {
			m, _ := memories.Get().(*memory)
			m.ready = make(chan struct{}, 1)
			m.readPart(in)
			if m.caller = s.caller(r); !mayDecide(m.caller) { // the part may have come an hour after the first
				m.lines, m.wrong = m.lines[:0], errRemoved
			}
			more = m.wrong == nil
			select {
			case parts <- m:
				go func() { s.answerPart(e, m); m.ready <- struct{}{} }()
			case <-r.Context().Done():
				return
			}
		}
	}()
	for m := range parts {
		<-m.ready
		removed := !mayDecide(s.caller(r)) // while the answers were held
		if removed {
			m.out = append(errorLine(errRemoved), '\n')
		}
		_ = conn.SetWriteDeadline(time.Now().Add(batchTime))
		if _, err := w.Write(m.out); err != nil || removed { // a caller that is gone: its context ends the rest
			break
		}
		m.giveBack()
	}
	for range parts { // the reader may wait
	}
	_ = conn.SetWriteDeadline(time.Time{})
}

func mayDecide(c *access.Caller) bool { return c != nil && c.May(access.Decide) }

// errRemoved is of a batch whose caller may not ask any more.
var errRemoved = errors.New("the caller may not ask any more: its token was removed, or opens other calls now")

// batchTime is how long a batch may stand still: a caller that neither sends nor reads must not keep its connection.
const batchTime = time.Minute

const mostInPart = 64 << 10 // bytes of questions, about

// readPart reads some lines. Wrong is [io.EOF] at the end.
func (m *memory) readPart(in *bufio.Reader) {
	m.raw, m.lines, m.wrong = m.raw[:0], m.lines[:0], nil
	for size := 0; size < mostInPart && m.wrong == nil; {
		var line []byte
		line, m.wrong = readLine(in)
		size += len(line)
		if question := bytes.TrimSpace(line); len(question) > 0 {
			m.raw = append(m.raw, question...)
			m.lines = append(m.lines, len(m.raw))
		}
	}
}

// answerPart answers lines with lines.
func (s *Service) answerPart(e *ruleset.Engine, m *memory) {
	m.out = slices.Grow(m.out[:0], 2*len(m.raw)+512)
	from := 0
	for _, end := range m.lines {
		m.out = s.answerLine(e, &m.asking, m.raw[from:end], m.out)
		from = end
	}
	if m.wrong != nil && !errors.Is(m.wrong, io.EOF) {
		m.out = append(append(m.out, errorLine(fmt.Errorf("the batch cannot be read further: %w", m.wrong))...), '\n')
	}
}

// answerLine adds the answer to a question. A panic stays in its line: this goroutine is no handler's, and the process would end with
// all flows.
func (s *Service) answerLine(e *ruleset.Engine, mem *asking, question, out []byte) (next []byte) {
	defer func() {
		if bug := recover(); bug != nil {
			next = append(append(out, errorLine(fmt.Errorf("the rules panicked: %v", bug))...), '\n')
		}
	}()
	next, err := s.decision(e, mem, question, out)
	if err != nil {
		next = append(out, errorLine(err)...)
	}
	return append(next, '\n')
}

func errorLine(err error) []byte {
	text, _ := json.Marshal(map[string]string{"error": err.Error()}) // of a text there is always one
	return text
}

// batchReader bounds a batch. http.MaxBytesReader would write to the answer, from another goroutine.
type batchReader struct {
	from io.Reader
	left int
	conn *http.ResponseController
	late bool // the caller stood still; what it still has is not waited for
}

// Read implements [io.Reader].
func (b *batchReader) Read(p []byte) (int, error) {
	if !b.late {
		_ = b.conn.SetReadDeadline(time.Now().Add(batchTime))
	}
	n, err := b.from.Read(p)
	b.late = b.late || errors.Is(err, os.ErrDeadlineExceeded)
	if b.left -= n; b.left < 0 {
		return 0, errLongBatch
	}
	return n, err
}

// errLongBatch is of a batch that is longer than one may be.
var errLongBatch = fmt.Errorf("a batch has at most %d MiB", mostBatch>>20)

// errLongLine is of a line of a batch that is longer than a question may be.
var errLongLine = errors.New("a question has at most 1 MiB")

// readLine reads a line. It is only good until the next one is read.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	long := bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(long) > mostQuestion {
			return nil, errLongLine
		}
		line, err = in.ReadSlice('\n')
		long = append(long, line...)
	}
	return long, err
}

// writeProblem answers with an error, in the form of RFC 9457.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	text, err := json.Marshal(huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
	if err != nil {
		panic(err) // texts and a number
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n'))
}
