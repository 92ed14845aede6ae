package engine

import (
	"maps"
	"os"
	"testing"

	"pgregory.net/rapid"
)

func TestRandomRulesDecideLikeTheTwin(t *testing.T) {
	under := t.TempDir()
	defaults := alone(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		g := grammar{t: t}
		files := g.folder(maps.Clone(defaults))
		dir, err := os.MkdirTemp(under, "rules")
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer os.RemoveAll(dir)
		write(t, dir, files)
		e := open(t, dir)
		tw := newTwin(t, e)
		from := drawnFrom(e)
		for range 15 {
			agree(t, e, tw, from.situation(t))
		}
	})
}
