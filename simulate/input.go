package simulate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/recourse-pay/recourse/policy"
)

// input is one recording.
type input struct {
	name string // for messages
	size int64  // in bytes as stored; 0: not known
	open func() (io.ReadCloser, error)

	waits bool   // open and Read may wait without end: a pipe, a terminal
	path  string // of a file that can be read from anywhere; empty: it is none
	lines int    // of its file before it begins
}

// reader opens the recording. Where open or Read may wait, what it returns stops waiting when ctx
// is cancelled. The goroutine that waits then stays until its input ends: no system call of
// a terminal's can be called off.
func (in *input) reader(ctx context.Context) (io.ReadCloser, error) {
	if !in.waits {
		return in.open()
	}
	out, to := io.Pipe()
	go func() {
		from, err := in.open()
		if err == nil {
			_, err = io.Copy(to, from)
			_ = from.Close()
		}
		to.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { to.CloseWithError(context.Cause(ctx)) })
	return out, nil
}

// inputsOf finds the recordings of Run's paths.
func inputsOf(paths []string, stdin io.Reader, warn func(error)) ([]input, error) {
	var all []input
	for _, path := range paths {
		if path == "-" {
			if stdin == nil {
				return nil, errors.New(`Options.Stdin must be set where a path is "-"`)
			}
			all = append(all, input{name: "stdin", waits: true, open: func() (io.ReadCloser, error) { return io.NopCloser(stdin), nil }})
			continue
		}
		found, err := files(path, warn)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func files(path string, warn func(error)) ([]input, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		if info, err := os.Stat(target); err == nil && info.IsDir() {
			path = target // a walk does not follow the link that it starts from
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []input{fileInput(path, info)}, nil
	}
	var all []input
	var others policy.Counts // files that are not read, by the ends of their names
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !isRecording(p) {
			addTo(&others, cmp.Or(filepath.Ext(p), "without an ending"), 1)
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all = append(all, fileInput(p, info))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no .jsonl or .jsonl.gz file in this folder%s", path, endings("; there are: ", others))
	}
	if len(others) > 0 {
		warn(fmt.Errorf("%s: only .jsonl and .jsonl.gz files of a folder are read%s", path, endings("; not read: ", others)))
	}
	sort.Slice(all, func(i, j int) bool { return all[i].name < all[j].name })
	return all, nil
}

// addTo counts in place, where [policy.Counts.Plus] makes a copy.
func addTo(c *policy.Counts, name string, n int) {
	for i := range *c {
		if (*c)[i].Name == name {
			(*c)[i].N += n
			return
		}
	}
	*c = append(*c, policy.Count{Name: name, N: n})
}

// endings is "3 .har, 1 .txt" behind a text, or nothing.
func endings(before string, counts policy.Counts) string {
	var parts []string
	for _, c := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", c.N, c.Name))
	}
	if len(parts) == 0 {
		return ""
	}
	return before + strings.Join(parts, ", ")
}

func isRecording(p string) bool {
	return strings.HasSuffix(p, ".jsonl") || strings.HasSuffix(p, ".jsonl.gz")
}

func fileInput(path string, info fs.FileInfo) input {
	in := input{
		name: path, size: info.Size(), waits: !info.Mode().IsRegular(),
		open: func() (io.ReadCloser, error) { return os.Open(path) },
	}
	if !in.waits {
		in.path = path
	}
	return in
}
