//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SIGHUP reads the rules anew, from when the service listens until it has ended: while it waits for reports it must not be killed by it. A second
// SIGTERM ends it at once.
func TestServeSignals(t *testing.T) {
	for _, twice := range []bool{false, true} {
		t.Run(fmt.Sprintf("twice %t", twice), func(t *testing.T) {
			cmd, url := serveProcess(t, filepath.Join(t.TempDir(), "flows.db"))
			signals := func(all ...syscall.Signal) {
				t.Helper()
				for _, s := range all {
					if err := cmd.Process.Signal(s); err != nil {
						t.Fatal(err)
					}
				}
			}
			signals(syscall.SIGHUP)
			caller := fmt.Sprintf("%d-0123456789abcdef", time.Now().Unix())
			step := postJSON(t, url+"/v1/flows", map[string]any{"caller": caller, "provider": "momo", "operation": "pay", "payment_key": "k", "order_id": "o", "amount": 50000, "currency": "VND"})
			signals(syscall.SIGTERM)
			for stopped := false; !stopped; {
				answer, err := http.Get(url + "/readyz")
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				stopped = answer.StatusCode == http.StatusServiceUnavailable
			}
			signals(syscall.SIGHUP)
			if twice {
				signals(syscall.SIGTERM)
			} else if next := postJSON(t, fmt.Sprintf("%s/v1/flows/%s/reports", url, step["flow"]), map[string]any{"caller": caller, "command": step["command"], "fault": "timeout"}); next["do"] != "wait" {
				t.Errorf("a report while it stops: %v", next)
			}
			err := cmd.Wait()
			var exit *exec.ExitError
			switch {
			case twice && (!errors.As(err, &exit) || !strings.Contains(err.Error(), syscall.SIGTERM.String())):
				t.Errorf("after a second signal: %v", err)
			case !twice && err != nil:
				t.Errorf("%v\n%s", err, cmd.Stderr)
			}
		})
	}
}

// serveProcess is a service in a process of its own, and its URL.
func serveProcess(t *testing.T, journal string, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(recourseBinary(t), append([]string{"serve", "--listen", "127.0.0.1:0", "--journal", journal}, args...)...)
	cmd.Stderr = new(bytes.Buffer)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), "listens on ")
	if !ok {
		t.Fatalf("it says %q: %v", line, err)
	}
	return cmd, "http://" + address
}

// postJSON sends JSON and reads the answer, which has to be good.
func postJSON(t *testing.T, url string, body any) (answer map[string]any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(url, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", url, r.Status, got, err)
	}
	if err := json.Unmarshal(got, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
