package main

import (
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how many bytes of a recording are read, on a terminal only.
type progress struct {
	bar *progressbar.ProgressBar
	w   io.Writer // nil: not a terminal
}

func newProgress(w io.Writer) *progress {
	if !isTerminal(w) {
		return &progress{}
	}
	return &progress{w: w}
}

func (p *progress) show(read, size int64) {
	if p.w == nil {
		return
	}
	if p.bar == nil {
		if size == 0 {
			size = -1 // what the progress bar takes for an unknown size
		}
		p.bar = progressbar.NewOptions64(size,
			progressbar.OptionSetWriter(p.w), progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetDescription("reading"), progressbar.OptionThrottle(100_000_000), progressbar.OptionSetWidth(30))
	}
	_ = p.bar.Set64(read)
}

func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// counter shows how many items are done, on a terminal only. Its methods may be called from
// several goroutines.
type counter struct {
	mu   sync.Mutex
	bar  *progressbar.ProgressBar
	what string
	w    io.Writer // nil: not a terminal
}

func newCounter(w io.Writer, what string) *counter {
	if !isTerminal(w) {
		return &counter{}
	}
	return &counter{what: what, w: w}
}

func (c *counter) count(done, of int) {
	if c.w == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar == nil {
		c.bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(c.w), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetDescription(c.what), progressbar.OptionThrottle(100_000_000), progressbar.OptionSetWidth(30))
	}
	_ = c.bar.Set(done)
}

func (c *counter) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar != nil {
		_ = c.bar.Clear()
	}
}
