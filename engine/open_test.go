package engine

import "testing"

func TestDefaultsCompile(t *testing.T) {
	e, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Warnings) > 0 {
		t.Error(e.Warnings)
	}
}
