package traffic

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// harEntry is an entry of a HAR. Its numbers are read as text: tools write them as whole numbers, with decimals, or as "".
type harEntry struct {
	Started  string          `json:"startedDateTime"`
	Time     json.RawMessage `json:"time"`
	Request  *harRequest     `json:"request"`
	Response *harResponse    `json:"response"`
	Timings  map[string]any  `json:"timings"`
	Error    string          `json:"_error"`
	Worker   string          `json:"_serviceWorkerRef"` // Playwright: a service worker made the call
}

type harRequest struct {
	Method   string    `json:"method"`
	URL      string    `json:"url"`
	Headers  []harPair `json:"headers"`
	PostData *struct {
		MimeType string    `json:"mimeType"`
		Text     *string   `json:"text"`
		Encoding string    `json:"encoding"`
		File     string    `json:"_file"` // Playwright, content: "attach"
		Params   []harPair `json:"params"`
	} `json:"postData"`
}

type harResponse struct {
	Status     json.RawMessage `json:"status"`
	StatusText string          `json:"statusText"`
	Headers    []harPair       `json:"headers"`
	Content    struct {
		Text     *string `json:"text"`
		Encoding string  `json:"encoding"`
		File     string  `json:"_file"`
	} `json:"content"`
	Failure string `json:"_failureText"`
	Error   string `json:"_error"`
}

// harPair is a header or a parameter. Polly.js writes numbers as values.
type harPair struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

func (p *harPair) text() string {
	var s string
	if json.Unmarshal(p.Value, &s) == nil {
		return s
	}
	return string(p.Value)
}

// readHAR reads a HAR entry by entry.
func readHAR(s *Source, v *Visitor) error {
	c := &counter{r: s.text}
	dec := json.NewDecoder(c)
	if err := into(dec, "log", nil); err != nil {
		return err
	}
	if err := into(dec, "entries", s.madeBy); err != nil {
		return err
	}
	return each(s, c, dec, func(line int, raw json.RawMessage) error {
		var e harEntry
		if err := json.Unmarshal(raw, &e); err != nil {
			v.Skip(line, misfit(err))
			return nil
		}
		why := e.attach(s.path)
		var call *Call
		if why == "" {
			call, why = e.call()
		}
		if why != "" {
			v.Skip(line, why)
			return nil
		}
		call.Line = line
		return v.Call(call)
	})
}

// attach reads bodies that lie in files beside the HAR.
func (e *harEntry) attach(path string) (why string) {
	read := func(name string, into **string, encoding *string) string {
		if name == "" || *into != nil && **into != "" {
			return ""
		}
		if path == "" || !filepath.IsLocal(name) {
			return "a body of it is in a file that is not beside it: " + shortened(name)
		}
		f, err := os.Open(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			return "a body of it is in a file that is not beside it: " + shortened(name)
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(f, maxEntry+1))
		switch {
		case err != nil:
			return "broken: " + shortened(name) + ": " + err.Error()
		case len(data) > maxEntry:
			return "broken: " + shortened(name) + ": " + errTooLong.Error()
		}
		text := base64.StdEncoding.EncodeToString(data)
		*into, *encoding = &text, "base64"
		return ""
	}
	if r := e.Request; r != nil && r.PostData != nil {
		why = read(r.PostData.File, &r.PostData.Text, &r.PostData.Encoding)
	}
	if r := e.Response; r != nil && why == "" {
		why = read(r.Content.File, &r.Content.Text, &r.Content.Encoding)
	}
	return why
}

// madeBy reads which tool wrote a HAR, and what that tool is known not to keep.
func (s *Source) madeBy(name string, raw json.RawMessage) {
	var by struct{ Name, Version string }
	if name != "creator" || json.Unmarshal(raw, &by) != nil || by.Name == "" {
		return
	}
	s.Format.Title = "HAR of " + shortened(strings.TrimSpace(by.Name+" "+by.Version))
	if strings.Contains(by.Name, "har_dump") && !slices.Contains(s.Format.Lacks, Faults) {
		s.Format.Lacks = []string{Faults} // mitmproxy's older script; its savehar, since 10.1, keeps them
	}
}

// into moves a decoder to the value of a name of the object that follows, and enters it. Other, which may be nil, takes what
// stands before.
func into(dec *json.Decoder, name string, other func(name string, raw json.RawMessage)) error {
	if depth, err := dec.Token(); err != nil {
		return unexpected(err)
	} else if depth != json.Delim('{') {
		return fmt.Errorf("an object with %q was expected", name)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return unexpected(err)
		}
		if key == name {
			return nil
		}
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			return unexpected(err)
		}
		if text, ok := key.(string); ok && other != nil {
			other(text, skipped)
		}
	}
	return fmt.Errorf("no %q is in it", name)
}

// each visits the items of a list, the whole of none but one in memory.
func each(s *Source, c *counter, dec *json.Decoder, visit func(line int, raw json.RawMessage) error) error {
	if t, err := dec.Token(); err != nil {
		return unexpected(err)
	} else if t != json.Delim('[') {
		return errors.New("a list was expected")
	}
	for {
		s.line = c.lineAt(dec.InputOffset())
		c.limit = dec.InputOffset() + maxEntry
		if !dec.More() {
			break
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return s.brokenAt(c, err)
		}
		s.line = c.lineAt(dec.InputOffset() - int64(len(raw)))
		if err := visit(s.line, raw); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return unexpected(err)
	}
	return nil
}

// brokenAt is an error of JSON where it stands.
func (s *Source) brokenAt(c *counter, err error) error {
	offset := c.offset
	var syntax *json.SyntaxError
	if as(err, &syntax) {
		offset = syntax.Offset
	}
	s.line = c.lineAt(max(offset-1, 0))
	return unexpected(err)
}

// unexpected says of an end in the middle what it is.
func unexpected(err error) error {
	if err.Error() == "EOF" || strings.Contains(err.Error(), "unexpected EOF") {
		return errors.New("the file ends in the middle")
	}
	return err
}

// call makes a call of an entry; why says why it is none.
func (e *harEntry) call() (c *Call, why string) {
	switch {
	case e.Request == nil:
		return nil, "broken: it has no request"
	case e.Request.URL == "":
		return nil, "broken: its request has no url"
	}
	c = &Call{Method: strings.ToUpper(e.Request.Method), URL: e.Request.URL, Latency: -1, Header: headersOf(e.Request.Headers)}
	c.Body, c.BodyIn = e.Request.body()
	c.Worker = e.Worker != ""
	if e.Started != "" {
		at, err := timeOf(e.Started)
		if err != nil {
			return nil, "broken: " + err.Error()
		}
		c.At = at
	}
	c.Latency = e.latency()
	r := e.Response
	if r == nil {
		c.Fault = policy.Reset
		return c, ""
	}
	c.ReplyHeader = headersOf(r.Headers)
	c.setDate()
	c.Status = wholeNumber(r.Status)
	if text := r.Content.Text; text != nil {
		body, err := contentOf(*text, r.Content.Encoding)
		if err != nil {
			return nil, "broken: its response's content: " + err.Error()
		}
		c.Reply = body
	}
	failure := firstOf(r.Failure, r.Error, e.Error)
	switch {
	case c.Status <= 0:
		c.Status, c.Reply = 0, nil
		c.Fault = faultOf(failure)
	case strings.HasPrefix(string(c.Reply), "[Fiddler]"), strings.HasPrefix(r.StatusText, "Fiddler"):
		// Fiddler answers itself where the server did not.
		c.Status, c.Reply, c.Fault = 0, nil, policy.Reset
	case failure != "": // an answer that broke off
		c.Fault, c.Reply = faultOf(failure), nil
	}
	return c, ""
}

// latency is the whole time of the call, by its own number or the sum of its parts.
func (e *harEntry) latency() time.Duration {
	if ms, err := strconv.ParseFloat(strings.Trim(string(e.Time), `"`), 64); err == nil && ms >= 0 && ms < 1e9 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	sum, known := 0.0, false
	for name, v := range e.Timings {
		if ms, ok := v.(float64); ok && ms >= 0 && ms < 1e9 && name != "ssl" { // ssl is part of connect
			sum, known = sum+ms, true
		}
	}
	if !known {
		return -1
	}
	return time.Duration(sum * float64(time.Millisecond))
}

func (r *harRequest) body() (body []byte, not string) {
	p := r.PostData
	switch {
	case p == nil:
		return nil, ""
	case p.Text != nil && *p.Text != "":
		body, err := contentOf(*p.Text, p.Encoding)
		if err != nil {
			return nil, "its request's body: " + err.Error()
		}
		return body, ""
	case len(p.Params) == 0:
		return nil, ""
	case strings.Contains(p.MimeType, "json"):
		return nil, "this tool keeps a JSON request as parameters, not as it was sent"
	}
	var parts []string
	for i := range p.Params {
		value := p.Params[i].text()
		parts = append(parts, url.QueryEscape(p.Params[i].Name)+"="+url.QueryEscape(value))
	}
	return []byte(strings.Join(parts, "&")), ""
}

// contentOf decodes a text. Other encodings than base64 name that of the transfer, which is undone already.
func contentOf(text, encoding string) ([]byte, error) {
	if !strings.EqualFold(encoding, "base64") {
		return []byte(text), nil
	}
	if text != "" && text[0] == '[' { // Polly.js: a list of pieces
		var pieces []string
		if err := json.Unmarshal([]byte(text), &pieces); err != nil {
			return nil, errors.New("it is no list of texts")
		}
		var all []byte
		for _, p := range pieces {
			piece, err := base64.StdEncoding.DecodeString(p)
			if err != nil {
				return nil, err
			}
			all = append(all, piece...)
		}
		return all, nil
	}
	return base64.StdEncoding.DecodeString(strings.TrimSpace(text))
}

func headersOf(pairs []harPair) http.Header {
	h := http.Header{}
	for i := range pairs {
		if strings.HasPrefix(pairs[i].Name, ":") {
			continue // HTTP/2 has method and path among the headers
		}
		h.Add(pairs[i].Name, pairs[i].text())
	}
	return h
}

// faultOf reads a browser's words for a call without an answer. What it does not know is in doubt.
func faultOf(text string) policy.Fault {
	upper := strings.ToUpper(text)
	has := func(all ...string) bool {
		for _, w := range all {
			if strings.Contains(upper, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("CONNECTION_REFUSED", "ECONNREFUSED", "NAME_NOT_RESOLVED", "ENOTFOUND", "UNKNOWN_HOST", "ADDRESS_UNREACHABLE", "INTERNET_DISCONNECTED",
		"ERR_CERT_", "UNSAFE_PORT", "PROXY_CONNECTION_FAILED", "BLOCKED_BY_CLIENT"):
		return policy.NotSent
	case has("TIMED_OUT", "TIMEOUT", "ETIMEDOUT", "DEADLINE"):
		return policy.Timeout
	}
	return policy.Reset
}

// wholeNumber reads a status; 0 where there is none.
func wholeNumber(raw json.RawMessage) int {
	f, err := strconv.ParseFloat(string(bytes.Trim(raw, `"`)), 64)
	if err != nil || f < 0 || f > 999 {
		return 0
	}
	return int(f)
}

var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999 -0700", "2006-01-02 15:04:05.999999999Z07:00", http.TimeFormat, time.RFC1123Z}

// timeOf reads a time as tools write it. One without a zone is taken as UTC.
func timeOf(text string) (time.Time, error) {
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", shortened(text))
}

func shortened(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
