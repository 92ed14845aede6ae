package journaltest_test

import (
	"testing"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/journaltest"
)

// A test of an implementation calls Run with a function that opens an empty journal.
func ExampleRun() {
	test := func(t *testing.T) {
		journaltest.Run(t, func(t *testing.T) journal.Journal {
			return journal.NewMemory() // yours
		})
	}
	_ = test
	// Output:
}
