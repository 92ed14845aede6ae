package certificate

import (
	"fmt"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// Facts is what a catalogue says about the answers of an operation.
func Facts(c *providers.Catalog, op policy.Operation) []string {
	all := []string{}
	for _, r := range append(c.Codes[:len(c.Codes):len(c.Codes)], c.Statuses...) {
		for _, f := range r.Facts {
			if f.Operation == op {
				all = append(all, fmt.Sprintf("%s %s %s%s%s: %s %s %s %s, %s", f.Phase, f.Only(), r.Code, r.Status, r.SubStatus, f.Effect, f.Class, f.Stage, f.Reach, f.Basis))
			}
		}
	}
	return all
}
