//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/pgserver"
	"github.com/recourse-pay/recourse/internal/testkit"
)

func databaseOfTest(t *testing.T) string {
	t.Helper()
	server, err := pgserver.Start("max_connections = 100")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server.URL()
}

func TestServiceOnPostgresAndCallersKilled(t *testing.T) {
	killServiceAndCallers(t, testkit.Size(20, 40, 200), testkit.Size(2, 4, 30), databaseOfTest(t))
}

// A service beside another one on a database gives out no command of a flow that the other holds, and carries it on when the other is dead:
// by a query, for what was given out is in doubt.
func TestTwoServicesOnOneDatabase(t *testing.T) {
	database := databaseOfTest(t)
	first, firstURL := serveProcess(t, database, "--migrate")
	_, secondURL := serveProcess(t, database)
	caller := fmt.Sprintf("%d-0123456789abcdef", time.Now().Unix())
	start := map[string]any{"caller": caller, "provider": "momo", "operation": "pay", "payment_key": "k", "order_id": "o", "amount": 50000, "currency": "VND"}
	begun := postJSON(t, firstURL+"/v1/flows", start)
	if begun["do"] != "send" {
		t.Fatalf("the first service: %v", begun)
	}
	beside := postJSON(t, secondURL+"/v1/flows?wait_ms=300", start)
	if beside["flow"] != begun["flow"] || beside["do"] == "send" || beside["command"] != nil {
		t.Fatalf("the second service, of a flow that the first one holds: %v; the first one: %v", beside, begun)
	}
	refused := fmt.Sprintf(`{"caller":%q,"command":%q,"fault":"not_sent"}`, caller, begun["command"]) // it would free the key
	r, err := http.Post(fmt.Sprintf("%s/v1/flows/%s/reports", secondURL, begun["flow"]), "application/json", strings.NewReader(refused))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusConflict {
		t.Fatalf("a report at the second service, of a command of the first: %s", r.Status)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		next := postJSON(t, secondURL+"/v1/flows?wait_ms=2000", start)
		if next["do"] == "send" {
			t.Fatalf("sent once more: %v", next)
		}
		if next["do"] == "query" {
			if next["flow"] != begun["flow"] || next["order_id"] != "o" {
				t.Fatalf("the query is %v, of %v", next, begun)
			}
			report := map[string]any{
				"caller": caller, "command": next["command"], "http_status": 200,
				"body": map[string]any{"orderId": "o", "requestId": begun["request_id"], "amount": 50000, "resultCode": 0, "transId": 1},
			}
			end := postJSON(t, fmt.Sprintf("%s/v1/flows/%s/reports", secondURL, next["flow"]), report)
			if end["do"] != "end" || end["outcome"] != "succeeded" {
				t.Fatalf("after the report: %v", end)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not taken over: %v", next)
		}
	}
}

func TestServeWithoutTables(t *testing.T) {
	database := databaseOfTest(t)
	for _, c := range []struct{ args, want string }{
		{"--journal " + database, "Migrate"},
		{"--journal POSTGRES://u:secret@h/x", "--journal POSTGRES:/…: this is no file"},
		{"--journal host=secret", "--journal host=…: this is no file"},
		{"--journal flows.db --migrate", "--migrate is for a journal in PostgreSQL"},
		{"--journal postgres://127.0.0.1:1/x?connect_timeout=2", "postgres"},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		var stderr bytes.Buffer
		cmd := exec.CommandContext(ctx, recourseBinary(t), append([]string{"serve", "--listen", "127.0.0.1:0"}, strings.Fields(c.args)...)...)
		cmd.Stderr = &stderr
		err := cmd.Run()
		cancel()
		if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(stderr.String(), c.want) || strings.Contains(stderr.String(), "secret") {
			t.Errorf("%s: %v\n%s", c.args, err, stderr.String())
		}
	}
}
