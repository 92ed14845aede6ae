package imports

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/internal/source"
)

// Mapping says what the fields of foreign rows mean. docs/import.md describes the file.
type Mapping struct {
	Format   string // "csv" or "jsonl"; empty: as the file looks
	Encoding string // empty: as the file looks
	Table    traffic.Table

	layout             string // of times
	zone               *time.Location
	unit               string // of amounts: minor, major or provider
	decimal, thousands string
	fields             map[string]string            // of a line, to columns
	set                map[string]string            // of a line, to fixed values
	values             map[string]map[string]string // of a line, the file's words to ours
	call               map[string]place             // merchant and payment_key of HTTP calls
}

// place is where an HTTP request carries a value.
type place struct{ part, name string }

// rowKeys are the fields that a mapping may fill. Those of an HTTP call come with url; the others are keys of a recording.
var (
	lineKeys = []string{
		"flow", "at", "phase", "merchant", "provider", "operation", "payment_key", "order_id", "request_id", "provider_id", "amount", "currency",
		"capture", "verified", "latency_ms", "fault", "http_status", "code", "sub_code", "status", "sub_status", "message", "body", "outcome",
	}
	callKeys = []string{
		"at", "latency_ms", "method", "url", "request_headers", "request_body", "http_status", "response_headers", "response_body", "fault", "merchant", "payment_key",
	}
)

// ReadMapping reads a mapping. Mistakes are returned all at once, each with FILE:LINE:COLUMN.
func ReadMapping(file string, data []byte) (*Mapping, error) {
	doc, err := source.Parse(file, data)
	if err != nil {
		return nil, err
	}
	r := mappingReader{m: &Mapping{layout: "rfc3339", zone: time.UTC, unit: "minor", call: map[string]place{}, values: map[string]map[string]string{}}}
	root := doc.Root()
	r.input(root)
	r.times(root)
	r.amounts(root)
	r.fields(root)
	r.calls(root)
	root.Done(&r.errs)
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	return r.m, nil
}

type mappingReader struct {
	m    *Mapping
	errs source.List
}

func (r *mappingReader) table(root source.Table, name string, read func(source.Table)) {
	if !root.Has(name) {
		return
	}
	if t, ok := root.Table(&r.errs, name); ok {
		read(t)
		t.Done(&r.errs)
	}
}

// word reads one of some words.
func (r *mappingReader) word(t source.Table, key string, into *string, allowed ...string) {
	if !t.Has(key) {
		return
	}
	if *into = t.String(&r.errs, key); !slices.Contains(allowed, *into) {
		r.errs.Add(t.ValuePos(key), "%s is %q; it must be one of %s", key, *into, strings.Join(allowed, ", "))
	}
}

func (r *mappingReader) input(root source.Table) {
	r.table(root, "input", func(t source.Table) {
		r.word(t, "format", &r.m.Format, "csv", "jsonl")
		r.word(t, "encoding", &r.m.Encoding, traffic.Encodings...)
		if t.Has("separator") {
			s := t.String(&r.errs, "separator")
			first, size := utf8.DecodeRuneInString(s)
			if size != len(s) || size == 0 || strings.ContainsAny(s, "\"\r\n") {
				r.errs.Add(t.ValuePos("separator"), `separator is %q; it must be one character, such as ";"`, s)
			}
			r.m.Table.Separator = first
		}
		if t.Has("header") {
			r.m.Table.Header = t.Strings(&r.errs, "header")
		}
	})
}

func (r *mappingReader) times(root source.Table) {
	r.table(root, "time", func(t source.Table) {
		if t.Has("layout") {
			r.m.layout = t.String(&r.errs, "layout")
			if named := []string{"rfc3339", "unix", "unix_ms", "unix_us"}; !slices.Contains(named, r.m.layout) && !strings.Contains(r.m.layout, "2006") && !strings.Contains(r.m.layout, "06") {
				r.errs.Add(t.ValuePos("layout"), `layout is %q; it must be one of %s, or Go's reference time as the file would write it, such as "2006-01-02 15:04:05"`, r.m.layout, strings.Join(named, ", "))
			}
		}
		if t.Has("zone") {
			zone, err := time.LoadLocation(t.String(&r.errs, "zone"))
			if err != nil || zone == time.Local { //nolint:gosmopolitan // the machine's own zone is refused
				r.errs.Add(t.ValuePos("zone"), `zone is no timezone, such as "Asia/Taipei"`)
				return
			}
			r.m.zone = zone
		}
	})
}

func (r *mappingReader) amounts(root source.Table) {
	r.table(root, "amount", func(t source.Table) {
		r.word(t, "unit", &r.m.unit, "minor", "major")
		r.word(t, "decimal", &r.m.decimal, ".", ",")
		r.word(t, "thousands", &r.m.thousands, ".", ",", " ", "'", "_")
		if r.m.decimal != "" && r.m.decimal == r.m.thousands {
			r.errs.Add(t.ValuePos("thousands"), "thousands is what decimal is: a number could be read in two ways")
		}
	})
}

func (r *mappingReader) fields(root source.Table) {
	allowed := append(slices.Clone(lineKeys), callKeys...)
	slices.Sort(allowed)
	allowed = slices.Compact(allowed)
	texts := func(t source.Table, keys []string) map[string]string {
		all := map[string]string{}
		for _, key := range t.Keys() {
			if slices.Contains(keys, key) {
				all[key] = t.String(&r.errs, key)
			}
		}
		return all
	}
	known := func(t source.Table) {
		for _, key := range t.Keys() {
			if !slices.Contains(allowed, key) {
				r.errs.Add(t.KeyPos(key), "%q is no field of a line or a call%s", key, source.Suggest(key, allowed))
				_, _ = t.Value(key)
			}
		}
	}
	r.table(root, "fields", func(t source.Table) { known(t); r.m.fields = texts(t, allowed) })
	r.table(root, "set", func(t source.Table) { known(t); r.m.set = texts(t, allowed) })
	r.table(root, "values", func(t source.Table) {
		known(t)
		for _, key := range t.Keys() {
			r.table(t, key, func(words source.Table) { r.m.values[key] = texts(words, words.Keys()) })
		}
	})
	for _, key := range slices.Sorted(maps.Keys(r.m.fields)) {
		r.m.Table.Names = append(r.m.Table.Names, r.m.fields[key])
		if _, twice := r.m.set[key]; twice {
			r.errs.Add(source.Pos{File: root.Pos().File}, "%s stands in [fields] and in [set]", key)
		}
	}
}

func (r *mappingReader) calls(root source.Table) {
	r.table(root, "call", func(t source.Table) {
		for _, key := range []string{"merchant", "payment_key"} {
			if !t.Has(key) {
				continue
			}
			text := t.String(&r.errs, key)
			part, name, ok := strings.Cut(text, ":")
			if !ok || name == "" || !slices.Contains([]string{"body", "header", "query"}, part) {
				r.errs.Add(t.ValuePos(key), "%s is %q; it must be body:PATH, header:NAME or query:NAME", key, text)
			}
			r.m.call[key] = place{part, name}
		}
	})
}

// isCall reports whether rows are HTTP calls.
func (m *Mapping) isCall() bool { return m.fields["url"] != "" || m.set["url"] != "" }

// HasRows reports whether the mapping says anything about rows.
func (m *Mapping) HasRows() bool { return len(m.fields) > 0 }

// time reads a time of a row.
func (m *Mapping) time(text string) (time.Time, error) {
	switch m.layout {
	case "rfc3339":
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return at, fmt.Errorf("%q is no RFC 3339 time; [time] layout says how times are written", short(text))
		}
		return at.UTC(), nil
	case "unix", "unix_ms", "unix_us":
		seconds, fraction, err := decimalNumber(text)
		if err != nil {
			return time.Time{}, err
		}
		unit := map[string]time.Duration{"unix": time.Second, "unix_ms": time.Millisecond, "unix_us": time.Microsecond}[m.layout]
		if seconds < 0 || seconds > int64(4e9)*int64(time.Second/unit) {
			return time.Time{}, fmt.Errorf("%q is no time of this kind", short(text))
		}
		return time.UnixMicro(seconds * int64(unit/time.Microsecond)).Add(time.Duration(fraction * float64(unit))).UTC(), nil
	}
	at, err := time.ParseInLocation(m.layout, text, m.zone)
	if err != nil {
		return at, fmt.Errorf("%q is no time as the layout %q has it", short(text), m.layout)
	}
	name, _ := at.Zone()
	known := name == "" || at.Location() == m.zone || at.Location() == time.UTC || strings.HasPrefix(name, "GMT")
	if !known && !strings.Contains(m.layout, "07") { // of a name that it does not know the parser makes a zone without an offset
		return at, fmt.Errorf("%q has the zone %s, which is none of %s's; [time] zone says which one is meant", short(text), name, m.zone)
	}
	return at.UTC(), nil
}

func short(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
