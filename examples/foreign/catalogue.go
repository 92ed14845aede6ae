package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// catalogue writes the connector's codes with their facts. It leaves out what a retry table
// does not have: the contract, the place of a code in a body, and paths.
func (b *connectorTable) catalogue(o options) []byte {
	var w strings.Builder
	fmt.Fprintf(&w, "# Made from %s by examples/foreign. A code proves what the facts say of it; else nothing.\n", filepath.Base(o.table))
	fmt.Fprintf(&w, "name       = %s\noperations = [%s]\n", quote(b.connector), b.operations(b.flows))
	w.WriteString("\n[contract]                          # nothing is known: nothing dedupes, nothing can be asked\n")
	for _, code := range b.codes {
		fmt.Fprintf(&w, "\n[[code]]\ncode        = %s\n", quote(code))
		if first := b.first(code); first != nil {
			fmt.Fprintf(&w, "description = %s\n", quote(first.message))
		}
		w.WriteString("facts       = [\n")
		for _, g := range b.groups(code) {
			fmt.Fprintf(&w, "  { operation = [%s], phase = \"send\", %s },\n", b.operations(g.flows), g.fact.toml())
		}
		w.WriteString("]\n")
	}
	return []byte(w.String())
}

func (b *connectorTable) operations(of []string) string {
	names := make([]string, len(of))
	for i, f := range of {
		names[i] = quote(flows[f].String())
	}
	return strings.Join(names, ", ")
}

// first returns the first row that names a code.
func (b *connectorTable) first(code string) *row {
	for _, r := range b.rows {
		if r.code == code {
			return r
		}
	}
	return nil
}

// group holds the flows in which a code proves the same.
type group struct {
	fact  *fact // nil: nothing
	flows []string
}

func (b *connectorTable) groups(code string) []*group {
	var all []*group
	for _, flow := range b.flows {
		f := b.facts.of(b.connector, code, flow)
		if n := len(all); n > 0 && all[n-1].fact == f {
			all[n-1].flows = append(all[n-1].flows, flow)
			continue
		}
		all = append(all, &group{f, []string{flow}})
	}
	return all
}

// toml returns a fact as TOML of a catalogue. Its only source is its author, so its basis is
// inferred, and `verify --distrust inferred` ignores it.
func (f *fact) toml() string {
	if f == nil {
		f = &fact{effect: policy.Unknown, stage: policy.Result, because: "the table says nothing of what happened"}
	}
	return fmt.Sprintf("effect = %s, class = %s, stage = %s, basis = \"inferred\", because = %s",
		quote(f.effect.String()), quote(f.class.String()), quote(f.stage.String()), quote(f.because))
}

// quote writes a text as a TOML string, as a literal one where that is easier to read.
func quote(s string) string {
	plain := func(r rune) bool { return r >= ' ' && r != 0x7f && r != '\ufffd' }
	if strings.Contains(s, `"`) && !strings.Contains(s, "'") && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return "'" + s + "'"
	}
	var w strings.Builder
	w.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.WriteRune('\\')
			w.WriteRune(r)
		case !plain(r):
			fmt.Fprintf(&w, `\u%04X`, r)
		default:
			w.WriteRune(r)
		}
	}
	w.WriteByte('"')
	return w.String()
}

// inner writes a text as a string of a condition.
func inner(s string) string { return strconv.Quote(s) }
