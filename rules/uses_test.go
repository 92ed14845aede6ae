package rules_test

import (
	"slices"
	"strings"
	"testing"
)

func TestProvidersOfAMerchant(t *testing.T) {
	set := flawless(t, map[string]string{
		"merchants/acme.toml":  "[merchant]\nproviders = ['momo', 'opi']\n",
		"merchants/named.toml": "[merchant]\nname = 'named'\nproviders = 'momo'\n",
		"merchants/plain.toml": "merchant = 'plain'\n",
	})
	if got := set.Merchants["acme"].Providers; !slices.Equal(got, []string{"momo", "opi"}) {
		t.Errorf("the file lists %v", got)
	}
	for _, tt := range []struct {
		merchant, provider string
		want               bool
	}{
		{"acme", "momo", true}, {"acme", "opi", true}, {"acme", "paykka", false}, {"acme", "", false},
		{"named", "momo", true}, {"named", "opi", false},
		{"plain", "opi", true}, {"no-file", "opi", true}, {"", "opi", true},
	} {
		if got := set.Uses(tt.merchant, tt.provider); got != tt.want {
			t.Errorf("%q uses %q: %v, want %v", tt.merchant, tt.provider, got, tt.want)
		}
	}
}

func TestMistakesInProvidersOfAMerchant(t *testing.T) {
	for _, tt := range []struct{ file, toml, want string }{
		{"merchants/acme.toml", "[merchant]\nproviders = []\n", "2:13: the list of providers is empty"},
		{"merchants/acme.toml", "[merchant]\nproviders = ['momo', 'momo']\n", `2:22: provider "momo" stands twice`},
		{"merchants/acme.toml", "[merchant]\nproviders = 3\n", "2:13: providers is an integer"},
		{"merchants/acme.toml", "[merchant]\nproviders = ['momo', 3]\n", "2:22: providers holds an integer"},
		{"merchants/acme.toml", "[merchant]\nprovider = ['momo']\n", `2:1: unknown key "provider"; did you mean "providers"?`},
		{"merchants/acme.toml", "[merchant]\nname = 'other'\n", `2:8: merchant "other" does not fit the file's name`},
		{"merchants/acme.toml", "merchant = 3\n", "1:12: merchant is an integer; it must be the merchant's name or a table"},
		{"merchants/acme.toml", "[[merchant]]\n", "1:3: merchant is an array"},
		{"momo.toml", "[merchant]\nproviders = ['momo']\n", "2:13: only a merchant's file can list the providers"},
		{"baseline.toml", "[merchant]\nproviders = ['momo']\n", "2:13: only a merchant's file can list the providers"},
	} {
		_, mistakes, _ := loaded(t, map[string]string{tt.file: tt.toml})
		if !slices.ContainsFunc(strings.Split(mistakes.Error(), "\n"), func(line string) bool { return strings.Contains(line, tt.file+":"+tt.want) }) {
			t.Errorf("%s\n%s: mistakes are\n%s\nwant %s", tt.file, tt.toml, mistakes, tt.want)
		}
	}
}
