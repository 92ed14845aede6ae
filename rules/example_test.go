package rules_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/rules"
)

// Load reads the defaults and a folder over them. The layers of a payment hold its
// rules in the order in which they are tried.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "rules")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := os.Mkdir(filepath.Join(dir, "merchants"), 0o700); err != nil {
		fmt.Println(err)
		return
	}
	err = os.WriteFile(filepath.Join(dir, "merchants", "acme.toml"), []byte(`
disable = ["momo-lost"]

[limits.pay]
max_attempts = 2

[[rule]]
id   = "large"
when = 'in_doubt && amount > 10_000_000 && currency == "VND"'
then = "escalate"
`), 0o600)
	if err != nil {
		fmt.Println(err)
		return
	}

	set, err := rules.Load(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	layers := set.Layers("momo", "acme")
	for _, r := range layers.Rules()[:4] {
		fmt.Println(r.ID, "->", r.Then)
	}
	fmt.Println("polls after", layers.Schedule("poll"))
	fmt.Println("sends a payment", layers.Limits(policy.Pay).MaxAttempts, "times and a refund", layers.Limits(policy.Refund).MaxAttempts)
	// Output:
	// large -> escalate
	// momo-in-flight -> query_status
	// disputed -> escalate
	// mismatch -> escalate
	// polls after 2s -> 4s -> 8s -> 16s -> 32s -> …
	// sends a payment 2 times and a refund 3
}
