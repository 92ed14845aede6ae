package ruletest

import (
	"encoding"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/source"
	"github.com/recourse-pay/recourse/policy"
)

// unknown reports a name that does not exist, and suggests a similar one.
func (r *reader) unknown(pos source.Pos, kind, got string, known []string) {
	known = slices.DeleteFunc(slices.Clone(known), func(k string) bool { return k == "" })
	slices.Sort(known)
	r.fail(pos, "unknown %s %q%s", kind, got, source.Suggest(got, slices.Compact(known)))
}

// text reads a string, or a whole number as one.
func (r *reader) text(f fields, key string) string {
	v, ok := f[key]
	if !ok {
		return ""
	}
	s, ok := v.Scalar()
	if !ok {
		r.fail(v.Pos(), "%s is %s; it must be a string", key, v.Kind())
	}
	return s
}

// word reads one of a closed set of words.
func (r *reader) word(f fields, key string, w encoding.TextUnmarshaler) {
	if v, ok := f[key]; ok {
		r.wordAt(v.Pos(), r.text(f, key), w)
	}
}

func (r *reader) wordAt(pos source.Pos, text string, w encoding.TextUnmarshaler) bool {
	err := w.UnmarshalText([]byte(text))
	var no *policy.WordError
	if errors.As(err, &no) {
		r.unknown(pos, no.Kind, no.Got, no.Known)
	}
	return err == nil
}

func (r *reader) count(f fields, key string) int64 {
	v, ok := f[key]
	if !ok {
		return 0
	}
	n, ok := v.Any().(int64)
	if !ok || n < 0 {
		r.fail(v.Pos(), "%s must be a whole number from 0 up", key)
		return 0
	}
	return n
}

func (r *reader) yes(f fields, key string) bool {
	v, ok := f[key]
	if !ok {
		return false
	}
	b, ok := v.Any().(bool)
	if !ok {
		r.fail(v.Pos(), "%s is %s; it must be true or false", key, v.Kind())
	}
	return b
}

func (r *reader) duration(f fields, key string) time.Duration {
	v, ok := f[key]
	if !ok {
		return 0
	}
	s, _ := v.Any().(string)
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		r.fail(v.Pos(), `%s must be a duration such as "90s", "15m", "24h"`, key)
		return 0
	}
	return d
}

// pairs reads a table of texts or numbers.
func (r *reader) pairs(f fields, key string, each func(name string, value any) bool) {
	v, ok := f[key]
	if !ok {
		return
	}
	m, ok := v.Any().(map[string]any)
	if !ok {
		r.fail(v.Pos(), "%s is %s; it must be a table", key, v.Kind())
		return
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !each(name, m[name]) {
			return
		}
	}
}

// epoch is the Monday noon at which tests take place that do not say when.
var epoch = [...]int{2026, 1, 5, 12}

// moment reads a time: "2026-01-09T18:30:00+07:00", "18:30" or "friday 18:30", the latter two in
// the merchant's timezone.
func (r *reader) moment(f fields, zone *time.Location) time.Time {
	monday := time.Date(epoch[0], time.Month(epoch[1]), epoch[2], epoch[3], 0, 0, 0, zone)
	v, ok := f["at"]
	if !ok {
		return monday
	}
	if t, ok := v.Any().(time.Time); ok {
		return t
	}
	text, _ := v.Any().(string)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t
	}
	if t, err := time.ParseInLocation("15:04", text, zone); err == nil {
		return clock(monday, t)
	}
	for day := range 7 {
		then := monday.AddDate(0, 0, day)
		rest, named := strings.CutPrefix(strings.ToLower(text), strings.ToLower(then.Weekday().String())+" ")
		if t, err := time.ParseInLocation("15:04", rest, zone); named && err == nil {
			return clock(then, t)
		}
	}
	r.fail(v.Pos(), `at must be a time such as "18:30", "friday 18:30" or "2026-01-09T18:30:00+07:00"`)
	return monday
}

func clock(day, t time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), t.Hour(), t.Minute(), 0, 0, day.Location())
}
