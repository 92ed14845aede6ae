//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
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
	if r.StatusCode != http.StatusServiceUnavailable {
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

// Three services share a database. They are killed and paused, the server is restarted and its connections are cut, and each call goes to
// any of the services: a command is given to one caller, and to that one once, whoever says meanwhile that it is over.
func TestServicesOnOneDatabaseHarmed(t *testing.T) {
	if testkit.Short() {
		return
	}
	harmServices(t, false, testkit.Size(0, 60, 150), testkit.Size(0, 8, 25))
}

// So do three services behind a pooler that gives each a session for a transaction only.
func TestServicesBehindAPoolerHarmed(t *testing.T) {
	if testkit.Size(0, 0, 1) == 0 {
		return // PgBouncer is for the tag slow
	}
	harmServices(t, true, 100, 12)
}

func harmServices(t *testing.T, pooled bool, flows, kills int) {
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
	database := server.URL()
	if pooled {
		p, err := server.StartPooler()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
		database = fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", p.Address())
	}
	w := newServed(t, database, 3)
	var paused, restarted, cut int
	w.harm = func(random *rand.Rand) {
		switch random.IntN(4) {
		case 0:
			w.services[random.IntN(3)].pause(time.Duration(random.IntN(5000)) * time.Millisecond) // beyond its lease, or not
			paused++
		case 1:
			mode := []string{"fast", "immediate"}[random.IntN(2)]
			if err := errors.Join(server.Down(mode), server.Up()); err != nil {
				t.Error(err)
			}
			restarted++
		case 2:
			if err := server.Run("psql", "-d", server.URL(), "-c", cutConnections); err != nil {
				t.Error(err)
			}
			cut++
		}
	}
	killServices(t, w, flows, kills)
	t.Logf("%d pauses, %d restarts of the server, its connections cut %d times", paused, restarted, cut)
}

const cutConnections = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"

// pause stops a service for a time, as a machine does that swaps or is moved.
func (one *oneServed) pause(d time.Duration) {
	one.mu.Lock()
	process := one.process.Process
	one.mu.Unlock()
	_ = process.Signal(syscall.SIGSTOP)
	time.Sleep(d)
	_ = process.Signal(syscall.SIGCONT)
}

// A call that waits at another process than the one that holds the flow is answered when the flow ends there, not when its time is over.
func TestACallThatWaitsAtAnotherServiceIsAnswered(t *testing.T) {
	database := databaseOfTest(t)
	_, firstURL := serveProcess(t, database, "--migrate")
	_, secondURL := serveProcess(t, database)
	caller := fmt.Sprintf("%d-0123456789abcdef", time.Now().Unix())
	start := map[string]any{"caller": caller, "provider": "momo", "operation": "pay", "payment_key": "k", "order_id": "o", "amount": 50000, "currency": "VND"}
	begun := postJSON(t, firstURL+"/v1/flows", start)
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/v1/flows/%s?wait_ms=60000", secondURL, begun["flow"]), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan string, 1)
	go func() {
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer got.Body.Close()
		text, err := io.ReadAll(got.Body)
		answer <- fmt.Sprint(string(text), err)
	}()
	postJSON(t, fmt.Sprintf("%s/v1/flows/%s/reports", firstURL, begun["flow"]), map[string]any{
		"caller": caller, "command": begun["command"], "http_status": 200,
		"body": map[string]any{"orderId": "o", "requestId": begun["request_id"], "amount": 50000, "resultCode": 0, "transId": 1},
	})
	if got := <-answer; !strings.Contains(got, `"do":"end"`) || !strings.Contains(got, `"outcome":"succeeded"`) {
		t.Errorf("the call that waits at the other service: %s", got)
	}
}

// A service that was paused beyond its lease does not give a command again: the process that holds the flow now has said that it is over, and
// its caller would carry it out once more.
func TestAPausedServiceDoesNotGiveItsCommandAgain(t *testing.T) {
	for _, ended := range []bool{false, true} {
		pausedService(t, ended)
	}
}

func pausedService(t *testing.T, ended bool) {
	t.Helper()
	database := databaseOfTest(t)
	first, firstURL := serveProcess(t, database, "--migrate")
	_, secondURL := serveProcess(t, database)
	caller := fmt.Sprintf("%d-0123456789abcdef", time.Now().Unix())
	start := map[string]any{"caller": caller, "provider": "momo", "operation": "pay", "payment_key": "k", "order_id": "o", "amount": 50000, "currency": "VND"}
	begun := postJSON(t, firstURL+"/v1/flows", start)
	if again := getJSON(t, fmt.Sprintf("%s/v1/flows/%s?caller=%s", firstURL, begun["flow"], caller)); again["command"] != begun["command"] {
		t.Fatalf("a call that is repeated gets %v after %v", again, begun)
	}
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for { // until the second one has it
		r, err := http.Post(fmt.Sprintf("%s/v1/flows/%s/reports?wait_ms=0", secondURL, begun["flow"]), "application/json",
			strings.NewReader(fmt.Sprintf(`{"caller":%q,"command":%q,"fault":"timeout"}`, caller, begun["command"])))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode == http.StatusConflict {
			break
		}
		if r.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("a report at the second service: %s", r.Status)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if ended { // there: no process holds it then
		webhook := map[string]any{"provider": "momo", "verified": true, "body": fmt.Sprintf(`{"orderId":"o","requestId":%q,"amount":50000,"resultCode":0,"transId":1}`, begun["request_id"])}
		postHook(t, secondURL, webhook)
		if end := getJSON(t, fmt.Sprintf("%s/v1/flows/%s?wait_ms=60000", secondURL, begun["flow"])); end["do"] != "end" {
			t.Fatalf("after the webhook: %v", end)
		}
	}
	if err := first.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if got := getJSON(t, fmt.Sprintf("%s/v1/flows/%s?wait_ms=0&caller=%s", firstURL, begun["flow"], caller)); got["do"] == "send" {
		t.Errorf("the paused service gives the command again: %v", got)
	}
}

func postHook(t *testing.T, service string, webhook map[string]any) {
	t.Helper()
	text, err := json.Marshal(webhook)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(service+"/v1/webhooks", "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusNoContent {
		t.Fatalf("a webhook: %s", r.Status)
	}
}

func getJSON(t *testing.T, url string) (answer map[string]any) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v %v", url, r.Status, answer, err)
	}
	return answer
}

// A database of which commits are lost is refused, until a person has made it the journal.
func TestServeARestoredDatabase(t *testing.T) {
	server, err := pgserver.Start("max_connections = 100")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	run := func(args ...string) (int, string) {
		var out bytes.Buffer
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, recourseBinary(t), append([]string{"serve", "--listen", "127.0.0.1:0", "--journal", server.URL(), "--schema", "shop"}, args...)...)
		cmd.Stdout, cmd.Stderr = &out, &out
		_ = cmd.Run() // the exit code says it
		return cmd.ProcessState.ExitCode(), out.String()
	}
	first, _ := serveProcess(t, server.URL(), "--schema", "shop", "--migrate")
	_ = first.Process.Kill()
	_ = first.Wait()
	if err := server.Run("psql", "-d", server.URL(), "-c", "UPDATE shop.journal SET lost = 'a commit'"); err != nil {
		t.Fatal(err)
	}
	if code, out := run(); code != 2 || !strings.Contains(out, "open it once with --restored") {
		t.Fatalf("%d %s", code, out)
	}
	if code, out := run("--restored"); code != 0 || !strings.Contains(out, "without --restored") {
		t.Fatalf("%d %s", code, out)
	}
	serveProcess(t, server.URL(), "--schema", "shop")
}

func TestServeWithoutTables(t *testing.T) {
	database := databaseOfTest(t)
	for _, c := range []struct{ args, want string }{
		{"--journal " + database, "open it once with --migrate"},
		{"--journal POSTGRES://u:secret@h/x", "--journal POSTGRES:/…: this is no file"},
		{"--journal host=secret", "--journal host=…: this is no file"},
		{"--journal flows.db --migrate", "are for a journal in PostgreSQL"},
		{"--journal flows.db --schema s", "are for a journal in PostgreSQL"},
		{"--journal postgres://u:p@secret@h/x", "more than one @"},
		{"--journal postgres://u:p@se/secret@h/x", "more than one @"},
		{"--journal no-such-file.db --restored", "no-such-file.db"},
		{"--restored", "--restored needs --journal"},
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
