package source

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/recourse-pay/recourse/policy"
)

// Doc is a parsed file: its values and where each of them stands.
type Doc struct {
	File string
	root map[string]any
	data []byte
	ends []int           // where each line ends
	keys map[string]span // path of a key → where the key (or table header) stands
	vals map[string]span // path of a value → where the value stands
}

// A span is a range of bytes in the file.
type span struct{ from, to int }

// Parse reads a TOML file that keeps within the bounds. A syntax error is a [List] with its
// position.
func Parse(file string, data []byte) (*Doc, error) {
	d := newDoc(file, data)
	if err := measure(file, d.data); err != nil {
		return nil, err
	}
	if _, err := toml.Decode(string(d.data), &d.root); err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return nil, policy.Mistakes{{Position: d.pos(syntax.Position.Start), Msg: syntax.Message}}
		}
		return nil, policy.Mistakes{{Position: Pos{File: file}, Msg: err.Error()}}
	}
	_ = d.index(nil)
	return d, nil
}

// bytesForKey is about how many of a file go with a key, and with a value.
const bytesForKey = 32

func newDoc(file string, data []byte) *Doc {
	d := &Doc{File: file, data: bytes.TrimPrefix(data, []byte("\ufeff"))}
	d.keys, d.vals = make(map[string]span, len(data)/bytesForKey), make(map[string]span, len(data)/bytesForKey)
	for i, b := range d.data {
		if b == '\n' {
			d.ends = append(d.ends, i)
		}
	}
	return d
}

// Root returns the file's top-level table.
func (d *Doc) Root() Table {
	return Table{doc: d, values: d.root, used: map[string]bool{}}
}

// pos turns a byte offset into a place.
func (d *Doc) pos(offset int) Pos {
	offset = max(0, min(offset, len(d.data)))
	line, _ := slices.BinarySearch(d.ends, offset)
	start := 0
	if line > 0 {
		start = d.ends[line-1] + 1
	}
	return Pos{File: d.File, Line: line + 1, Column: 1 + utf8.RuneCount(d.data[start:offset])}
}

// index finds the place of every key and every value. also, which may be nil, is given each header and each key with its value, and the
// path of the table. The error is one of syntax, after which nothing is found.
func (d *Doc) index(also func(e *unstable.Node, path string)) error {
	var p unstable.Parser
	p.Reset(d.data)
	prefix := ""
	arrays := map[string]int{}
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table:
			prefix = d.header(e, arrays, false)
		case unstable.ArrayTable:
			prefix = d.header(e, arrays, true)
		case unstable.KeyValue:
			d.keyValue(prefix, e)
		default: // a comment
		}
		if also != nil {
			also(e, prefix)
		}
	}
	return p.Error()
}

// header returns the path of a [table] or [[table]] header, with the current
// index after each array of tables in it.
func (d *Doc) header(e *unstable.Node, arrays map[string]int, isArray bool) string {
	path, first := "", -1
	for it := e.Key(); it.Next(); {
		n := it.Node()
		if first < 0 {
			first = int(n.Raw.Offset)
		}
		path = join(path, string(n.Data))
		if it.IsLast() && isArray {
			arrays[path]++
			d.noteKey(path, first, int(n.Raw.Offset+n.Raw.Length))
		}
		if count, ok := arrays[path]; ok {
			path = join(path, strconv.Itoa(count-1))
		}
		d.noteKey(path, first, int(n.Raw.Offset+n.Raw.Length))
	}
	return path
}

func (d *Doc) noteKey(path string, from, to int) {
	if _, known := d.keys[path]; !known {
		d.keys[path] = span{from, to}
	}
}

// keyValue notes a key and its value, and returns the byte after them.
func (d *Doc) keyValue(prefix string, e *unstable.Node) (end int) {
	path := prefix
	for it := e.Key(); it.Next(); {
		n := it.Node()
		path = join(path, string(n.Data))
		end = int(n.Raw.Offset + n.Raw.Length)
		d.noteKey(path, int(n.Raw.Offset), end)
	}
	for end < len(d.data) && d.data[end] != '=' {
		end++
	}
	return d.value(path, e.Value(), skipBlank(d.data, end+1))
}

// value notes where a value stands that begins at the given byte, and all within it, and
// returns the byte after it. The parser keeps the places of plain values only, so arrays and
// tables are measured here.
func (d *Doc) value(path string, n *unstable.Node, start int) (end int) {
	if n.Kind != unstable.Array && n.Kind != unstable.InlineTable {
		if n.Raw.Length == 0 {
			return valueEnd(d.data, start)
		}
		d.vals[path] = span{int(n.Raw.Offset), int(n.Raw.Offset + n.Raw.Length)}
		return d.vals[path].to
	}
	i, at := 0, start+1
	for it := n.Children(); it.Next(); {
		switch child := it.Node(); {
		case child.Kind == unstable.Comment:
		case n.Kind == unstable.InlineTable && child.Kind == unstable.KeyValue:
			at = d.keyValue(path, child)
		case n.Kind == unstable.Array:
			at = d.value(join(path, strconv.Itoa(i)), child, skipBlank(d.data, at))
			i++
		}
	}
	end = min(skipBlank(d.data, at)+1, len(d.data)) // after the closing bracket
	d.vals[path] = span{start, end}
	return end
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "\x00" + key
}

// Text is a string value together with where each of its runes stands.
type Text struct {
	Value string
	doc   *Doc
	span  span
	base  Pos // for a text without a file of its own
}

// At returns the place of the rune with the given index in the value.
func (t Text) At(index int) Pos {
	if t.doc == nil {
		return t.base
	}
	return t.doc.pos(t.span.from + rawOffset(t.doc.data[t.span.from:t.span.to], index))
}

// rawOffset finds the byte, within the raw text of a TOML string, at which the
// n-th rune of its value is written.
func rawOffset(raw []byte, n int) int {
	open, escapes := 1, raw[0] == '"'
	if len(raw) >= 6 && raw[1] == raw[0] && raw[2] == raw[0] {
		open = 3
		if raw[open] == '\r' {
			open++
		}
		if raw[open] == '\n' { // the newline after the opening quotes is not part of the value
			open++
		}
	}
	i := open
	for i < len(raw) {
		if escapes && raw[i] == '\\' {
			if skip := lineEnding(raw[i+1:]); skip > 0 {
				i += 1 + skip
				continue
			}
		}
		if n == 0 {
			return i
		}
		n--
		switch {
		case escapes && raw[i] == '\\':
			i += escapeLength(raw[i:])
		case raw[i] < utf8.RuneSelf:
			i++
		default:
			_, size := utf8.DecodeRune(raw[i:])
			i += size
		}
	}
	return len(raw) - open
}

// lineEnding returns how much white space a backslash at the end of a line
// swallows; 0 when the backslash is no such one.
func lineEnding(rest []byte) int {
	i, newline := 0, false
	for i < len(rest) && strings.IndexByte(" \t\r\n", rest[i]) >= 0 {
		newline = newline || rest[i] == '\n'
		i++
	}
	if !newline {
		return 0
	}
	return i
}

func escapeLength(raw []byte) int {
	if len(raw) < 2 {
		return len(raw)
	}
	switch raw[1] {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	return 2
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a number"
	case bool:
		return "a boolean"
	case []any, []map[string]any:
		return "an array"
	case map[string]any:
		return "a table"
	case time.Time:
		return "a date or a time"
	}
	return fmt.Sprintf("%T", v)
}
