package main

import (
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/recourse-pay/recourse/simulate"
)

// progress shows how many bytes were read, on a terminal only.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(w io.Writer, inputs []simulate.Input) *progress {
	if !isTerminal(w) {
		return &progress{}
	}
	var size int64
	for _, in := range inputs {
		if in.Size == 0 {
			size = -1
			break
		}
		size += in.Size
	}
	return &progress{progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w), progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetDescription("reading"), progressbar.OptionThrottle(100_000_000), progressbar.OptionSetWidth(30))}
}

func (p *progress) show(bytes int64) {
	if p.bar != nil {
		_ = p.bar.Set64(bytes)
	}
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
