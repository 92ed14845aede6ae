package journal_test

import (
	"testing"

	"github.com/recourse-pay/recourse/journal"
	"github.com/recourse-pay/recourse/journal/journaltest"
)

func TestMemory(t *testing.T) {
	journaltest.Run(t, func(*testing.T) journal.Journal { return journal.NewMemory() })
}
