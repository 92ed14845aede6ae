#!/usr/bin/env bash
# An amount that arrives as a text passes `numeric,gt=0,lte=500` whatever it is.
# Ran on 2026-11-30: go-playground/validator v10.30.6 beside asaskevich/govalidator 2023-03-01 and ozzo-validation v4.4.1; Go 1.26.
# Guess: with `numeric` the text is read as a number; without it comparing a text with 500 is an error.
# Seen:  900000, -5 and 0 pass: the length of the text is compared. govalidator's range compares the number, ozzo refuses to compare.
# Why:   gt, lte, min and max mean the number of characters for a text; numeric looks at the characters alone and tells the others nothing.
# So:    changing an amount from int64 to string, so that JavaScript keeps its digits, takes the limit off without an error. Parse first, then compare.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/go-playground/validator/v10@v10.30.6 github.com/asaskevich/govalidator@v0.0.0-20230301143203-a9d515a09cc2 github.com/go-ozzo/ozzo-validation/v4@v4.4.1 2>&1 | grep -E 'github.com/go-playground/validator/v10|github.com/asaskevich/govalidator|github.com/go-ozzo/ozzo-validation/v4' || true
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/asaskevich/govalidator"
	ozzo "github.com/go-ozzo/ozzo-validation/v4"
	"github.com/go-playground/validator/v10"
)

type number struct {
	Amount int64 `validate:"gt=0,lte=500"`
}

type text struct {
	Amount string `validate:"numeric,gt=0,lte=500" valid:"range(1|500)"`
}

func passes(err error) string {
	if err != nil {
		return "refused"
	}
	return "passes"
}

func main() {
	v := validator.New()
	for _, n := range []int64{100, 900000, -5, 0} {
		s := text{fmt.Sprint(n)}
		_, govalid := govalidator.ValidateStruct(s)
		fmt.Printf("%d: validator, as a number: %s, as a text: %s; govalidator, as a text: %s; ozzo: %v\n",
			n, passes(v.Struct(number{n})), passes(v.Struct(s)), passes(govalid), ozzo.Validate(s.Amount, ozzo.Max(500.0)))
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
100: validator, as a number: passes, as a text: passes; govalidator, as a text: passes; ozzo: cannot convert string to float64
900000: validator, as a number: refused, as a text: passes; govalidator, as a text: refused; ozzo: cannot convert string to float64
-5: validator, as a number: refused, as a text: passes; govalidator, as a text: refused; ozzo: cannot convert string to float64
0: validator, as a number: refused, as a text: passes; govalidator, as a text: refused; ozzo: cannot convert string to float64
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
