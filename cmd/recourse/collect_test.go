package main

import "testing"

// A service with little in use lets 64 MiB gather, one with much is collected as ever, and before the first collection nothing is guessed.
func TestRoomFor(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 1 << 10: 400, 8 << 20: 400, 32 << 20: 200, 64 << 20: 100, 1 << 40: 100} {
		if got := roomFor(live); got != want {
			t.Errorf("%d bytes in use: %d %%, want %d", live, got, want)
		}
	}
}
