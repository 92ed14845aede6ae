//go:build unix

package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
)

func TestMain(m *testing.M) {
	if text, is := os.LookupEnv(workerVar); is { // this program is its own worker
		fmt.Fprintln(os.Stderr, "worker:", work(text))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestCluster(t *testing.T) {
	var out strings.Builder
	if err := run(&out, "", testkit.Size(40, 100, 400)); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if text := out.String(); !regexp.MustCompile(`succeeded +\d+\n`).MatchString(text) || !strings.Contains(text, "of them twice: 0") {
		t.Errorf("it printed:\n%s", text)
	}
}
