package traffic

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/internal/source"
)

// Table says how rows are read.
type Table struct {
	Separator rune     // of columns; 0: found in the file
	Header    []string // the columns' names; empty: the first row has them
	Names     []string // that are asked for, for a check against the header
}

// Row is a row of a table, or a line of JSON.
type Row struct {
	Line int
	cell func(name string) (text string, ok bool)
}

// Get is a value as text; ok is false where there is none, or null.
func (r *Row) Get(name string) (text string, ok bool) { return r.cell(name) }

// maxRow bounds a line of JSON.
const maxRow = 16 << 20

// readLines reads JSON lines.
func readLines(s *Source, v *Visitor) error {
	var parser fastjson.Parser
	seen := map[string]bool{}
	for n := 1; ; n++ {
		s.line = n
		raw, tooLong, err := nextLine(s)
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
		raw = bytes.TrimSpace(raw)
		switch {
		case tooLong:
			v.Skip(n, fmt.Sprintf("broken: a line of more than %d MiB", maxRow>>20))
		case len(raw) == 0:
		default:
			if err := visitLine(n, raw, &parser, seen, v); err != nil {
				return err
			}
		}
		if last {
			return unseen(v.Table, seen)
		}
	}
}

func visitLine(n int, raw []byte, parser *fastjson.Parser, seen map[string]bool, v *Visitor) error {
	value, err := parser.ParseBytes(raw)
	if err != nil || value.Type() != fastjson.TypeObject {
		v.Skip(n, "broken: not a JSON object")
		return nil
	}
	return v.Row(&Row{Line: n, cell: func(name string) (string, bool) {
		x := value.Get(strings.Split(name, ".")...)
		if x == nil {
			x = value.Get(name) // a name with a dot in it
		}
		if x == nil || x.Type() == fastjson.TypeNull {
			return "", false
		}
		seen[name] = true
		if x.Type() == fastjson.TypeString {
			return string(x.GetStringBytes()), true
		}
		return string(x.MarshalTo(nil)), true
	}})
}

// unseen refuses a mapping of which no name was in any line: it is for other files.
func unseen(t *Table, seen map[string]bool) error {
	if t == nil || len(seen) > 0 || len(t.Names) == 0 {
		return nil
	}
	return fmt.Errorf("no line has any of the fields that the mapping names (%s)", strings.Join(t.Names, ", "))
}

// nextLine reads a line. Of one that is too long nothing is kept.
func nextLine(s *Source) (line []byte, tooLong bool, err error) {
	for {
		part, err := s.text.ReadSlice('\n')
		if !tooLong {
			line = append(line, part...)
		}
		if len(line) > maxRow {
			line, tooLong = nil, true
		}
		if err == nil || !isFull(err) {
			return line, tooLong, err
		}
	}
}

func isFull(err error) bool { return err.Error() == "bufio: buffer full" }

// readTable reads a table of columns.
func readTable(s *Source, v *Visitor) error {
	head, _ := s.text.Peek(headSize) // a short file is no error
	sep := rune(0)
	if v.Table != nil {
		sep = v.Table.Separator
	}
	if sep == 0 {
		found, ok := separatorOf(bytes.TrimSpace(head))
		if !ok {
			found = ','
		}
		sep = found
	}
	c := &counter{r: s.text, limit: maxEntry}
	r := csv.NewReader(c)
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = sep, -1, true
	var columns map[string]int
	if v.Table != nil && len(v.Table.Header) > 0 {
		columns = columnsOf(v.Table.Header)
	}
	for {
		c.limit = r.InputOffset() + maxEntry
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var broken *csv.ParseError
		if as(err, &broken) {
			s.line = broken.StartLine
			v.Skip(broken.StartLine, misquoted(broken))
			continue
		}
		if err != nil {
			return err
		}
		s.line, _ = r.FieldPos(0)
		if columns == nil {
			columns = columnsOf(row)
			if err := missing(v.Table, columns, row); err != nil {
				return err
			}
			continue
		}
		if len(row) != len(columns) {
			v.Skip(s.line, ragged(len(row), len(columns), sep))
			continue
		}
		if err := v.Row(&Row{Line: s.line, cell: func(name string) (string, bool) {
			i, ok := columns[name]
			return strings.TrimSpace(row[max(i, 0)]), ok
		}}); err != nil {
			return err
		}
	}
}

func columnsOf(names []string) map[string]int {
	columns := map[string]int{}
	for i, name := range names {
		name = strings.TrimSpace(name)
		if _, twice := columns[name]; twice || name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		columns[name] = i
	}
	return columns
}

// missing refuses a mapping that names columns that the table does not have, or has twice.
func missing(t *Table, columns map[string]int, row []string) error {
	if t == nil {
		return nil
	}
	var all []string
	for name := range columns {
		all = append(all, name)
	}
	slices.Sort(all)
	var none, wrong []string
	for _, name := range t.Names {
		if _, ok := columns[name]; !ok {
			none = append(none, strconv.Quote(name))
		} else if n := countOf(row, name); n > 1 {
			wrong = append(wrong, fmt.Sprintf("%d columns are called %q, which the mapping names; [input] header can give them names", n, name))
		}
	}
	switch {
	case len(none) == 1:
		name, _ := strconv.Unquote(none[0])
		wrong = append(wrong, fmt.Sprintf("there is no column %s, which the mapping names%s", none[0], source.Suggest(name, all)))
	case len(none) > 1:
		wrong = append(wrong, fmt.Sprintf("there are no columns %s, which the mapping names (there are: %s)", strings.Join(none, ", "), shortened(strings.Join(all, ", "))))
	}
	if len(columns) == 1 && len(wrong) > 0 {
		wrong = append(wrong, "the first row is one column: [input] separator says what stands between two")
	}
	if len(wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}

func countOf(row []string, name string) (n int) {
	for _, cell := range row {
		if strings.TrimSpace(cell) == name {
			n++
		}
	}
	return n
}
