package traffic

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

func pair(name, value string) string { return url.QueryEscape(name) + "=" + url.QueryEscape(value) }

// jsonBody is a body that stands as JSON: a string is the body itself.
func jsonBody(raw json.RawMessage) []byte {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []byte(s)
	}
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// headerMap reads headers that are texts or lists of texts.
func headerMap(raw map[string]json.RawMessage) http.Header {
	h := http.Header{}
	for name, v := range raw {
		var many []string
		if json.Unmarshal(v, &many) == nil {
			for _, s := range many {
				h.Add(name, s)
			}
			continue
		}
		h.Add(name, string(jsonBody(v)))
	}
	return h
}

// items decodes a file that is read at once: a list below a name, or the whole as one item.
func items(s *Source, name string, visit func(line int, raw json.RawMessage) error) error {
	data, err := wholeOf(s.text)
	if err != nil {
		return err
	}
	c := &counter{r: bytes.NewReader(data)}
	dec := json.NewDecoder(c)
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		err := into(dec, name, nil)
		if err != nil && strings.HasPrefix(err.Error(), "no ") { // one item
			if !json.Valid(data) {
				return errors.New("the file is no JSON")
			}
			return visit(1, data)
		}
		if err != nil {
			return err
		}
	}
	return each(s, c, dec, visit)
}

type wireRequest struct {
	URL          string                     `json:"url"`
	URLPath      string                     `json:"urlPath"`
	AbsoluteURL  string                     `json:"absoluteUrl"`
	Method       string                     `json:"method"`
	Headers      map[string]json.RawMessage `json:"headers"`
	Body         *string                    `json:"body"`
	BodyAsBase64 string                     `json:"bodyAsBase64"`
	LoggedDate   int64                      `json:"loggedDate"`
	Patterns     []map[string]any           `json:"bodyPatterns"`
}

type wireResponse struct {
	Status     int                        `json:"status"`
	Fault      string                     `json:"fault"`
	Body       *string                    `json:"body"`
	JSONBody   json.RawMessage            `json:"jsonBody"`
	Base64Body string                     `json:"base64Body"`
	BodyAs64   string                     `json:"bodyAsBase64"`
	File       string                     `json:"bodyFileName"`
	Headers    map[string]json.RawMessage `json:"headers"`
}

// body is the response's body. Where it stands as bytes and as text, the text may have lost what is not UTF-8, such as a packed body. A file
// of it lies in the folder __files beside the folder of mappings.
func (r *wireResponse) body(path string) ([]byte, error) {
	switch {
	case r.Base64Body != "":
		return base64.StdEncoding.DecodeString(r.Base64Body)
	case r.BodyAs64 != "":
		return base64.StdEncoding.DecodeString(r.BodyAs64)
	case r.Body != nil:
		return []byte(*r.Body), nil
	case len(r.JSONBody) > 0:
		return r.JSONBody, nil
	case r.File != "":
		if !filepath.IsLocal(r.File) || path == "" {
			return nil, errors.New("its response is in a file that is not beside it: " + shortened(r.File))
		}
		for _, dir := range []string{filepath.Join(filepath.Dir(path), "..", "__files"), filepath.Join(filepath.Dir(path), "__files")} {
			if f, err := os.Open(filepath.Join(dir, r.File)); err == nil {
				defer f.Close()
				return wholeOf(f)
			}
		}
		return nil, errors.New("its response is in __files/" + shortened(r.File) + ", which is not there")
	}
	return nil, nil
}

// readWireMock reads mappings. A recorded one says the whole request; one written by hand may not.
func readWireMock(s *Source, v *Visitor) error {
	return items(s, "mappings", func(line int, raw json.RawMessage) error {
		var m struct {
			Request  wireRequest  `json:"request"`
			Response wireResponse `json:"response"`
			Scenario string       `json:"scenarioName"`
			State    string       `json:"requiredScenarioState"`
			Added    int          `json:"insertionIndex"`
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			v.Skip(line, misfit(err))
			return nil
		}
		c := &Call{Line: line, Method: m.Request.Method, URL: firstOf(m.Request.URL, m.Request.URLPath), Latency: -1, added: m.Added}
		if m.Scenario != "" {
			c.scenario = scenarioOf(m.Scenario, m.State)
		}
		body, why := patternBody(m.Request.Patterns)
		reply, err := m.Response.body(s.path)
		switch {
		case c.URL == "":
			why = "its request is a pattern, not a url"
		case err != nil:
			why = err.Error()
		case m.Response.Fault != "":
			c.Fault = faultOf(m.Response.Fault)
		}
		if why != "" {
			v.Skip(line, why)
			return nil
		}
		c.Header, c.Body, c.Reply = patternHeaders(m.Request.Headers), body, reply
		if c.Status = m.Response.Status; c.Status == 0 && c.Fault == 0 {
			c.Status = http.StatusOK
		}
		c.ReplyHeader = headerMap(m.Response.Headers)
		c.setDate()
		c.proxied()
		return v.Call(c)
	})
}

// proxied takes back an answer that WireMock made itself, because the provider gave none.
func (c *Call) proxied() {
	if c.Status == http.StatusInternalServerError && bytes.HasPrefix(c.Reply, []byte("Network failure trying to make a proxied request from WireMock")) {
		c.Status, c.Reply, c.Fault = 0, nil, policy.Reset
	}
}

// patternBody is the body that equalToJson or equalTo asks for.
func patternBody(patterns []map[string]any) (body []byte, why string) {
	for _, p := range patterns {
		for _, kind := range []string{"equalToJson", "equalTo"} {
			switch want := p[kind].(type) {
			case string:
				return []byte(want), ""
			case map[string]any, []any:
				raw, err := json.Marshal(want)
				if err != nil {
					return nil, err.Error()
				}
				return raw, ""
			}
		}
		if packed, ok := p["binaryEqualTo"].(string); ok {
			raw, err := base64.StdEncoding.DecodeString(packed)
			if err != nil {
				return nil, "its request's body: " + err.Error()
			}
			return raw, ""
		}
	}
	if len(patterns) > 0 {
		return nil, "its request's body is a pattern, not a body"
	}
	return nil, ""
}

// patternHeaders are the headers that are asked for with one value.
func patternHeaders(raw map[string]json.RawMessage) http.Header {
	h := http.Header{}
	for name, v := range raw {
		var want struct {
			EqualTo *string `json:"equalTo"`
		}
		if json.Unmarshal(v, &want) == nil && want.EqualTo != nil {
			h.Set(name, *want.EqualTo)
		}
	}
	return h
}

// readWireMockJournal reads what GET /__admin/requests answers: the last request first.
func readWireMockJournal(s *Source, v *Visitor) error {
	var calls []*Call
	err := items(s, "requests", func(line int, raw json.RawMessage) error {
		var m struct {
			Request  wireRequest  `json:"request"`
			Response wireResponse `json:"response"`
			Planned  wireResponse `json:"responseDefinition"`
			Timing   struct {
				Total int64 `json:"totalTime"`
			} `json:"timing"`
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			v.Skip(line, misfit(err))
			return nil
		}
		c := &Call{Line: line, Method: m.Request.Method, URL: firstOf(m.Request.AbsoluteURL, m.Request.URL), Latency: time.Duration(max(m.Timing.Total, 0)) * time.Millisecond}
		packed, err := base64.StdEncoding.DecodeString(m.Request.BodyAsBase64)
		if c.Body = packed; len(packed) == 0 && m.Request.Body != nil {
			c.Body = []byte(*m.Request.Body)
		}
		if err != nil {
			v.Skip(line, "broken: its request's body: "+err.Error())
			return nil
		}
		c.Header, c.Status, c.ReplyHeader = headerMap(m.Request.Headers), m.Response.Status, headerMap(m.Response.Headers)
		if m.Request.LoggedDate > 0 {
			c.At = time.UnixMilli(m.Request.LoggedDate).UTC()
		}
		c.Reply, err = m.Response.body("")
		switch fault := firstOf(m.Response.Fault, m.Planned.Fault); {
		case c.URL == "":
			v.Skip(line, "broken: its request has no url")
			return nil
		case fault != "":
			c.Status, c.Reply, c.Fault = 0, nil, faultOf(fault)
		case err != nil || c.Status == 0:
			v.Skip(line, "broken: its response has no status or body that can be read")
			return nil
		}
		c.proxied()
		calls = append(calls, c)
		return nil
	})
	if err != nil {
		return err
	}
	slices.Reverse(calls)
	slices.SortStableFunc(calls, func(a, b *Call) int { return a.At.Compare(b.At) })
	for _, c := range calls {
		if err := v.Call(c); err != nil {
			return err
		}
	}
	return nil
}

// readNock reads the list that nock's recorder returns with output_objects, which nock.back stores too.
func readNock(s *Source, v *Visitor) error {
	c := &counter{r: s.text}
	return each(s, c, json.NewDecoder(c), func(line int, raw json.RawMessage) error {
		var m struct {
			Scope    string                     `json:"scope"`
			Method   string                     `json:"method"`
			Path     string                     `json:"path"`
			Body     json.RawMessage            `json:"body"`
			Status   int                        `json:"status"`
			Response json.RawMessage            `json:"response"`
			Binary   bool                       `json:"responseIsBinary"`
			Raw      json.RawMessage            `json:"rawHeaders"`
			Headers  map[string]json.RawMessage `json:"reqheaders"`
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			v.Skip(line, misfit(err))
			return nil
		}
		call := &Call{
			Line: line, Method: strings.ToUpper(m.Method), URL: m.Scope + m.Path, Header: headerMap(m.Headers), Body: nockBody(m.Body),
			Status: m.Status, ReplyHeader: rawHeaders(m.Raw), Latency: -1,
		}
		if call.Status == 0 || m.Scope == "" || m.Path == "" {
			v.Skip(line, "broken: it has no status, scope or path")
			return nil
		}
		reply, err := nockReply(m.Response)
		if err != nil {
			v.Skip(line, "broken: its response: "+err.Error())
			return nil
		}
		if call.Reply = reply; m.Binary {
			call.Reply = fromHex(reply)
		}
		call.setDate()
		return v.Call(call)
	})
}

// nockBody is the body of a request. One that is not text stands in hexadecimal; of these a packed one can be read, and says so by its first bytes.
func nockBody(raw json.RawMessage) []byte {
	body := jsonBody(raw)
	if plain := fromHex(body); bytes.HasPrefix(plain, []byte{0x1f, 0x8b}) {
		return plain
	}
	return body
}

// fromHex is what hexadecimal digits stand for, or the text as it is.
func fromHex(text []byte) []byte {
	plain, err := hex.DecodeString(string(text))
	if err != nil {
		return text
	}
	return plain
}

// rawHeaders reads names and values in turn, or an object.
func rawHeaders(raw json.RawMessage) http.Header {
	var flat []string
	if json.Unmarshal(raw, &flat) == nil {
		h := http.Header{}
		for p := range slices.Chunk(flat, 2) {
			if len(p) == 2 {
				h.Add(p[0], p[1])
			}
		}
		return h
	}
	var named map[string]json.RawMessage
	_ = json.Unmarshal(raw, &named) // another form has no headers that could be read
	return headerMap(named)
}

// nockReply is a response. A packed one stands as pieces in hexadecimal.
func nockReply(raw json.RawMessage) ([]byte, error) {
	var pieces []string
	if json.Unmarshal(raw, &pieces) != nil || len(pieces) == 0 {
		return jsonBody(raw), nil
	}
	packed, err := hex.DecodeString(strings.Join(pieces, ""))
	if err != nil {
		return raw, nil //nolint:nilerr // a JSON list of texts is a body like any
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return packed, nil //nolint:nilerr // pieces that are not packed
	}
	return io.ReadAll(io.LimitReader(zip, maxEntry))
}

// readHoverfly reads a simulation of schema v1 to v5.
func readHoverfly(s *Source, v *Visitor) error {
	c := &counter{r: s.text}
	dec := json.NewDecoder(c)
	for _, name := range []string{"data", "pairs"} {
		if err := into(dec, name, nil); err != nil {
			return err
		}
	}
	return each(s, c, dec, func(line int, raw json.RawMessage) error {
		var m struct {
			Request  map[string]json.RawMessage `json:"request"`
			Response struct {
				Status  int                        `json:"status"`
				Body    string                     `json:"body"`
				Encoded bool                       `json:"encodedBody"`
				Headers map[string]json.RawMessage `json:"headers"`
			} `json:"response"`
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			v.Skip(line, misfit(err))
			return nil
		}
		field := func(name string) string { return exactly(m.Request[name]) }
		call := &Call{
			Line: line, Method: field("method"), URL: firstOf(field("scheme"), "https") + "://" + field("destination") + field("path"),
			Body: []byte(field("body")), Status: m.Response.Status, Reply: []byte(m.Response.Body), ReplyHeader: headerMap(m.Response.Headers), Latency: -1,
		}
		if q := field("query"); q != "" {
			call.URL += "?" + q
		}
		var named map[string]json.RawMessage
		_ = json.Unmarshal(m.Request["headers"], &named) // absent in most
		call.Header = http.Header{}
		for name, value := range named {
			if s := exactly(value); s != "" {
				call.Header.Set(name, s)
			}
		}
		if m.Response.Encoded {
			body, err := base64.StdEncoding.DecodeString(m.Response.Body)
			if err != nil {
				v.Skip(line, "broken: its response: "+err.Error())
				return nil
			}
			call.Reply = body
		}
		switch {
		case field("path") == "" || call.Method == "":
			v.Skip(line, "its request is a pattern, not a path")
			return nil
		case call.Status == 0:
			v.Skip(line, "broken: its response has no status")
			return nil
		}
		call.setDate()
		return v.Call(call)
	})
}

// exactly is the value that a matcher asks for, where it asks for one only: "x", {"exactMatch": "x"} or
// [{"matcher": "exact", "value": "x"}].
func exactly(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return exactly(list[0])
	}
	var m struct {
		Exact   string          `json:"exactMatch"`
		JSON    string          `json:"jsonMatch"`
		Matcher string          `json:"matcher"`
		Value   json.RawMessage `json:"value"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return ""
	}
	switch m.Matcher {
	case "exact", "json", "form":
		return string(jsonBody(m.Value))
	}
	return firstOf(m.Exact, m.JSON)
}
