package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/recourse-pay/recourse/policy"
)

// anyOf stands in the table for every flow or every code.
const anyOf = "*"

// flows are the table's words for operations.
var flows = map[string]policy.Operation{
	"authorize": policy.Pay,
	"capture":   policy.Capture,
	"refund":    policy.Refund,
	"void":      policy.Cancel,
	"payout":    policy.Payout,
}

// row is a line of the table. Its texts are not normalised: two spellings of a code are two
// codes, because it is not known which one the connector sends.
type row struct {
	file string
	line int

	connector, flow, code, message string
	retry, stepUp                  bool
}

// Mistake is an error in a file, with its place.
type Mistake struct {
	File      string
	Line, Col int // from 1, columns in runes
	Msg       string
}

// Error returns FILE:LINE:COLUMN: message.
func (m *Mistake) Error() string { return fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Col, m.Msg) }

// sheet is a CSV file with a header.
type sheet struct {
	file     string
	data     []byte
	columns  []string
	mistakes []error
}

func (s *sheet) add(line, byteCol int, format string, args ...any) {
	col := byteCol
	if lines := bytes.Split(s.data, []byte("\n")); line >= 1 && line <= len(lines) && byteCol-1 <= len(lines[line-1]) && byteCol > 0 {
		col = utf8.RuneCount(lines[line-1][:byteCol-1]) + 1
	}
	s.mistakes = append(s.mistakes, &Mistake{s.file, line, col, fmt.Sprintf(format, args...)})
}

// cells are the fields of one line by column; wrong reports a field that cannot be used.
type cells struct {
	line  int
	get   func(column string) string
	wrong func(column, format string, args ...any)
}

// readSheet calls do for every line below the header, which names the columns in any order.
// Lines that begin with # are comments.
func readSheet(file string, columns []string, do func(cells)) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s := &sheet{file: file, data: data, columns: columns}
	in := csv.NewReader(bytes.NewReader(data))
	in.Comment, in.FieldsPerRecord = '#', -1
	header, err := in.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return s.unreadable(err)
	}
	if len(header) > 0 {
		header[0] = strings.TrimPrefix(header[0], "\ufeff")
	}
	top := 1
	if len(header) > 0 {
		top, _ = in.FieldPos(0)
	}
	for _, c := range columns {
		if !slices.Contains(header, c) {
			s.add(top, 1, "there is no column %q (a table has: %s)", c, strings.Join(columns, ", "))
		}
	}
	if len(s.mistakes) > 0 {
		return errors.Join(s.mistakes...)
	}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return errors.Join(s.mistakes...)
		}
		if err != nil {
			return s.unreadable(err)
		}
		line, _ := in.FieldPos(0)
		if len(record) != len(header) {
			s.add(line, 1, "%d fields, but the header has %d", len(record), len(header))
			continue
		}
		do(cells{
			line: line,
			get:  func(column string) string { return record[slices.Index(header, column)] },
			wrong: func(column, format string, args ...any) {
				l, c := in.FieldPos(slices.Index(header, column))
				s.add(l, c, format, args...)
			},
		})
	}
}

// unreadable adds an error of the CSV format and returns all mistakes: the lines after it
// cannot be trusted.
func (s *sheet) unreadable(err error) error {
	var at *csv.ParseError
	if errors.As(err, &at) {
		s.add(at.Line, at.Column, "%s", at.Err)
		return errors.Join(s.mistakes...)
	}
	return errors.Join(append(s.mistakes, err)...)
}

// A connector's name becomes a file's.
var connectorName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func readTable(file string) ([]*row, error) {
	var rows []*row
	err := readSheet(file, []string{"connector", "flow", "code", "message", "decision", "step_up"}, func(c cells) {
		r := &row{file: file, line: c.line, connector: c.get("connector"), flow: c.get("flow"), code: c.get("code"), message: c.get("message")}
		if !connectorName.MatchString(r.connector) {
			c.wrong("connector", "connector %q is no name of a file (small letters, digits, - and _)", r.connector)
		}
		if _, known := flows[r.flow]; !known && r.flow != anyOf {
			c.wrong("flow", "unknown flow %q (there are: authorize, capture, refund, void, payout, *)", r.flow)
		}
		switch {
		case r.code == "":
			c.wrong("code", "a row needs a code, or * for any")
		case !utf8.ValidString(r.code + r.message):
			c.wrong("code", "code or message is not UTF-8")
		}
		switch c.get("decision") {
		case "retry":
			r.retry = true
		case "do_not_retry":
		default:
			c.wrong("decision", "decision is %q; it must be retry or do_not_retry", c.get("decision"))
		}
		switch c.get("step_up") {
		case "yes":
			r.stepUp = true
		case "no", "":
		default:
			c.wrong("step_up", "step_up is %q; it must be yes or no", c.get("step_up"))
		}
		rows = append(rows, r)
	})
	return rows, err
}
