#!/usr/bin/env bash
# For Go's own package the currency of Croatia is the kuna, and that of Bulgaria the lev.
# Ran on 2026-12-01: golang.org/x/text v0.44.0, biter777/countries v1.7.5 beside bojanz/currency v1.5.1; iso-country-currency 0.7.2, country-data 0.0.31, locale-currency 1.0.0 beside country-to-currency 3.0.1, Go 1.26, Node 20.
# Guess: a release of this year gives the currency that a country has: the euro in Croatia since 2023 and in Bulgaria since January 2026, the Caribbean guilder in Curaçao since 2025, the new leone, the new bolívar and the new ouguiya.
# Seen:  x/text has HRK, BGN, ANG, SLL, VEF and MRO, six of six, also when asked for today's. countries for Go has three that are gone, iso-country-currency four, locale-currency two, country-data those six and Belarus' rouble of before 2016. bojanz/currency and country-to-currency have none.
# Why:   x/text's table is of CLDR 32, of 2017, whatever its own version; the others are lists that were typed in once.
# So:    a price list by country offers an amount in a currency that no acquirer takes any more, and the payment is declined for a reason that looks like the card's; in minor units of kuna or lev the amount is wrong by the rate. Take one of the two, and compare it with ISO 4217's list when it changes.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get golang.org/x/text@v0.44.0 github.com/biter777/countries@v1.7.5 github.com/bojanz/currency@v1.5.1 2>&1 | grep -E 'added (golang.org/x/text|github.com/(biter777|bojanz)/)' || true
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent iso-country-currency@0.7.2 country-data@0.0.31 locale-currency@1.0.0 country-to-currency@3.0.1
npm ls --depth 0 | tail -n +2
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"

	"github.com/biter777/countries"
	bojanz "github.com/bojanz/currency"
	"golang.org/x/text/currency"
	"golang.org/x/text/language"
)

func main() {
	for _, code := range []string{"HR", "BG", "CW", "SL", "VE", "MR", "BY"} {
		region := language.MustParseRegion(code)
		unit, _ := currency.FromRegion(region)
		today := ""
		for query := currency.Query(currency.Region(region), currency.Date(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))); query.Next(); {
			today += query.Unit().String()
		}
		other, _ := bojanz.ForCountryCode(code)
		fmt.Printf("%s: x/text %s, on 2026-12-01 %s; countries %s; bojanz %s\n", code, unit, today, countries.ByName(code).Currency().Alpha(), other)
	}
}
GO
cat >main.cjs <<'JS'
const data = require('country-data');
const current = require('country-to-currency');
const iso = require('iso-country-currency');
const locale = require('locale-currency');

for (const code of ['HR', 'BG', 'CW', 'SL', 'VE', 'MR', 'BY']) {
  console.log(`${code}: iso-country-currency ${iso.getParamByISO(code, 'currency')}, country-data ${data.countries[code].currencies}, locale-currency ${locale.getCurrency(`en-${code}`)}, country-to-currency ${current.default[code]}`);
}
JS
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
HR: x/text HRK, on 2026-12-01 HRK; countries EUR; bojanz EUR
BG: x/text BGN, on 2026-12-01 BGN; countries BGN; bojanz EUR
CW: x/text ANG, on 2026-12-01 ANG; countries ANG; bojanz XCG
SL: x/text SLL, on 2026-12-01 SLL; countries SLL; bojanz SLE
VE: x/text VEF, on 2026-12-01 VEF; countries VES; bojanz VES
MR: x/text MRO, on 2026-12-01 MRO; countries MRU; bojanz MRU
BY: x/text BYN, on 2026-12-01 BYN; countries BYN; bojanz BYN
HR: iso-country-currency EUR, country-data HRK, locale-currency EUR, country-to-currency EUR
BG: iso-country-currency BGN, country-data BGN, locale-currency BGN, country-to-currency EUR
CW: iso-country-currency ANG, country-data ANG, locale-currency ANG, country-to-currency XCG
SL: iso-country-currency SLL, country-data SLL, locale-currency SLE, country-to-currency SLE
VE: iso-country-currency VEF, country-data VEF, locale-currency VED, country-to-currency VES
MR: iso-country-currency MRU, country-data MRO, locale-currency MRU, country-to-currency MRU
BY: iso-country-currency BYN, country-data BYR, locale-currency BYN, country-to-currency BYN
TXT
{ go run . ; node main.cjs; } | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
