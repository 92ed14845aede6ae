package verify_test

import (
	"context"
	"path/filepath"
	"slices"
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
	rule := "[[rule]]\nid = \"bad\"\nwhen = 'status == \"OPEN\" && effect == \"pending\"'\nthen = \"mark_failed\"\n"
	e := open(t, testkit.Dir(t, map[string]string{"providers/mini.toml": statusAlone, "merchants/acme.toml": rule}))
	r, err := verify.Run(context.Background(), e, &verify.Options{Providers: []string{"mini"}, Merchants: []string{"acme"}, FirstOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	names, err := r.Save(t.TempDir(), e)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(names, func(name string) bool { return filepath.Base(name) == "acme-mini-pay-bad-S5.test.toml" }) {
		t.Errorf("saved are %q, and no test", names)
	}
}
