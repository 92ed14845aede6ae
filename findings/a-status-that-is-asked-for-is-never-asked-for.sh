#!/usr/bin/env bash
# A status that is kept for a second is kept for as long as it is read.
# Ran on 2026-11-30: jellydator/ttlcache v3.4.1 and ReneKroon/ttlcache v2.11.0 beside go-cache v2.1.0 and golang-lru v2.0.7, Go 1.26.
# Guess: an entry with a time to live of a second is gone a second after it was set.
# Seen:  in both ttlcaches it is there after three seconds of a Get each 100 ms: each Get begins its time anew. go-cache and golang-lru's expirable give it up after a second.
# Why:   a Get touches the entry unless that is switched off.
# So:    a page that polls a payment sees `pending` for as long as it polls. Set WithDisableTouchOnHit.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=-mod=mod
go mod init probe >/dev/null 2>&1
go version
go get github.com/jellydator/ttlcache/v3@v3.4.1 github.com/ReneKroon/ttlcache/v2@v2.11.0 github.com/patrickmn/go-cache@v2.1.0+incompatible github.com/hashicorp/golang-lru/v2@v2.0.7 2>&1 | grep -E 'added github.com/(jellydator/ttlcache|ReneKroon/ttlcache|patrickmn/go-cache|hashicorp/golang-lru)' || true
cat >main.go <<'GO'
package main

import (
	"fmt"
	"time"

	ttlcache2 "github.com/ReneKroon/ttlcache/v2"
	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/jellydator/ttlcache/v3"
	"github.com/patrickmn/go-cache"
)

func poll(name string, get func() bool) {
	for start := time.Now(); time.Since(start) < 3*time.Second; time.Sleep(100 * time.Millisecond) {
		if !get() {
			fmt.Printf("%s: gone\n", name)
			return
		}
	}
	fmt.Printf("%s: pending for three seconds\n", name)
}

func main() {
	three := ttlcache.New(ttlcache.WithTTL[string, string](time.Second))
	three.Set("order-7", "pending", ttlcache.DefaultTTL)
	poll("ttlcache v3", func() bool { return three.Get("order-7") != nil })
	fixed := ttlcache.New(ttlcache.WithTTL[string, string](time.Second), ttlcache.WithDisableTouchOnHit[string, string]())
	fixed.Set("order-7", "pending", ttlcache.DefaultTTL)
	poll("ttlcache v3, WithDisableTouchOnHit", func() bool { return fixed.Get("order-7") != nil })
	two := ttlcache2.NewCache()
	_ = two.SetTTL(time.Second)
	_ = two.Set("order-7", "pending")
	poll("ttlcache v2", func() bool { _, err := two.Get("order-7"); return err == nil })
	plain := cache.New(time.Second, time.Minute)
	plain.SetDefault("order-7", "pending")
	poll("go-cache", func() bool { _, ok := plain.Get("order-7"); return ok })
	lru := expirable.NewLRU[string, string](10, nil, time.Second)
	lru.Add("order-7", "pending")
	poll("golang-lru, expirable", func() bool { _, ok := lru.Get("order-7"); return ok })
}
GO
go mod tidy >/dev/null 2>&1
cat >expected.txt <<'TXT'
ttlcache v3: pending for three seconds
ttlcache v3, WithDisableTouchOnHit: gone
ttlcache v2: pending for three seconds
go-cache: gone
golang-lru, expirable: gone
TXT
go run . 2>/dev/null | tee seen.txt
diff -u expected.txt seen.txt || { echo "the behaviour has changed since 2026-11-30" >&2; exit 1; }
echo "as seen on 2026-11-30"
