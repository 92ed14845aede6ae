package providers

import "testing"

// A * stands for any text, and every other sign for itself: what reads a pattern otherwise, as a shell does, reads other rows.
func TestFits(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true}, {"*", "a/b", true}, {"A*", "A", true}, {"A*", "AB", true}, {"A*", "BA", false},
		{"*+DONE", "A+DONE", true}, {"*+DONE", "DONE", false}, {"A*A", "A", false}, {"A*A", "AA", true}, {"A*B*C", "AxByC", true}, {"A*B*C", "AxC", false},
		{"A", "A", true}, {"A", "AB", false}, {"", "", true}, {"", "A", false},
		{"H[0-9]*", "H5", false}, {"H[0-9]*", "H[0-9]x", true}, {"H?*", "HA", false}, {"H?*", "H?", true}, {`x\*`, "x*", false}, {`x\*`, `x\y`, true}, {"[*", "[a", true},
	} {
		if got := fits(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q fits %q: %v, want %v", tt.text, tt.pattern, got, tt.want)
		}
	}
}
