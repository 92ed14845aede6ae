package journaltest_test

import (
	"testing"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/journaltest"
)

// The test of an implementation is one call. Here, as in a test function, t is the test's.
func ExampleRun() {
	test := func(t *testing.T) {
		journaltest.Run(t, func(t *testing.T) journal.Journal {
			return journal.NewMemory() // yours
		})
	}
	_ = test
	// Output:
}
