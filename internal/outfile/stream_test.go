//go:build unix

package outfile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/outfile"
)

func streamed(ctx context.Context, name, text string, fails error) error {
	return outfile.Stream(ctx, name, func(w io.Writer) error {
		for part := range strings.SplitAfterSeq(text, " ") {
			if _, err := io.WriteString(w, part); err != nil {
				return err
			}
		}
		return fails
	})
}

func TestStreams(t *testing.T) {
	dir := t.TempDir()
	file, link, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling")
	old(t, file)
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{link: "file", dangling: "new"} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	errFails := errors.New("it fails")
	for _, name := range []string{file, link, dangling, filepath.Join(dir, "none")} {
		if err := streamed(t.Context(), name, "half of it", errFails); !errors.Is(err, errFails) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if content(t, file) != "old" {
		t.Error("the file has changed")
	}
	only(t, dir, "dangling", "file", "link")
	for i, name := range []string{file, link, dangling} {
		text := fmt.Sprint("new text ", i)
		if err := streamed(t.Context(), name, text, nil); err != nil || content(t, name) != text {
			t.Errorf("%s: %v", name, err)
		}
	}
	if to, err := os.Readlink(link); err != nil || to != "file" {
		t.Errorf("the link is none: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	only(t, dir, "dangling", "file", "link", "new")
	for name, why := range map[string]string{"": "an empty name", dir: "it is a folder", filepath.Join(dir, "no", "f"): "no such file", filepath.Join(file, "f"): "not a directory"} {
		if err := streamed(t.Context(), name, "x", nil); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %q", name, err, why)
		}
	}
}

// A device is written to, never replaced and never removed. The test names links to them: one that fails leaves the devices alone.
func TestStreamsToDevices(t *testing.T) {
	dir := t.TempDir()
	for _, device := range []string{"/dev/null", "/dev/full"} {
		link := filepath.Join(dir, filepath.Base(device))
		if err := os.Symlink(device, link); err != nil {
			t.Fatal(err)
		}
		err := streamed(t.Context(), link, "new text", nil)
		if full := errors.Is(err, syscall.ENOSPC); full != (device == "/dev/full") || full && !strings.Contains(err.Error(), "full cannot be written") {
			t.Errorf("%s: %v", device, err)
		}
		if to, err := os.Readlink(link); err != nil || to != device {
			t.Errorf("%s: %v", to, err)
		}
	}
	only(t, dir, "full", "null")
}

// A pipe without a reader, and one whose reader does not read, end with the caller's interrupt.
func TestStreamsToPipes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if err := streamed(ctx, name, "for no reader", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("without a reader: %v", err)
	}
	reader, err := os.OpenFile(name, os.O_RDWR, 0) // opening a pipe for both waits for no one
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := streamed(t.Context(), name, "through it", nil); err != nil {
		t.Error(err)
	}
	got := make([]byte, 10)
	if _, err := io.ReadFull(reader, got); err != nil || string(got) != "through it" {
		t.Errorf("%q, %v", got, err)
	}
	ctx, interrupt = context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, interrupt)
	if err := streamed(ctx, name, strings.Repeat("more than a pipe holds ", 100_000), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a reader that does not read: %v", err)
	}
}
