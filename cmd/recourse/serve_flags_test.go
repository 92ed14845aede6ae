package main

import (
	"bytes"
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// A service is not started without what its flags ask for, and all that is wrong is said at once.
func TestServeRefusesFlagsThatSayNothing(t *testing.T) {
	for args, want := range map[string][]string{
		"--per-merchant NaN --drain -5s --migrate --tls-client-ca ca.pem --decision-log-every 1h": {"--per-merchant NaN", "--drain -5s", "--migrate and --schema", "--tls-client-ca needs", "go with --decision-log"},
		"--per-merchant -1":                               {"--per-merchant -1"},
		"--per-merchant Inf --journal flows.db":           {"--per-merchant +Inf"},
		"--per-merchant 5":                                {"--per-merchant needs --journal"},
		"--schema shop":                                   {"--migrate and --schema"},
		"--record out --admin-token-file t --two-persons": {"--record needs", "--admin-token-file needs", "--two-persons needs"},
		"--two-persons --journal flows.db":                {"--two-persons needs"},
		"--decision-log-size 100MB":                       {"go with --decision-log"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var said bytes.Buffer
		cmd := exec.CommandContext(ctx, recourseBinary(t), append([]string{"serve", "--listen", "127.0.0.1:0"}, strings.Fields(args)...)...)
		cmd.Dir, cmd.Stderr = t.TempDir(), &said
		err := cmd.Run()
		cancel()
		for _, word := range want {
			if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(said.String(), word) {
				t.Errorf("%s: %v; it does not say %q:\n%s", args, err, word, said.String())
			}
		}
		if n := strings.Count(strings.TrimSpace(said.String()), "\n"); n+1 != len(want) {
			t.Errorf("%s: %d lines\n%s", args, n+1, said.String())
		}
	}
}
