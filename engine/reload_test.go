package engine_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/engine"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// generation is a folder whose every decision says which generation it is of.
func generation(n, merchants int) map[string]string {
	files := map[string]string{}
	for m := range merchants {
		var b strings.Builder
		for i, code := range []string{"10", "1001", "1002", "1003", "7000"} {
			fmt.Fprintf(&b, "[[rule]]\nid = \"r%d\"\nwhen = 'code == \"%s\" && attempt < %d'\nthen = \"escalate\"\nreason = \"generation %d\"\n", i, code, 2+m%5, n)
		}
		files[fmt.Sprintf("merchants/m%d.toml", m)] = b.String()
	}
	return files
}

func asked(e policy.Decider, merchant, attempt int) policy.Decision {
	p := policy.Payment{Provider: "momo", Merchant: fmt.Sprintf("m%d", merchant), Operation: policy.Pay}
	a := policy.Answer{Code: "1001"}
	return e.Decide(&policy.Situation{Payment: &p, Answer: &a, Fact: e.Judge(&p, &a), Attempt: attempt})
}

// While rules are replaced again and again, each decision is wholly of one generation, never of an older one than
// the reader has seen, and a decider of one payment stays with its own.
func TestReloadWhileReadersDecide(t *testing.T) {
	const merchants = 40
	dir := testkit.Dir(t, generation(0, merchants))
	e, err := engine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := e.For(&policy.Payment{Provider: "momo", Merchant: "m3", Operation: policy.Pay})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for reader := range 2 {
		wg.Go(func() {
			newest := 0
			for i := reader; ctx.Err() == nil; i++ {
				m, n := i%merchants, 0
				d := asked(e, m, 1)
				if _, err := fmt.Sscanf(d.Reason, "generation %d", &n); err != nil || d.Rule != "r1" || n < newest || !strings.HasSuffix(d.Source, fmt.Sprintf("m%d.toml:6", m)) {
					t.Errorf("merchant %d: %+v after generation %d", m, d, newest)
					return
				}
				newest = n
				if d := asked(e, m, 2+m%5); strings.HasPrefix(d.Reason, "generation") {
					t.Errorf("merchant %d: a limit of another merchant counts: %+v", m, d)
					return
				}
			}
		})
	}
	last := testkit.Size(4, 10, 60)
	for n := 1; n <= last; n++ {
		testkit.Write(t, dir, generation(n, merchants))
		if err := e.Reload(); err != nil {
			t.Fatal(err)
		}
		if d := asked(e, 7, 1); d.Reason != fmt.Sprint("generation ", n) {
			t.Errorf("after the reload decides %+v, want generation %d", d, n)
		}
	}
	stop()
	wg.Wait()
	if d := asked(kept, 3, 1); d.Reason != "generation 0" {
		t.Errorf("a decider of one payment has changed its rules: %+v", d)
	}
}

// Broken files leave the old rules deciding, whatever is broken, and every mistake is reported.
func TestBrokenRulesLeaveTheOldOnesDeciding(t *testing.T) {
	for name, broken := range map[string]map[string]string{
		"a name":        {"merchants/m0.toml": "[[rule]]\nid = 'a'\nwhen = 'amuont > 1'\nthen = 'escalate'\n[[rule]]\nid = 'b'\nwhen = 'code == \"nocode\"'\nthen = 'escalate'\n"},
		"no TOML":       {"baseline.toml": "[[rule\n", "momo.toml": "[[rule\n"},
		"a catalogue":   {"providers/fifth.toml": "name = 'fifth'\n[[code]]\n", "merchants/m1.toml": "merchant = 7\n"},
		"half a file":   {"merchants/m0.toml": generation(1, 1)["merchants/m0.toml"][:95], "merchants/m2.toml": "when"},
		"a wrong layer": {"opi.toml": "disable = ['closed']\n", "merchants/m4.toml": "timezone = 'Nowhere'\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := testkit.Dir(t, generation(0, 5))
			e, err := engine.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			before := e.Digest()
			testkit.Write(t, dir, broken)
			err = e.Reload()
			var mistakes policy.Mistakes
			if !errors.As(err, &mistakes) || len(mistakes) < 2 {
				t.Errorf("the mistakes are %v, want at least two", err)
			}
			if d := asked(e, 0, 1); d.Reason != "generation 0" || e.Digest() != before {
				t.Errorf("now decides %+v of %s", d, e.Digest())
			}
			for file := range broken {
				if err := os.Remove(filepath.Join(dir, filepath.FromSlash(file))); err != nil {
					t.Fatal(err)
				}
			}
			testkit.Write(t, dir, generation(1, 5))
			if err := e.Reload(); err != nil || asked(e, 0, 1).Reason != "generation 1" || e.Digest() == before {
				t.Errorf("mended, it says %v", err)
			}
		})
	}
}

// A folder that is gone is an error, and no reason to decide by the defaults.
func TestAFolderThatIsGoneChangesNothing(t *testing.T) {
	dir := testkit.Dir(t, generation(0, 1))
	e, err := engine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := e.Reload(); err == nil {
		t.Error("nothing is said")
	}
	if d := asked(e, 0, 1); d.Reason != "generation 0" {
		t.Errorf("now decides %+v", d)
	}
}

// Watch takes up changes, reports mistakes once, and waits for a change to be over.
func TestWatchTakesUpChanges(t *testing.T) {
	dir := testkit.Dir(t, generation(0, 3))
	e, err := engine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	reports, ended := make(chan error, 100), make(chan error, 1)
	go func() { ended <- e.Watch(ctx, time.Tick(2*time.Millisecond), func(err error) { reports <- err }) }()
	next := func() error {
		t.Helper()
		select {
		case err := <-reports:
			return err
		case <-time.After(time.Minute):
			t.Fatal("no reload within a minute")
			return nil
		}
	}
	for n := 1; n <= 3; n++ {
		testkit.Write(t, dir, generation(n*1000, 3)) // of another length each, so that a coarse clock of the disk hides no change
		for m := range 3 {                           // a reload may have come between two files
			for asked(e, m, 1).Reason != fmt.Sprint("generation ", n*1000) {
				if err := next(); err != nil && !errors.As(err, new(policy.Mistakes)) {
					t.Fatal(err)
				}
			}
		}
		testkit.Write(t, dir, map[string]string{"merchants/m1.toml": strings.Repeat("#", n) + "\nmerchant = 7\n"})
		var refused policy.Mistakes
		for !errors.As(next(), &refused) {
			continue // the rest of the change before
		}
		if d := asked(e, 1, 1); d.Reason != fmt.Sprint("generation ", n*1000) {
			t.Errorf("after a mistake decides %+v", d)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
	none := make(chan time.Time)
	close(none)
	if err := e.Watch(t.Context(), none, nil); err != nil {
		t.Errorf("when the ticks end, it says %v", err)
	}
}

// The digest is that of what decides, not of where it stands.
func TestDigestStandsForTheRules(t *testing.T) {
	var digests []string
	for _, files := range []map[string]string{generation(0, 3), generation(0, 3), generation(1, 3), {"providers/fifth.toml": "name = 'fifth'\noperations = ['pay']\n"}, nil} {
		dir := ""
		if files != nil {
			dir = testkit.Dir(t, files)
		}
		e, err := engine.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, e.Digest())
	}
	if digests[0] != digests[1] || digests[0] == digests[2] || digests[3] == digests[4] || digests[0] == digests[4] || !strings.HasPrefix(digests[4], "sha256:") {
		t.Errorf("the digests are %q", digests)
	}
}
