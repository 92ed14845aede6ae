package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// pollInterval is the time between two looks at the watched files. Unlike notifications,
// polling works on every file system, also in containers and over networks.
const pollInterval = 300 * time.Millisecond

// keepWatch runs the tests whenever a TOML file of the rules or the tests changes.
func (q *testRun) keepWatch(cmd *cobra.Command) error {
	if len(q.paths) == 0 {
		return errors.New("--watch needs a folder; these tests are built in")
	}
	ctx := cmd.Context()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var seen map[string]stamp
	for {
		now := q.stamps()
		if !maps.Equal(seen, now) {
			seen = now
			if err := q.runOnce(cmd); err != nil && !errors.Is(err, errDoesNotHold) {
				if errors.Is(err, context.Canceled) {
					return nil
				}
				printError(cmd.ErrOrStderr(), err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "-- waiting for a change; Ctrl-C ends --\n")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// stamp identifies one state of a file.
type stamp struct {
	size int64
	at   time.Time
}

// stamps are those of the rules and the tests.
func (q *testRun) stamps() map[string]stamp {
	return stampsOf(append([]string{*q.rules}, q.paths...)...)
}

// stampsOf are those of the TOML files in folders; an empty name is none.
func stampsOf(roots ...string) map[string]stamp {
	all := map[string]stamp{}
	for _, root := range roots {
		if root == "" {
			continue
		}
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error { // a file that cannot be read now may be readable at the next look
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".toml") && path != root {
				return nil
			}
			if info, err := os.Stat(path); err == nil {
				all[path] = stamp{info.Size(), info.ModTime()}
			}
			return nil
		})
	}
	return all
}
