package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/recourse-pay/recourse/simulate"
)

// progress shows how far a long reading has come, on a terminal only.
type progress struct{ bar *progressbar.ProgressBar }

func newProgress(w io.Writer, inputs []simulate.Input) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
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
