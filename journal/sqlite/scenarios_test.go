package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/recourse-pay/recourse/internal/scenarios"
	"github.com/recourse-pay/recourse/journal/sqlite"
)

func TestScenarios(t *testing.T) {
	j, err := sqlite.Open(filepath.Join(t.TempDir(), "flows.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	scenarios.Check(t, scenarios.Run(t, j))
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
