package space

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/recourse-pay/recourse/internal/region"
)

// Show writes some values of a dimension for people: "unknown or pending", "2 to 4", "not 40".
func (s *Space) Show(d region.Dim, set region.Set) string {
	switch set := set.(type) {
	case region.Words:
		var names []string
		for i, w := range s.Words(d) {
			if set.Has(i) {
				if w == "" {
					w = "none"
				}
				names = append(names, w)
			}
		}
		if rest := s.without(d, set).(region.Words); len(names) > 4 && rest.Len() < set.Len() {
			return "not " + s.Show(d, rest)
		}
		return list(names)
	case region.Texts:
		names := make([]string, len(set.List))
		for i, t := range set.List {
			names[i] = t
			if t == "" {
				names[i] = "none"
			}
		}
		switch {
		case set.Except && len(names) > 6:
			return fmt.Sprintf("none of %d listed ones", len(names))
		case set.Except:
			return "not " + list(names)
		}
		return list(names)
	case region.Ints:
		var parts []string
		for _, span := range set {
			parts = append(parts, s.span(d, span))
		}
		return list(parts)
	}
	return "anything"
}

func (s *Space) span(d region.Dim, span region.Span) string {
	full := s.Full(d).(region.Ints)[0]
	show := func(v int64) string {
		if s.KindOf(d) == Duration {
			return time.Duration(v).String()
		}
		return strconv.FormatInt(v, 10)
	}
	const ms = int64(time.Millisecond)
	switch fine := s.KindOf(d) == Duration; {
	case fine && span.Hi == full.Hi && span.Lo%ms == 1:
		return "more than " + show(span.Lo-1)
	case fine && span.Lo == full.Lo && span.Hi%ms == ms-1:
		return "less than " + show(span.Hi+1)
	}
	switch {
	case span.Lo == span.Hi:
		return show(span.Lo)
	case span.Hi == full.Hi && full.Hi == math.MaxInt64:
		return show(span.Lo) + " or more"
	case span.Lo == full.Lo:
		return "at most " + show(span.Hi)
	}
	return show(span.Lo) + " to " + show(span.Hi)
}

func list(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" … (%d)", len(names))
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Describe writes a box for people, one "name value" for each dimension that it limits.
func (s *Space) Describe(b region.Box, leave ...region.Dim) []string {
	var out []string
	for _, l := range b {
		left := false
		for _, d := range leave {
			left = left || l.Dim == d
		}
		if left {
			continue
		}
		name := s.Name(l.Dim)
		if rule := s.dims[l.Dim].rule; rule != "" {
			name = "fired of " + rule
		}
		if s.IsOpaque(l.Dim) {
			name = "`" + name + "`"
		}
		out = append(out, name+" "+s.Show(l.Dim, l.Set))
	}
	return out
}

// Range writes everything that a dimension can hold.
func (s *Space) Range(d region.Dim) string { return s.Show(d, s.Full(d)) }

// Dim is the dimension of a variable in a rule's condition.
func (s *Space) Dim(name, rule string) (region.Dim, bool) {
	if name == "fired" {
		d, ok := s.byName["fired\x00"+rule]
		return d, ok
	}
	d, ok := s.byName[name]
	return d, ok
}
