//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// People see and settle the flows of a database beside the processes that carry them, and after: by the same handler as those of a file.
func TestFlowsOfADatabase(t *testing.T) {
	database := databaseOfTest(t)
	service, url := serveProcess(t, database, "--migrate", "--schema", "shop")
	recourse := func(code int, args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var out bytes.Buffer
		cmd := exec.CommandContext(ctx, recourseBinary(t), append([]string{"flows"}, args...)...)
		cmd.Stdout, cmd.Stderr = &out, &out
		_ = cmd.Run() // the exit code says it
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Fatalf("%q: exit code %d, not %d\n%s", args, got, code, out.String())
		}
		return out.String()
	}
	of := func(args ...string) []string { return append(args, "--journal", database, "--schema", "shop") }
	wants := func(text string, words ...string) {
		t.Helper()
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("there is no %q in\n%s", word, text)
			}
		}
	}
	var flows []string
	for _, key := range []string{"held", "left", "withdrawn"} {
		step := beginFlow(t, url, key)
		flows = append(flows, step["flow"].(string))
	}
	wants(recourse(0, of("list")...), flows...)
	wants(recourse(0, of("show", flows[0])...), "sent as order held")
	wants(recourse(2, of("resolve", flows[0], "--effect", "executed", "--why", "portal")...), "who")
	wants(recourse(2, of("resolve", flows[0], "--effect", "executed", "--who", "", "--why", "portal")...), "who must not be empty")
	wants(recourse(1, of("withdraw", flows[0], "--who", "ann", "--why", "x", "--seen", "99")...), "has changed since version 99")
	wants(recourse(0, of("resolve", flows[0], "--effect", "executed", "--who", "ann", "--why", "the portal")...), flows[0])
	end := getJSON(t, fmt.Sprintf("%s/v1/flows/%s?wait_ms=60000", url, flows[0])) // the process that holds it has applied it
	for tries := 0; end["do"] != "end" && tries < 60; tries++ {
		end = getJSON(t, fmt.Sprintf("%s/v1/flows/%s?wait_ms=1000", url, flows[0]))
	}
	if end["outcome"] != "succeeded" {
		t.Errorf("of a flow that the service holds: %v", end)
	}
	wants(recourse(1, of("resolve", flows[0], "--effect", "not_executed", "--who", "bob", "--why", "a mistake")...), "by the word of ann")
	_ = service.Process.Kill()
	_ = service.Wait()
	wants(recourse(0, of("list", "--standing", "in_doubt")...), flows[1], flows[2])
	deadline := time.Now().Add(time.Minute)
	for said := ""; !strings.Contains(said, "is succeeded now"); { // as long as the dead process's lease runs it is left for that one
		said = recourse(0, of("resolve", flows[1], "--effect", "executed", "--who", "ann", "--why", "the settlement file")...)
		if time.Now().After(deadline) {
			t.Fatal("the flow of a process that is dead is not resolved")
		}
	}
	recourse(0, of("withdraw", flows[2], "--who", "ann", "--why", "the shopper called")...)
	wants(recourse(0, of("export", "--standing", "any")...), flows[0], flows[1], flows[2], "the settlement file", `"standing":"succeeded"`)
	wants(recourse(0, of("prune", "--older-than", "24h", "--who", "ann", "--why", "quarterly")...), "0 flows were pruned")
	wants(recourse(0, of("audit")...), "ann", "the portal", "the settlement file", "the shopper called", "quarterly")
	wants(recourse(2, of("backup", "copy.db")...), "pg_dump")
	wants(recourse(2, "list", "--journal", database, "--schema", "nowhere"), "recourse serve --migrate")
	wants(recourse(2, "list", "--journal", "flows.db", "--schema", "shop"), "is for a journal in PostgreSQL")
	wants(recourse(2, "list", "--journal", "postgres://u:p@t@h/x"), "more than one @")
	_, url = serveProcess(t, database, "--schema", "shop")
	for _, key := range []string{"held", "left"} {
		if step := beginFlow(t, url, key); step["do"] != "end" || step["outcome"] != "succeeded" {
			t.Errorf("the next process, of %s: %v", key, step)
		}
	}
}
