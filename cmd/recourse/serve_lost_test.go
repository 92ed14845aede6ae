//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/pgserver"
)

// endsLost says that a service ends by itself, with an exit code of which a supervisor starts another one, and says why.
func endsLost(t *testing.T, cmd *exec.Cmd, words ...string) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatalf("it does not end\n%s", cmd.Stderr)
	}
	said := fmt.Sprint(cmd.Stderr)
	for _, word := range append(words, "the journal is lost", `"msg":"stopping"`) {
		if !strings.Contains(said, word) {
			t.Errorf("it does not say %q:\n%s", word, said)
		}
	}
	if code := cmd.ProcessState.ExitCode(); code != 2 {
		t.Errorf("exit code %d\n%s", code, said)
	}
}

func beginFlow(t *testing.T, url, key string) map[string]any {
	t.Helper()
	caller := fmt.Sprintf("%d-0123456789abcdef", time.Now().Unix())
	return postJSON(t, url+"/v1/flows", map[string]any{"caller": caller, "provider": "momo", "operation": "pay", "payment_key": key, "order_id": key, "amount": 50000, "currency": "VND"})
}

// A service whose database has lost commits, or was made another journal, ends: also one that only waits, and one with a command that a caller has.
// The next one is refused until a person has looked.
func TestServeEndsWhenTheDatabaseIsLost(t *testing.T) {
	server, err := pgserver.Start("max_connections = 100")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	for schema, lose := range map[string]string{"gone": "UPDATE gone.owner SET written = written - 1 WHERE written > 0", "replaced": ""} {
		waits, _ := serveProcess(t, server.URL(), "--schema", schema, "--migrate")
		works, url := serveProcess(t, server.URL(), "--schema", schema)
		if step := beginFlow(t, url, "k"); step["do"] != "send" {
			t.Fatalf("%v", step)
		}
		why := "opened with Options.Restored"
		if lose != "" {
			why = "has lost commits"
			err = server.Run("psql", "-d", server.URL(), "-c", lose)
		} else {
			err = exec.CommandContext(t.Context(), recourseBinary(t), "serve", "--journal", server.URL(), "--schema", schema, "--restored").Run()
		}
		if err != nil {
			t.Fatal(err)
		}
		endsLost(t, waits, why)
		endsLost(t, works, why)
	}
	var said bytes.Buffer
	next := exec.CommandContext(t.Context(), recourseBinary(t), "serve", "--listen", "127.0.0.1:0", "--journal", server.URL(), "--schema", "gone")
	next.Stderr = &said
	if err := next.Run(); next.ProcessState.ExitCode() != 2 || !strings.Contains(said.String(), "--restored") {
		t.Errorf("the next process: %v\n%s", err, said.String())
	}
}

// A service whose file was replaced ends. One whose file was deleted takes no work either, and does not end by itself: a supervisor's next one
// would begin an empty journal.
func TestServeEndsWhenTheFileIsLost(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		file := filepath.Join(t.TempDir(), "flows.db")
		cmd, url := serveProcess(t, file)
		beginFlow(t, url, "before")
		if err := os.Rename(file, file+".away"); err != nil {
			t.Fatal(err)
		}
		if !deleted {
			if err := os.WriteFile(file, []byte("another"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := http.Post(url+"/v1/flows", "application/json", strings.NewReader(fmt.Sprintf(
			`{"caller":"%d-0123456789abcdef","provider":"momo","operation":"pay","payment_key":"k","order_id":"o","amount":50000,"currency":"VND"}`, time.Now().Unix())))
		if err == nil { // else it has ended by now
			r.Body.Close()
			if r.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("a flow that begins: %s", r.Status)
			}
		}
		if deleted {
			for ready := http.StatusOK; ready != http.StatusServiceUnavailable; {
				r, err := http.Get(url + "/readyz")
				if err != nil {
					t.Fatalf("it has ended: %v", err)
				}
				r.Body.Close()
				ready = r.StatusCode
			}
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			endsLost(t, cmd, "put it back")
			continue
		}
		endsLost(t, cmd, "deleted or replaced")
	}
}
