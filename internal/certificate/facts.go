package certificate

import (
	"fmt"
	"strings"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Facts is what a catalogue says about the answers of an operation.
func Facts(c *providers.Catalog, op policy.Operation) []string {
	all := []string{}
	for _, r := range append(c.Codes[:len(c.Codes):len(c.Codes)], c.Statuses...) {
		for _, f := range r.Facts {
			if f.Operation == op {
				all = append(all, fmt.Sprintf("%s%s %s%s%s: %s %s %s %s, %s", f.Phase, captured(f.Capture), r.Code, r.Status, r.SubStatus, f.Effect, f.Class, f.Stage, f.Reach, f.Basis))
			}
		}
	}
	return all
}

// captured names the captures of a payment for which a fact holds.
func captured(modes []policy.CaptureMode) string {
	var b strings.Builder
	for _, m := range modes {
		fmt.Fprintf(&b, " %s", m)
	}
	return b.String()
}
