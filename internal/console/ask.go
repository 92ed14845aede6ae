package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// fault is an answer that says no.
type fault struct {
	Status  int    `json:"-"`
	Message string `json:"error"`
}

// Error implements error.
func (f *fault) Error() string { return f.Message }

func asFault(err error) *fault {
	if f := (*fault)(nil); errors.As(err, &f) {
		return f
	}
	return &fault{Status: http.StatusInternalServerError, Message: err.Error()}
}

// captured is the http.ResponseWriter of a question to the handler.
type captured struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (c *captured) Header() http.Header { return c.header }

// WriteHeader implements [http.ResponseWriter].
func (c *captured) WriteHeader(status int) { c.status = status }

// Write implements [http.ResponseWriter].
func (c *captured) Write(b []byte) (int, error) { return c.body.Write(b) }

// ask asks the handler, with the context of the request for a page, and decodes the answer.
func (p *pages) ask(from *http.Request, method, path string, q url.Values, body, into any) error {
	var sent io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(from.Context(), method, path, sent)
	if err != nil {
		return err
	}
	r.URL.RawQuery = q.Encode()
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	w := &captured{header: http.Header{}, status: http.StatusOK}
	p.over.ServeHTTP(w, r)
	if w.status >= 300 && w.status < 400 { // a path such as .. leads elsewhere
		return &fault{Status: http.StatusNotFound, Message: "there is no " + path}
	}
	if w.status < 200 || w.status > 299 {
		f := &fault{Status: w.status}
		if err := json.Unmarshal(w.body.Bytes(), f); err != nil || f.Message == "" {
			f.Message = fmt.Sprintf("%s %s answered with status %d", method, path, w.status)
		}
		return f
	}
	return json.Unmarshal(w.body.Bytes(), into)
}
