package service

import (
	"strconv"
	"testing"
	"time"
)

// Who invents merchants frees none of its limit, and has one limit for all that find no place.
func TestInventedMerchantsResetNoLimit(t *testing.T) {
	l := newLimits(0.001, 2)
	now := time.Now()
	allowed := func(merchant string, known bool) (n int) {
		for range 5 {
			if l.of(merchant, known, now).AllowN(now, 1) {
				n++
			}
		}
		return n
	}
	if shop, chain := allowed("shop", false), allowed("chain", true); shop != 2 || chain != 2 {
		t.Fatalf("shop may begin %d, chain %d, want 2", shop, chain)
	}
	begun := 0
	for i := range mostLimits + 5000 {
		begun += allowed("invented-"+strconv.Itoa(i), false)
	}
	if want := 2 * mostLimits; begun != want { // shop has a place, and the rest shares a limit
		t.Errorf("%d flows of invented merchants, want %d", begun, want)
	}
	if shop, chain := allowed("shop", false), allowed("chain", true); shop+chain != 0 {
		t.Errorf("after that shop may begin %d more, chain %d", shop, chain)
	}
	if fresh := allowed("newly named by the rules", true); fresh != 2 {
		t.Errorf("a merchant that the rules name may begin %d, want 2", fresh)
	}
	if len(l.others) > mostLimits {
		t.Errorf("%d limits are kept", len(l.others))
	}
	now = now.Add(time.Hour) // all are as good as new by then
	if fresh := allowed("another", false); fresh != 2 || len(l.others) != 1 {
		t.Errorf("an hour later another merchant may begin %d, and %d limits are kept", fresh, len(l.others))
	}
}
