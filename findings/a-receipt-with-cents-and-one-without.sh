#!/usr/bin/env bash
# One template of a receipt prints 19.99, 19, or 1.5000005e+06.
# Ran on 2026-12-01: Liquid 5.4.0 of Debian 12 (Ruby 3.1), liquidjs 10.30.1 (Node 20), osteele/liquid v1.6.0 (Go 1.26).
# Guess: Liquid is Liquid: 1999 cents divided by 100 are 19.99 in each of its three engines, or 19 in each.
# Seen:  {{ cents | divided_by: 100 }} is 19 in Ruby and Go and 19.99 in JavaScript; -7 / 2 is -4, -3 or -3.5. Go prints 1500000.5 as 1.5000005e+06. 1.005 rounds to 1.01 in two and to 1 in Go. "1,500" plus 1 is 2, 1, or an error.
# Why:   Ruby's integers divide to integers, rounded down; Go's too, rounded to zero; JavaScript has one kind of number. Go prints a float as it prints it anywhere.
# So:    a receipt, or a mail about a refund, that was right in the shop's preview loses its cents in the service that sends it. Divide by 100.0, and compare the three.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
apt-get update -qq >/dev/null 2>&1 || true
apt-get download -qq 'ruby3.1=3.1*' 'libruby3.1=3.1*' 'libyaml-0-2=0.2*' 'libgmp10=2:6.2*' 'ruby-liquid=5.4.0*' 2>/dev/null
for p in *.deb; do dpkg -x "$p" .; done
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go get github.com/osteele/liquid@v1.6.0 2>&1 | grep -F 'added github.com/osteele/liquid ' || true
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --silent liquidjs@10.30.1
npm ls --depth 0 | tail -n +2
cat >templates.txt <<'TXT'
{{ cents | divided_by: 100 }}
{{ cents | divided_by: 100.0 }}
{{ -7 | divided_by: 2 }}
{{ total }}
{{ total | plus: 1 }}
{{ 1.005 | round: 2 }}
{{ "1,500" | plus: 1 }}
TXT
cat >main.rb <<'RB'
require 'liquid'
File.readlines('templates.txt', chomp: true).each { |t| puts "Ruby: #{t} is #{Liquid::Template.parse(t).render('cents' => 1999, 'total' => 1500000.5)}" }
RB
cat >main.mjs <<'JS'
import fs from 'node:fs';
import { Liquid } from 'liquidjs';

for (const t of fs.readFileSync('templates.txt', 'utf8').trim().split('\n')) {
  console.log(`JavaScript: ${t} is ${new Liquid().parseAndRenderSync(t, { cents: 1999, total: 1500000.5 })}`);
}
JS
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/osteele/liquid"
)

func main() {
	templates, _ := os.ReadFile("templates.txt")
	for _, t := range strings.Split(strings.TrimSpace(string(templates)), "\n") {
		text, err := liquid.NewEngine().ParseAndRenderString(t, map[string]any{"cents": 1999, "total": 1500000.5})
		if err != nil {
			text = "an error"
		}
		fmt.Printf("Go: %s is %s\n", t, text)
	}
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
Ruby: {{ cents | divided_by: 100 }} is 19
Ruby: {{ cents | divided_by: 100.0 }} is 19.99
Ruby: {{ -7 | divided_by: 2 }} is -4
Ruby: {{ total }} is 1500000.5
Ruby: {{ total | plus: 1 }} is 1500001.5
Ruby: {{ 1.005 | round: 2 }} is 1.01
Ruby: {{ "1,500" | plus: 1 }} is 2
JavaScript: {{ cents | divided_by: 100 }} is 19.99
JavaScript: {{ cents | divided_by: 100.0 }} is 19.99
JavaScript: {{ -7 | divided_by: 2 }} is -3.5
JavaScript: {{ total }} is 1500000.5
JavaScript: {{ total | plus: 1 }} is 1500001.5
JavaScript: {{ 1.005 | round: 2 }} is 1.01
JavaScript: {{ "1,500" | plus: 1 }} is 1
Go: {{ cents | divided_by: 100 }} is 19
Go: {{ cents | divided_by: 100.0 }} is 19.99
Go: {{ -7 | divided_by: 2 }} is -3
Go: {{ total }} is 1.5000005e+06
Go: {{ total | plus: 1 }} is 1.5000015e+06
Go: {{ 1.005 | round: 2 }} is 1
Go: {{ "1,500" | plus: 1 }} is an error
TXT
lib=$dir/usr/lib/x86_64-linux-gnu
ruby() { RUBYLIB=$dir/usr/lib/ruby/3.1.0:$lib/ruby/3.1.0:$(echo "$dir"/usr/share/rubygems-integration/all/gems/liquid-*/lib) LD_LIBRARY_PATH=$lib "$dir/usr/bin/ruby3.1" --disable-gems "$@"; }
{ ruby main.rb; node main.mjs; go run . 2>/dev/null; } | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-12-01" >&2; exit 1; }
echo "as seen on 2026-12-01"
