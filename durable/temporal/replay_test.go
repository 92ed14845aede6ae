package temporal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// The histories in testdata are of a real server: server_test.go writes them. A workflow that is open goes on with the
// code of today, so today's code must do in each history what stands there.
//
// A replay compares the order of what a workflow does, not timeouts, retry policies or inputs: TestCallsAreMadeOnce does.
func TestSavedHistoriesAreReplayed(t *testing.T) {
	files, err := filepath.Glob("testdata/histories/*.json")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d histories, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := replay(t, text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		// The test must be able to fail: the same history with the first call taken for another.
		other := bytes.Replace(text, []byte(`"`+openActivity+`"`), []byte(`"`+queryActivity+`"`), 1)
		if err := replay(t, other); !bytes.Equal(text, other) && (err == nil || !strings.Contains(err.Error(), "nondeterministic")) {
			t.Errorf("%s with another activity: %v", file, err)
		}
	}
}

// replay needs no driver: no rule is asked, so no other set of rules can make a history impossible to replay.
func replay(t *testing.T, text []byte) error {
	t.Helper()
	h := new(history.History)
	if err := (temporalproto.CustomJSONUnmarshalOptions{}).Unmarshal(text, h); err != nil {
		t.Fatal(err)
	}
	r := worker.NewWorkflowReplayer()
	for name, f := range workflows {
		r.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: name})
	}
	return r.ReplayWorkflowHistory(sdklog.NewStructuredLogger(quiet), h)
}
