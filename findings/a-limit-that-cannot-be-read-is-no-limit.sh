#!/usr/bin/env bash
# A rule that refuses a payment over the customer's limit lets it pass when the limit cannot be read.
# Ran on 2026-12-01: grule-rule-engine v1.20.4, Go 1.26.
# Guess: a condition that cannot be evaluated is an error of Execute.
# Seen:  there is no error, and the rule does not fire: for a nil customer, a text beside a number, and a field that does not exist, a misspelt one too. `a || b` does not fire when a cannot be read, and fires the other way round. With ReturnErrOnFailedRuleEvaluation Execute fails, as guessed.
# Why:   the engine logs the error, and goes on to the next rule.
# So:    a rule set that allows what no rule refuses allows each payment of a customer whose record was not loaded, or of each customer after a field was renamed. Set the option, and make the default a refusal.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/hyperjumptech/grule-rule-engine@v1.20.4 2>&1 | grep -E 'added (github.com/hyperjumptech/grule-rule-engine) ' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/hyperjumptech/grule-rule-engine/ast"
	"github.com/hyperjumptech/grule-rule-engine/builder"
	"github.com/hyperjumptech/grule-rule-engine/engine"
	"github.com/hyperjumptech/grule-rule-engine/pkg"
)

type Customer struct{ Limit int64 }

type Payment struct {
	Amount   int64
	Risk     string
	Customer *Customer
	Refused  bool
}

func decide(condition string, strict bool) string {
	payment := &Payment{Amount: 900, Risk: "95"}
	facts, library := ast.NewDataContext(), ast.NewKnowledgeLibrary()
	if err := facts.Add("P", payment); err != nil {
		panic(err)
	}
	source := "rule R { when " + condition + " then P.Refused = true; Complete(); }"
	if err := builder.NewRuleBuilder(library).BuildRuleFromResource("rules", "1", pkg.NewBytesResource([]byte(source))); err != nil {
		panic(err)
	}
	rules, err := library.NewKnowledgeBaseInstance("rules", "1")
	if err != nil {
		panic(err)
	}
	runner := engine.NewGruleEngine()
	runner.ReturnErrOnFailedRuleEvaluation = strict
	err = runner.Execute(facts, rules)
	return fmt.Sprintf("refused %t, failed %t", payment.Refused, err != nil)
}

func main() {
	for _, condition := range []string{
		"P.Amount > 500",
		"P.Amount > P.Customer.Limit",
		"P.Risk > 90",
		"P.Ammount > 500",
		"P.Amount > 500 || P.Amount > P.Customer.Limit",
		"P.Amount > P.Customer.Limit || P.Amount > 500",
	} {
		fmt.Printf("%s: %s; with the option: %s\n", condition, decide(condition, false), decide(condition, true))
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
P.Amount > 500: refused true, failed false; with the option: refused true, failed false
P.Amount > P.Customer.Limit: refused false, failed false; with the option: refused false, failed true
P.Risk > 90: refused false, failed false; with the option: refused false, failed true
P.Ammount > 500: refused false, failed false; with the option: refused false, failed true
P.Amount > 500 || P.Amount > P.Customer.Limit: refused true, failed false; with the option: refused true, failed false
P.Amount > P.Customer.Limit || P.Amount > 500: refused false, failed false; with the option: refused false, failed true
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
