package traffic

import (
	"strings"
	"testing"
	"time"
)

// Whatever order stubs stand in, they come out in that of their calls, where anything shows it.
func TestInCallOrder(t *testing.T) {
	day := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	stub := func(name string, second, added, nth int) *Call {
		c := &Call{URL: name, added: added}
		if second > 0 {
			c.Received = day.Add(time.Duration(second) * time.Second)
		}
		if nth > 0 {
			c.scenario = scenario{"s", nth}
		}
		return c
	}
	for _, tt := range []struct {
		name  string
		calls []*Call
		files bool
		want  string // and whether it is known
	}{
		{"the last first, by dates", []*Call{stub("d", 3, 0, 0), stub("c", 3, 0, 0), stub("b", 2, 0, 0), stub("a", 2, 0, 0)}, false, "a b c d, known"},
		{"the first first", []*Call{stub("a", 2, 0, 0), stub("b", 2, 0, 0), stub("c", 3, 0, 0)}, false, "a b c, known"},
		{"the last first, by a scenario", []*Call{stub("c", 2, 0, 3), stub("b", 2, 0, 2), stub("a", 2, 0, 1)}, false, "a b c, known"},
		{"two recordings, the later one first, each in its order", []*Call{stub("d", 7, 0, 0), stub("e", 8, 0, 0), stub("f", 9, 0, 0), stub("a", 1, 0, 0), stub("b", 2, 0, 0), stub("c", 3, 0, 0)}, false, "a b c d e f, known"},
		{"no answer, in between", []*Call{stub("d", 3, 0, 0), stub("c", 0, 0, 0), stub("b", 2, 0, 0), stub("a", 0, 0, 0)}, false, "a b c d, known"},
		{"all within a second", []*Call{stub("b", 2, 0, 0), stub("a", 2, 0, 0)}, false, "b a, not known"},
		{"no dates", []*Call{stub("b", 0, 0, 0), stub("a", 0, 0, 0)}, false, "b a, not known"},
		{"files, numbered", []*Call{stub("b", 2, 7, 0), stub("c", 2, 6, 0), stub("a", 2, 8, 0)}, true, "a b c, known"},
		{"files, numbered the other way", []*Call{stub("b", 2, 7, 0), stub("c", 3, 8, 0), stub("a", 2, 6, 0)}, true, "a b c, known"},
		{"files that have no numbers", []*Call{stub("b", 2, 0, 0), stub("c", 3, 0, 0), stub("a", 2, 0, 0)}, true, "b c a, not known"},
	} {
		known := InCallOrder(tt.calls, !tt.files)
		var names []string
		for _, c := range tt.calls {
			names = append(names, c.URL)
		}
		got := strings.Join(names, " ") + ", known"
		if !known {
			got = strings.Join(names, " ") + ", not known"
		}
		if got != tt.want {
			t.Errorf("%s: %s; want %s", tt.name, got, tt.want)
		}
	}
	late := []*Call{stub("b", 9, 0, 0), stub("a", 0, 0, 0), stub("c", 5, 0, 0)}
	if InCallOrder(late, false); !late[1].Received.Equal(day.Add(5 * time.Second)) {
		t.Errorf("a stub without a date, among files in no order, is of %s", late[1].Received)
	}
}

// A collection is seen to be one though its info stands behind its items.
func TestACollectionWhoseInfoIsLast(t *testing.T) {
	for _, text := range []string{
		"{\n \"item\": [\n  {\"name\": \"x\", \"request\": \"http://x/\", \"response\": []}" + strings.Repeat(" ", headSize) + "],\n \"info\": {}}",
		"{\"item\":[{\"name\":\"x\",\"request\":\"" + strings.Repeat("x", headSize) + "\",\"response\":[]}],\"info\":{}}",
	} {
		s, err := From("a.json", strings.NewReader(text), "")
		if err != nil || s.Format.Name != "postman" {
			t.Errorf("%v, %v", s.Format, err)
		}
	}
	if s, err := From("a.jsonl", strings.NewReader("{\"item\":1}\n{\"item\":2}\n"), ""); err != nil || s.Format.Name != "jsonl" {
		t.Errorf("%v, %v", s.Format, err)
	}
}
