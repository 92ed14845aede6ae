package providers_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/providers"
)

// tableRows are the rows of the providers' published tables: provider, section,
// code, documented finality, the provider's symbol.
func tableRows(t *testing.T) [][]string {
	t.Helper()
	raw, err := os.ReadFile("testdata/rows.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	rows := make([][]string, 0, len(lines))
	for _, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) != 5 {
			t.Fatalf("%q has %d fields, want 5", line, len(fields))
		}
		rows = append(rows, fields)
	}
	return rows
}

func TestEveryRowOfTheTablesIsInTheCatalogues(t *testing.T) {
	count := map[string]int{}
	for _, row := range tableRows(t) {
		provider, scope, code, final, symbol := row[0], row[1], row[2], row[3], row[4]
		count[provider]++
		found := find(catalog(t, provider), scope, code)
		switch {
		case found == nil:
			t.Errorf("%s: code %s of section %s is missing", provider, code, scope)
			continue
		case len(found.Facts) == 0:
			t.Errorf("%s: code %s of section %s proves nothing", provider, code, scope)
		}
		if found.Final.String() != final {
			t.Errorf("%s: code %s of section %s is final = %s, the table says %s", provider, code, scope, found.Final, final)
		}
		if found.Symbol != symbol {
			t.Errorf("%s: code %s of section %s has the symbol %q, the table says %q", provider, code, scope, found.Symbol, symbol)
		}
	}
	for provider, want := range map[string]int{"momo": 40, "opi": 44, "shopline": 142, "paykka": 144} {
		if count[provider] != want {
			t.Errorf("%s: %d rows in the table, want %d", provider, count[provider], want)
		}
	}
}

func find(c *providers.Catalog, scope, code string) *providers.Row {
	for _, r := range c.Codes {
		if r.Scope == scope && r.Code == code {
			return r
		}
	}
	return nil
}

// A row beyond the published tables says so by its section.
func TestRowsBeyondTheTablesAreMarked(t *testing.T) {
	published := map[string]bool{}
	for _, row := range tableRows(t) {
		published[strings.Join(row[:3], "/")] = true
	}
	for _, name := range names {
		for _, r := range catalog(t, name).Codes {
			if !published[name+"/"+r.Scope+"/"+r.Code] && r.Scope != "newer" && r.Scope != "envelope" && r.Scope != "paycools" {
				t.Errorf("%s: code %s of section %s stands in no table (%s)", name, r.Code, r.Scope, r.Source)
			}
		}
	}
}

func TestRowsExplainThemselves(t *testing.T) {
	for _, name := range names {
		c := catalog(t, name)
		for _, r := range append(append([]*providers.Row{}, c.Codes...), c.Statuses...) {
			text := r.Description
			if len(text) < 10 || !strings.HasSuffix(text, ".") || text[:1] != strings.ToUpper(text[:1]) {
				t.Errorf("%s: the description %q is no sentence", r.Source, text)
			}
			if strings.EqualFold(text, r.Symbol) {
				t.Errorf("%s: the description %q repeats the symbol", r.Source, text)
			}
			if r.Provider != name || !strings.HasPrefix(r.Source, "providers/"+name+".toml:") {
				t.Errorf("a row of %s says that it is %s's, from %s", name, r.Provider, r.Source)
			}
			for _, f := range r.Facts {
				if f.Because == "" {
					t.Errorf("%s: the fact about %s, %s has no reason", r.Source, f.Operation, f.Phase)
				}
				if !c.Offers(f.Operation) {
					t.Errorf("%s: speaks of %s, which %s does not offer", r.Source, f.Operation, name)
				}
			}
		}
	}
}

// Each row was described by itself, in words of its own.
func TestNoDescriptionServesTwoProviders(t *testing.T) {
	owner := map[string]*providers.Row{}
	for _, name := range names {
		for _, r := range catalog(t, name).Codes {
			if before := owner[r.Description]; before != nil && before.Provider != name {
				t.Errorf("%s: %q is what %s says", r.Source, r.Description, before.Source)
			}
			owner[r.Description] = r
		}
	}
}

func TestCatalogsKnowTheirProviders(t *testing.T) {
	cs, err := builtins()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(cs.Names(), " "); got != "momo opi paykka shopline stripe vnpay" {
		t.Errorf("the providers are %s", got)
	}
	_, err = cs.Get("adyen")
	var unknown *providers.UnknownProviderError
	if !errors.As(err, &unknown) || unknown.Name != "adyen" {
		t.Fatalf("an unknown provider gives %v, want an *UnknownProviderError", err)
	}
	if want := `unknown provider "adyen" (there are: momo, opi, paykka, shopline, stripe, vnpay)`; err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}
}

func TestHasCodeAndHasStatus(t *testing.T) {
	c := catalog(t, "shopline")
	tests := []struct {
		name string
		got  bool
		want bool
	}{
		{"a code of letters", c.HasCode("ACCESS_DENIED"), true},
		{"a code of another provider", c.HasCode("21000"), false},
		{"no code", c.HasCode(""), false},
		{"a status", c.HasStatus("SUCCEEDED"), true},
		{"a sub-status is no status", c.HasStatus("CAPTURED"), false},
		{"a sub-status", c.HasSubStatus("CAPTURED"), true},
		{"no sub-status", c.HasSubStatus(""), false},
		{"a sub-status that fits one with a *", catalog(t, "stripe").HasSubStatus("charge.dispute.closed"), true},
		{"one that fits a * alone", catalog(t, "stripe").HasSubStatus("charge.disputed"), false},
		{"an operation", c.Offers(onboard), true},
		{"an operation of others", catalog(t, "opi").Offers(pay), false},
		{"no sub-codes", c.SaysSubCode(pay, query), false},
		{"sub-codes", catalog(t, "opi").SaysSubCode(payout, webhook), true},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

// What a merchant gains who sends SHOPLINE's optional key.
func TestIdempotencyKeyOfThoseThatHaveOne(t *testing.T) {
	for _, name := range names {
		base := catalog(t, name).Contract(pay)
		with, ok := catalog(t, name).WithIdempotencyKey(base)
		if ok != (name == "shopline") {
			t.Errorf("%s: has a key is %v", name, ok)
		}
		// The key is documented by its name only, so it promises no window and no result.
		if name == "shopline" && (len(base.Dedupe) != 0 || with.Replay != "" || with.DedupeWindow != 0 ||
			len(with.Dedupe) != 1 || with.Webhook != base.Webhook || len(with.QueryBy) != len(base.QueryBy)) {
			t.Errorf("%s: with the key the contract is %+v, without %+v", name, with, base)
		}
	}
}
