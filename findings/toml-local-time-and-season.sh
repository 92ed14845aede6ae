#!/usr/bin/env bash
# A TOML date without an offset moves by an hour with the season in which the program was started.
# Ran on 2026-11-29: BurntSushi/toml v1.6.0 beside pelletier/go-toml v2.4.3. Known upstream (issue 446, open), not documented.
# Guess: `from = 2026-07-01T00:00:00`, read where clocks change, is midnight in July's own offset, whenever it is read.
# Seen:  BurntSushi uses the offset that holds at the moment the program starts. Read in Berlin in November, the July
#        date gets +01:00 and is an hour late; the same file read in July is right for July and wrong for December.
#        pelletier is right for both.
# Why:   internal/tz.go asks time.Now().Zone() once, and makes a fixed zone of it.
# So:    two workers started in different months disagree on when a tariff, a blackout or a limit begins. Write the offset.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/BurntSushi/toml@v1.6.0 github.com/pelletier/go-toml/v2@v2.4.3 2>&1 | grep added
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"
	_ "time/tzdata"

	burnt "github.com/BurntSushi/toml"
	pelletier "github.com/pelletier/go-toml/v2"
)

func main() {
	off := 0
	for _, text := range []string{"2026-07-01T00:00:00", "2026-12-01T00:00:00"} {
		want, _ := time.ParseInLocation("2006-01-02T15:04:05", text, time.Local)
		var b, p struct{ From time.Time }
		if _, err := burnt.Decode("from = "+text, &b); err != nil {
			panic(err)
		}
		if err := pelletier.Unmarshal([]byte("from = "+text), &p); err != nil {
			panic(err)
		}
		fmt.Println("right     ", want.Format(time.RFC3339))
		fmt.Println("BurntSushi", b.From.Format(time.RFC3339), "off by", b.From.Sub(want))
		fmt.Println("pelletier ", p.From.Format(time.RFC3339), "off by", p.From.Sub(want))
		if !p.From.Equal(want) {
			off += 100
		}
		if !b.From.Equal(want) {
			off++
		}
	}
	fmt.Println("dates that BurntSushi has wrong (the season decides which):", off)
}
GO
echo "dates that BurntSushi has wrong (the season decides which): 1" >expected.txt
TZ=Europe/Berlin go run . | tee all.txt
tail -n 1 all.txt >seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-29" >&2; exit 1; }
echo "as seen on 2026-11-29"
