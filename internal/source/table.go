package source

import (
	"encoding"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Table reads one TOML table key by key. Every read notes the mistakes it finds in
// the list it is given; [Table.Done] then refuses the keys that were not read.
type Table struct {
	doc    *Doc
	path   string
	values map[string]any
	used   map[string]bool
}

// Pos is where the table begins.
func (t Table) Pos() Pos {
	if s, ok := t.doc.keys[t.path]; ok {
		return t.doc.pos(s.from)
	}
	if s, ok := t.doc.vals[t.path]; ok {
		return t.doc.pos(s.from)
	}
	return Pos{File: t.doc.File, Line: 1}
}

// KeyPos is where a key stands, or the table if the key is absent.
func (t Table) KeyPos(key string) Pos {
	if s, ok := t.doc.keys[join(t.path, key)]; ok {
		return t.doc.pos(s.from)
	}
	return t.Pos()
}

// ValuePos is where the value of a key stands, or the key, or the table.
func (t Table) ValuePos(key string) Pos {
	if s, ok := t.doc.vals[join(t.path, key)]; ok {
		return t.doc.pos(s.from)
	}
	return t.KeyPos(key)
}

// Has reports whether the table has the key.
func (t Table) Has(key string) bool {
	_, ok := t.values[key]
	if !ok {
		t.used[key] = true // a key that could have been meant
	}
	return ok
}

// Keys lists the table's keys in the order of the alphabet.
func (t Table) Keys() []string {
	keys := make([]string, 0, len(t.values))
	for k := range t.values {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func (t Table) take(key string) (any, bool) {
	t.used[key] = true
	v, ok := t.values[key]
	return v, ok
}

func read[T any](t Table, errs *List, key, want string) (T, bool) {
	v, ok := t.take(key)
	if !ok {
		var zero T
		return zero, false
	}
	value, ok := v.(T)
	if !ok {
		errs.Add(t.ValuePos(key), "%s is %s; it must be %s", key, kindOf(v), want)
	}
	return value, ok
}

// String reads a string; empty when absent or wrong.
func (t Table) String(errs *List, key string) string {
	s, _ := read[string](t, errs, key, "a string")
	return s
}

// Text reads a string and keeps where it stands.
func (t Table) Text(errs *List, key string) Text {
	s, ok := read[string](t, errs, key, "a string")
	if !ok {
		return Text{base: t.KeyPos(key)}
	}
	if at, ok := t.doc.vals[join(t.path, key)]; ok {
		return Text{Value: s, doc: t.doc, span: at}
	}
	return Text{Value: s, base: t.KeyPos(key)}
}

// Bool reads a boolean; false when absent or wrong.
func (t Table) Bool(errs *List, key string) bool {
	b, _ := read[bool](t, errs, key, "true or false")
	return b
}

// Count reads a whole number from least up; 0 when absent or wrong.
func (t Table) Count(errs *List, key string, least int) int {
	n, ok := read[int64](t, errs, key, "a whole number")
	if ok && n < int64(least) {
		errs.Add(t.ValuePos(key), "%s is %d; it must be at least %d", key, n, least)
		return 0
	}
	return int(n)
}

// Number reads a number between two bounds; otherwise when absent or wrong.
func (t Table) Number(errs *List, key string, low, high, otherwise float64) float64 {
	v, ok := t.take(key)
	if !ok {
		return otherwise
	}
	var f float64
	switch n := v.(type) {
	case float64:
		f = n
	case int64:
		f = float64(n)
	default:
		errs.Add(t.ValuePos(key), "%s is %s; it must be a number", key, kindOf(v))
		return otherwise
	}
	if !(f >= low && f <= high) {
		errs.Add(t.ValuePos(key), "%s is %v; it must lie between %v and %v", key, f, low, high)
		return otherwise
	}
	return f
}

// Duration reads a duration above zero such as "90s" or "24h"; 0 when absent or wrong.
func (t Table) Duration(errs *List, key string) time.Duration {
	s, ok := read[string](t, errs, key, `a duration such as "90s" or "24h"`)
	if !ok {
		return 0
	}
	return duration(errs, t.ValuePos(key), key, s)
}

func duration(errs *List, pos Pos, key, s string) time.Duration {
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		errs.Add(pos, `%s: %q is no duration (write "90s", "15m", "24h")`, key, s)
	case d <= 0:
		errs.Add(pos, "%s: %q must be longer than nothing", key, s)
	default:
		return d
	}
	return 0
}

// Durations reads an array of durations above zero.
func (t Table) Durations(errs *List, key string) []time.Duration {
	var all []time.Duration
	t.Each(errs, key, func(pos Pos, s string) {
		if d := duration(errs, pos, key, s); d > 0 {
			all = append(all, d)
		}
	})
	return all
}

// Strings reads an array of strings; a single string counts as an array of one.
func (t Table) Strings(errs *List, key string) []string {
	var all []string
	t.Each(errs, key, func(_ Pos, s string) { all = append(all, s) })
	return all
}

// Each visits the items of an array of strings, with their places.
func (t Table) Each(errs *List, key string, visit func(Pos, string)) {
	v, ok := t.take(key)
	if !ok {
		return
	}
	switch v := v.(type) {
	case string:
		visit(t.ValuePos(key), v)
	case []any:
		sub := Table{doc: t.doc, path: join(t.path, key)}
		for i, item := range v {
			pos := sub.ValuePos(strconv.Itoa(i))
			if s, ok := item.(string); ok {
				visit(pos, s)
			} else {
				errs.Add(pos, "%s holds %s; every item must be a string", key, kindOf(item))
			}
		}
	default:
		errs.Add(t.ValuePos(key), "%s is %s; it must be an array of strings", key, kindOf(v))
	}
}

// Word reads one of a closed set of words into w, which keeps its value when the
// key is absent.
func (t Table) Word(errs *List, key string, w encoding.TextUnmarshaler) {
	s, ok := read[string](t, errs, key, "a string")
	if !ok {
		return
	}
	if err := w.UnmarshalText([]byte(s)); err != nil {
		errs.Add(t.ValuePos(key), "%s", err)
	}
}

// Words reads an array of words of one closed set. An empty one says nothing and is a mistake.
func Words[W any, P interface {
	*W
	encoding.TextUnmarshaler
}](t Table, errs *List, key string) []W {
	if list, ok := t.values[key].([]any); ok && len(list) == 0 {
		t.used[key] = true
		errs.Add(t.ValuePos(key), "%s is an empty list; name at least one, or leave the key out", key)
	}
	var all []W
	t.Each(errs, key, func(pos Pos, s string) {
		var w W
		if err := P(&w).UnmarshalText([]byte(s)); err != nil {
			errs.Add(pos, "%s", err)
			return
		}
		all = append(all, w)
	})
	return all
}

// Table reads a table; ok is false when it is absent or wrong.
func (t Table) Table(errs *List, key string) (sub Table, ok bool) {
	m, ok := read[map[string]any](t, errs, key, "a table")
	return Table{doc: t.doc, path: join(t.path, key), values: m, used: map[string]bool{}}, ok
}

// Tables reads an array of tables, written [[key]] or [{…}, …].
func (t Table) Tables(errs *List, key string) []Table {
	v, ok := t.take(key)
	if !ok {
		return nil
	}
	path := join(t.path, key)
	var all []Table
	add := func(i int, m map[string]any) {
		all = append(all, Table{doc: t.doc, path: join(path, strconv.Itoa(i)), values: m, used: map[string]bool{}})
	}
	switch v := v.(type) {
	case []map[string]any:
		for i, m := range v {
			add(i, m)
		}
	case []any:
		for i, item := range v {
			if m, ok := item.(map[string]any); ok {
				add(i, m)
				continue
			}
			errs.Add(Table{doc: t.doc, path: path}.ValuePos(strconv.Itoa(i)), "%s holds %s; every item must be a table", key, kindOf(item))
		}
	default:
		errs.Add(t.ValuePos(key), "%s is %s; it must be an array of tables", key, kindOf(v))
	}
	return all
}

// Done refuses every key that was not read, and names the nearest one that could
// have been meant.
func (t Table) Done(errs *List) {
	for _, key := range t.Keys() {
		if t.used[key] {
			continue
		}
		known := make([]string, 0, len(t.used))
		for k := range t.used {
			known = append(known, k)
		}
		errs.Add(t.KeyPos(key), "unknown key %q%s", key, Suggest(key, known))
	}
}

// Suggest returns "; did you mean …?" for the known word nearest to a misspelt
// one, or a list of all of them when none is near.
func Suggest(got string, known []string) string {
	sort.Strings(known)
	best, least := "", 3
	for _, k := range known {
		if len(got)-len(k) >= least || len(k)-len(got) >= least {
			continue // so a text of a megabyte costs nothing
		}
		if d := editDistance(got, k); d < least && len(got) > 1 && 2*d <= len(got)+1 {
			best, least = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	if len(known) == 0 || len(known) > 40 {
		return ""
	}
	return " (there are: " + strings.Join(known, ", ") + ")"
}

// Near reports whether a word is a known one with at most two letters wrong.
func Near(got, known string) bool { return editDistance(got, known) <= 2 }

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			next := min(row[j]+1, row[j-1]+1)
			if a[i-1] == b[j-1] {
				next = min(next, diagonal)
			} else {
				next = min(next, diagonal+1)
			}
			diagonal, row[j] = row[j], next
		}
	}
	return row[len(b)]
}
