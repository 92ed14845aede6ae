package verify_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/internal/verify"
)

const statusAlone = `
name        = "mini"
title       = "Mini"
currency    = "USD"
amount_unit = "major"
operations  = ["pay"]
sources     = ["a test"]

[contract]
query_by = ["order_id"]

[[decode]]
status   = "state"
order_id = "order"

[[envelope]]
body = '{"state":"$status","order":"$order_id"}'

[[status]]
status      = "OPEN"
class       = "processing"
description = "It says so."
facts       = [{ operation = "*", phase = ["send", "query"], effect = "pending", stage = "result", basis = "documented", because = "a test" }]
`

// A story in which an answer has a status, and no sub-status, is saved as a test as well.
func TestSavedStoryOfAStatusAlone(t *testing.T) {
	names, _ := savedOf(t, `status == "OPEN" && effect == "pending"`)
	if !slices.Contains(names, "acme-mini-pay-bad-S5.test.toml") {
		t.Errorf("saved are %q, and no test", names)
	}
}

// What a form cannot express is named, as a status that is not listed.
func TestStoriesThatCannotBeSavedAreNamed(t *testing.T) {
	names, unwritten := savedOf(t, `status startsWith "GO"`)
	const test = "acme-mini-pay-bad-S5.test.toml"
	if slices.Contains(names, test) || !slices.Contains(unwritten, test) {
		t.Errorf("saved are %q, not saved %q", names, unwritten)
	}
}

// savedOf verifies a rule that marks payments failed, and saves its stories. It returns the names of the files, and those of the files that were not written.
func savedOf(t *testing.T, when string) (names, unwritten []string) {
	t.Helper()
	rule := "[[rule]]\nid = \"bad\"\nwhen = '" + when + "'\nthen = \"mark_failed\"\n"
	e := open(t, testkit.Dir(t, map[string]string{"providers/mini.toml": statusAlone, "merchants/acme.toml": rule}))
	r, err := verify.Run(context.Background(), e, &verify.Options{Providers: []string{"mini"}, Merchants: []string{"acme"}, FirstOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	files, sentences, err := r.Save(t.TempDir(), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	for _, s := range sentences {
		file, _, _ := strings.Cut(s, ": ")
		unwritten = append(unwritten, filepath.Base(file))
	}
	return names, unwritten
}
