#!/usr/bin/env bash
# excelize gives a long number back in 15 digits, also when the raw value of the cell is asked for.
# Ran on 2026-11-30: excelize v2.9.1; Go 1.26.
# Guess: a number that was written as int64 is read as it stands in the file, at least with RawCellValue.
# Seen:  the file holds all 17 digits; both ways of reading print 1.23456789012346E+16. 15 digits and less are fine.
# Why:   cells without a type are numbers, and every number goes through a float and a print with 15 digits before "raw" is looked at.
# So:    a provider's settlement sheet with order numbers as numbers matches no order, though no digit is missing in the file itself.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/xuri/excelize/v2@v2.9.1 2>&1 | grep -E 'github.com/xuri/excelize/v2' || true
cat >main.go <<'GO'
package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"regexp"

	"github.com/xuri/excelize/v2"
)

func main() {
	sheet := excelize.NewFile()
	for i, order := range []any{int64(12345678901234567), int64(123456789012345), "12345678901234567"} {
		if err := sheet.SetCellValue("Sheet1", fmt.Sprint("A", i+1), order); err != nil {
			panic(err)
		}
	}
	var file bytes.Buffer
	if err := sheet.Write(&file); err != nil {
		panic(err)
	}
	z, _ := zip.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
	xml, _ := z.Open("xl/worksheets/sheet1.xml")
	text, _ := io.ReadAll(xml)
	fmt.Printf("in the file: %s\n", regexp.MustCompile(`<v>\d{9,}</v>`).FindAll(text, -1))
	read, err := excelize.OpenReader(&file)
	if err != nil {
		panic(err)
	}
	for _, cell := range []string{"A1", "A2", "A3"} {
		value, _ := read.GetCellValue("Sheet1", cell)
		raw, _ := read.GetCellValue("Sheet1", cell, excelize.Options{RawCellValue: true})
		fmt.Println(cell, value, "raw:", raw)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
in the file: [<v>12345678901234567</v> <v>123456789012345</v>]
A1 1.23456789012346E+16 raw: 1.23456789012346E+16
A2 123456789012345 raw: 123456789012345
A3 12345678901234567 raw: 12345678901234567
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
