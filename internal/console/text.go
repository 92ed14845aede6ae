package console

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/recourse-pay/recourse/internal/cards"
)

// How many characters are shown of a text. The JSON form has all of it.
const (
	longestName = 120
	longestText = 2000
	mostMarks   = 4 // of accents on one letter: more of them would be drawn over the lines above and below
)

// blanks are letters and signs without a look.
const blanks = "\u115f\u1160\u2800\u3164\uffa0"

// functions are those of the templates.
func functions() template.FuncMap {
	return template.FuncMap{
		"name":  func(s string) string { return shown(s, longestName) },
		"text":  func(s string) string { return shown(cards.Mask(s), longestText) },
		"line":  line,
		"age":   age,
		"at":    func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"words": func(s string) string { return strings.ReplaceAll(s, "_", " ") },
		"count": grouped,
		"row":   func(now time.Time, v any) row { return row{now, v} },
	}
}

// row is a part of a page, which needs to know the time.
type row struct {
	Now  time.Time
	Line any
}

// grouped is a number with its thousands apart.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// shown is a text as a page shows it. What has no look of its own, or changes how its neighbours look, is written as its number:
// a name must not pass for another, nor reorder the line that it stands in. A long one is cut, and its length said.
func shown(s string, longest int) string {
	var b strings.Builder
	n, marks := 0, 0
	for i, c := range s {
		if n++; n > longest {
			fmt.Fprintf(&b, "… (%d bytes in all)", len(s))
			return b.String()
		}
		if unicode.In(c, unicode.Mn, unicode.Me) {
			marks++
		} else {
			marks = 0
		}
		switch _, size := utf8.DecodeRuneInString(s[i:]); {
		case c == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case c == ' ':
			b.WriteRune(c)
		case !unicode.IsPrint(c), marks > mostMarks, strings.ContainsRune(blanks, c):
			fmt.Fprintf(&b, `\u{%x}`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// line is a line of a story, without card numbers. An id of the flow that looks like one stays: it must be found at the
// provider.
func line(s string, ids []string) string {
	var like []string
	for _, id := range ids {
		if cards.Mask(id) != id {
			like = append(like, id)
		}
	}
	var b strings.Builder
	for {
		at, found := len(s), ""
		for _, id := range like {
			if i := strings.Index(s, id); i >= 0 && (i < at || i == at && len(id) > len(found)) {
				at, found = i, id
			}
		}
		b.WriteString(cards.Mask(s[:at]))
		if found == "" {
			return shown(b.String(), longestText)
		}
		b.WriteString(found)
		s = s[at+len(found):]
	}
}

// age is how long ago a time was, as coarse as a person reads it.
func age(now, at time.Time) string {
	d := now.Sub(at)
	switch {
	case at.IsZero():
		return "not known"
	case d < 0:
		return "in " + age(at, now)
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case d >= time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	case d >= time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}
