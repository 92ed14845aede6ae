package check

import "testing"

func TestFoldCode(t *testing.T) {
	tests := []struct {
		a, b  string
		alike bool
	}{
		{"51", "051", true},
		{"51", " 51\t", true},
		{"e051", "E-51", true},
		{"DO_NOT_HONOUR", "do not honour", true},
		{"TM-1203", "TM1203", true},
		{"-51", "51", false},     // a sign
		{"10.51", "1051", false}, // a point between digits
		{"0000", "000000", false},
		{"510", "51", false},
		{"0", "00", false},
		{"PAID", "PAIRED", false},
	}
	for _, tt := range tests {
		if got := foldCode(tt.a) == foldCode(tt.b); got != tt.alike {
			t.Errorf("%q and %q: alike %t, want %t (%q, %q)", tt.a, tt.b, got, tt.alike, foldCode(tt.a), foldCode(tt.b))
		}
	}
}
