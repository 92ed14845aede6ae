//go:build slow && !race

package promela_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/promela"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
	"github.com/recourse-pay/recourse/policy"
)

// checker is what verify finds broken.
func checker(t *testing.T, e *ruleset.Engine, p policy.Payment, distrust bool) verdict {
	t.Helper()
	r, err := verify.Run(context.Background(), e, &verify.Options{
		Providers: []string{p.Provider}, Operations: []policy.Operation{p.Operation}, Merchants: []string{p.Merchant}, DistrustInferred: distrust,
	})
	if err != nil {
		t.Fatal(err)
	}
	v := verdict{}
	for i := range r.Products {
		if why := r.Products[i].Unfinished; why != "" {
			t.Fatalf("%+v: %s", p, why)
		}
		for _, f := range r.Products[i].Violations {
			found := string(f.Property)
			if found == "S5" {
				found += " " + f.Source
			}
			v[found] = true
		}
	}
	return v
}

// Each merchant of verify's own tests.
func TestSpinAgreesOnMutationMerchants(t *testing.T) {
	mill, err := os.ReadFile("../verify/testdata/mutation/providers/mill.toml")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"providers/mill.toml": string(mill)}
	merchants, err := filepath.Glob("../verify/testdata/mutation/merchants/*.toml")
	if err != nil || len(merchants) == 0 {
		t.Fatal("no merchants", err)
	}
	var payments []policy.Payment
	for _, f := range merchants {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		files["merchants/"+filepath.Base(f)] = string(text)
		payments = append(payments, policy.Payment{Provider: "mill", Merchant: strings.TrimSuffix(filepath.Base(f), ".toml"), Operation: policy.Pay, Amount: 120_000, Currency: "VND"})
	}
	e, err := ruleset.Open(testkit.Dir(t, files))
	if err != nil {
		t.Fatal(err)
	}
	var worlds []*promela.World
	for _, p := range payments {
		w, err := promela.NewWorld(e, p, false)
		if err != nil {
			t.Fatal(err)
		}
		worlds = append(worlds, w)
	}
	compare(t, e, nil, worlds, payments, nil)
}

// compare holds the verdicts of Spin and verify about each payment against each other.
func compare(t *testing.T, e *ruleset.Engine, flags []string, worlds []*promela.World, payments []policy.Payment, distrust []bool) {
	t.Helper()
	p := build(t, flags, worlds)
	whole, broken, rules := 0, 0, 0
	var mu sync.Mutex
	next := make(chan int)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for i := range next {
				began := time.Now()
				got, states, all := p.search(t, i, 2, mostTime)
				took := time.Since(began)
				want := checker(t, e, payments[i], distrust != nil && distrust[i])
				mu.Lock()
				t.Logf("%s: %d states, %v, whole %v: Spin [%v], verify [%v]", payments[i].Merchant, states, took.Round(time.Millisecond), all, got, want)
				if !all && got.properties() != want.properties() {
					t.Logf("%s: given up", payments[i].Merchant)
				} else {
					whole++
					if len(got) > 0 {
						broken++
					}
					if fmt.Sprint(got) == fmt.Sprint(want) {
						rules++
					}
					if got.properties() != want.properties() {
						t.Errorf("%s: Spin finds [%v], verify [%v]", payments[i].Merchant, got, want)
					}
				}
				mu.Unlock()
			}
		})
	}
	for i := range worlds {
		next <- i
	}
	close(next)
	wait.Wait()
	t.Logf("%d of %d rule sets compared, %d of them broken; in %d the same rules are blamed", whole, len(worlds), broken, rules)
}

// mostTime is how long one world is searched at most.
const mostTime = 20 * time.Second
