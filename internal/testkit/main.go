package testkit

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"
)

// RunSearches runs the tests of a package that searches. Searches leave little behind and much garbage: with the usual ratio the collector
// takes a third of the time. Benchmarks run as the command does.
func RunSearches(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" {
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(3 << 30) // a search at the largest size keeps up to a gigabyte
	}
	os.Exit(m.Run())
}
