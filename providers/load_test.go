package providers

import "testing"

func TestBuiltin(t *testing.T) {
	cs, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range cs.Names() {
		c, _ := cs.Get(n)
		t.Log(n, len(c.Codes), len(c.Statuses))
	}
}
