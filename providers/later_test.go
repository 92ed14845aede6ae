package providers_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/providers"
)

// An embedded catalogue is found by its file's name before it is read, so it has to have that name. A mistake
// in one would show only when it is asked for.
func TestEmbeddedCataloguesAreReadAndNamedAsTheirFiles(t *testing.T) {
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if len(cs.Names()) < 6 {
		t.Errorf("there are %q", cs.Names())
	}
	for _, name := range cs.Names() {
		if c, err := cs.Get(name); err != nil || c.Name != name || !cs.Has(name) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}

// What a function returns later is what was known when it was made.
func TestLaterIsAsItWas(t *testing.T) {
	cs, err := providers.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	before, missing := cs.Later("momo"), cs.Later("fifth")
	const more = "name = \"momo\"\noperations = [\"pay\"]\n"
	if err := cs.Add("momo.toml", []byte(more)); err != nil {
		t.Fatal(err)
	}
	if err := cs.Add("fifth.toml", []byte(strings.Replace(more, "momo", "fifth", 1))); err != nil {
		t.Fatal(err)
	}
	after, err := cs.Get("momo")
	if err != nil {
		t.Fatal(err)
	}
	if was, err := before(); err != nil || len(was.Operations) < 2 || len(after.Operations) != 1 {
		t.Errorf("before the addition it was %v (%v), after it %v", was.Operations, err, after.Operations)
	}
	var unknown *providers.UnknownProviderError
	if _, err := missing(); !errors.As(err, &unknown) || unknown.Name != "fifth" || cs.Has("sixth") || !cs.Has("fifth") {
		t.Errorf("of a provider that came later it says %v", err)
	}
	other, err := providers.Builtin()
	if err != nil || other.Has("fifth") {
		t.Errorf("an addition reaches another list (%v)", err)
	}
}
