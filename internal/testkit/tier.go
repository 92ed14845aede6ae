package testkit

import "testing"

// Size returns how much a test does in the tier that runs. The tiers are
//
//   - short: go test -short, the loop of a working day;
//   - full: go test, which the README names;
//   - slow: go test -tags slow, for searches and kills that take minutes. CI runs it.
//
// Under the race detector everything takes ten times as long, so full means short there.
// A test never skips itself: CI counts a skipped test as a failure.
func Size(short, full, slow int) int {
	switch {
	case testing.Short():
		return short
	case Slow:
		return slow
	case Race:
		return short
	}
	return full
}

// Short reports whether the short tier runs: a test that has no smaller size returns early.
func Short() bool { return Size(1, 0, 0) == 1 }
