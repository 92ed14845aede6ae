#!/usr/bin/env bash
# A test that compares two answers as JSON passes for another order, another refund, another payment.
# Ran on 2026-12-01: testify v1.12.1, wI2L/jsondiff v0.7.1, yudai/gojsondiff v1.0.0, josephburnett/jd v2.5.0 beside gomega v1.44.0, json-patch v5.9.11 and nsf/jsondiff 2026-02-07, Go 1.26.
# Guess: JSON whose ids differ in the last of 17 digits is not equal, and has a difference.
# Seen:  for testify's JSONEq it is equal; wI2L/jsondiff, gojsondiff and jd find no difference. The same holds for the amounts 90071992547409.93 and 90071992547409.94, for gomega too. json-patch and nsf/jsondiff tell both apart.
# Why:   they decode numbers into float64, which has 53 bits.
# So:    a test that the refund names the right payment cannot fail for ids of 17 digits, as providers have them, and a patch or an audit log made of the difference leaves the change out. Compare texts, or decode into json.Number.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/stretchr/testify@v1.12.1 github.com/wI2L/jsondiff@v0.7.1 github.com/yudai/gojsondiff@v1.0.0 github.com/josephburnett/jd/v2@v2.5.0 github.com/onsi/gomega@v1.44.0 github.com/evanphx/json-patch/v5@v5.9.11 github.com/nsf/jsondiff@v0.0.0-20260207060731-8e8d90c4c0ac 2>&1 | grep -E 'added (github.com/stretchr/testify|github.com/wI2L/jsondiff|github.com/yudai/gojsondiff|github.com/josephburnett/jd/v2|github.com/onsi/gomega|github.com/evanphx/json-patch/v5|github.com/nsf/jsondiff) ' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/josephburnett/jd/v2"
	nsf "github.com/nsf/jsondiff"
	"github.com/onsi/gomega"
	"github.com/stretchr/testify/assert"
	"github.com/wI2L/jsondiff"
	"github.com/yudai/gojsondiff"
)

type test struct{ failed bool }

func (t *test) Errorf(string, ...any) { t.failed = true }

func main() {
	compare := map[string]func(a, b string) bool{
		"testify":    func(a, b string) bool { return assert.JSONEq(new(test), a, b) },
		"wI2L":       func(a, b string) bool { p, err := jsondiff.CompareJSON([]byte(a), []byte(b)); return err == nil && len(p) == 0 },
		"gojsondiff": func(a, b string) bool { d, err := gojsondiff.New().Compare([]byte(a), []byte(b)); return err == nil && !d.Modified() },
		"jd": func(a, b string) bool {
			first, _ := jd.ReadJsonString(a)
			second, _ := jd.ReadJsonString(b)
			return first.Diff(second).Render() == ""
		},
		"gomega": func(a, b string) bool {
			equal := true
			gomega.NewGomega(func(string, ...int) { equal = false }).Expect(a).To(gomega.MatchJSON(b))
			return equal
		},
		"json-patch": func(a, b string) bool { return jsonpatch.Equal([]byte(a), []byte(b)) },
		"nsf": func(a, b string) bool {
			options := nsf.DefaultJSONOptions()
			difference, _ := nsf.Compare([]byte(a), []byte(b), &options)
			return difference == nsf.FullMatch
		},
	}
	pairs := [][2]string{
		{`{"refund_of": 26113000000000017}`, `{"refund_of": 26113000000000018}`},
		{`{"amount": 90071992547409.93}`, `{"amount": 90071992547409.94}`},
		{`{"amount": 1999}`, `{"amount": 1998}`},
	}
	for _, name := range []string{"testify", "wI2L", "gojsondiff", "jd", "gomega", "json-patch", "nsf"} {
		fmt.Printf("%s: ids equal %t, large amounts equal %t, amounts equal %t\n", name, compare[name](pairs[0][0], pairs[0][1]), compare[name](pairs[1][0], pairs[1][1]), compare[name](pairs[2][0], pairs[2][1]))
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
testify: ids equal true, large amounts equal true, amounts equal false
wI2L: ids equal true, large amounts equal true, amounts equal false
gojsondiff: ids equal true, large amounts equal true, amounts equal false
jd: ids equal true, large amounts equal true, amounts equal false
gomega: ids equal false, large amounts equal true, amounts equal false
json-patch: ids equal false, large amounts equal false, amounts equal false
nsf: ids equal false, large amounts equal false, amounts equal false
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
