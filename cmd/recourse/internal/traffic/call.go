// Package traffic reads HTTP calls from files that other tools wrote: HAR, the cassettes of HTTP mocks, the stubs of
// mock servers, saved answers of API clients, and logs as JSON lines or CSV.
//
// What a call means is not known here. What a tool cannot keep is said by its [Format].
package traffic

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Call is one HTTP call as a tool kept it.
type Call struct {
	Line     int           // where it stands in its file
	At       time.Time     // its start; zero: not known
	Received time.Time     // of the answer, by its Date header; zero: not known
	Latency  time.Duration // until the answer; below 0: not known

	Method, URL string
	Header      http.Header
	Body        []byte
	BodyIn      string // why the request's body is not to be read; empty: it is
	Worker      bool   // a browser's service worker made it, perhaps for a page whose own call stands beside it

	Fault       policy.Fault // in place of an answer
	Status      int
	ReplyHeader http.Header
	Reply       []byte
	ReplyIn     string // why the answer's body is not to be read; empty: it is

	// Of stubs, for [InCallOrder]:
	added    int // WireMock's number; 0: it has none
	scenario scenario
}

// Format is a kind of file.
type Format struct {
	Name  string   // "har"
	Title string   // "HAR 1.2 of Playwright"
	Lacks []string // what such a file cannot hold
	// Unordered says that entries do not stand in the order of their calls, and Stubs that [InCallOrder] may find it.
	Unordered, Stubs bool

	read func(*Source, *Visitor) error
}

// What a format may lack, as a recording says it.
const (
	Faults  = "faults"  // calls that got no answer
	Times   = "time"    // when a call began, and how long it took
	Repeats = "repeats" // equal calls after the first
	Numbers = "numbers" // numbers as they were sent: large ones are rounded
)

// Visitor takes what a file holds. An error of Call or Row ends the reading.
type Visitor struct {
	Call func(*Call) error
	Row  func(*Row) error
	// Skip is called for each entry that is left out, with the line where it begins.
	Skip func(line int, why string)
	// Table says how rows are read; nil where there is no mapping.
	Table *Table
}

// Read reads the file.
func (s *Source) Read(v *Visitor) error {
	if s.Format.read == nil {
		return fmt.Errorf("%s: %s; this cannot be imported", s.Name, s.Format.Title)
	}
	plain := *v
	plain.Call = func(c *Call) error { c.unpack(); return v.Call(c) }
	err := s.Format.read(s, &plain)
	if err == nil {
		return nil
	}
	return s.at(err)
}

// at puts the file before an error that does not name it, and the line that was reached.
func (s *Source) at(err error) error {
	var placed *PlaceError
	if as(err, &placed) {
		return err
	}
	return &PlaceError{File: s.Name, Line: max(s.line, 1), Err: err}
}

// PlaceError is an error with its place in a file.
type PlaceError struct {
	File string
	Line int
	Err  error
}

// Error is FILE:LINE: what is wrong.
func (e *PlaceError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Err) }

// Unwrap is what is wrong.
func (e *PlaceError) Unwrap() error { return e.Err }

// setDate takes the time of an answer from its Date header.
func (c *Call) setDate() {
	if at, err := http.ParseTime(c.ReplyHeader.Get("Date")); err == nil {
		c.Received = at
	}
}

// wholeOf reads a file that is read at once, up to a bound.
func wholeOf(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxWhole+1))
	if err == nil && len(data) > maxWhole {
		err = fmt.Errorf("the file has more than %d MiB; this format is read at once", maxWhole>>20)
	}
	return data, err
}

const maxWhole = 256 << 20
