package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

func decideCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "decide",
		Short: "Read answers as JSON lines, write one decision a line",
		Long: `Reads JSON lines from standard input, each an answer of a provider, and writes for each
line what would be done about it. "body" takes the raw response in place of the decoded
fields: a JSON value, or a string with whatever came. A line that cannot be read gets
{"error": …} in its place, and the exit code is then 1.`,
		Example: `  echo '{"provider":"momo","operation":"pay","fault":"timeout"}' | recourse decide
  echo '{"provider":"momo","operation":"pay","code":41,"in_doubt":true}' | recourse decide
  echo '{"provider":"opi","operation":"payout","phase":"query","body":"<html>"}' | recourse decide`,
		Args: cobra.NoArgs,
	}
	dir := rulesFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		collectSeldom()
		e, err := openBy(cmd, openLate, *dir)
		if err != nil {
			return err
		}
		d := newDecider(e, cmd.OutOrStdout(), cmd.ErrOrStderr())
		in := bufio.NewReaderSize(interruptible(cmd.Context(), cmd.InOrStdin()), 1<<16)
		if err := errors.Join(d.run(cmd.Context(), in), d.out.Flush()); err != nil {
			return err
		}
		if d.failed {
			return errDoesNotHold
		}
		return nil
	}
	return cmd
}

// decider answers questions, one on each line.
type decider struct {
	engine *ruleset.Engine
	out    *bufio.Writer
	enc    *json.Encoder // writes to out
	errs   io.Writer
	failed bool   // some line had an error
	buffer []byte // of the line that is written

	question advice.Question // of the line
	asker    advice.Asker
}

func newDecider(e *ruleset.Engine, out, errs io.Writer) *decider {
	d := &decider{engine: e, out: bufio.NewWriterSize(out, 1<<16), errs: errs}
	d.enc = json.NewEncoder(d.out)
	d.enc.SetEscapeHTML(false)
	return d
}

const (
	maxQuestion = 16 << 20  // bytes of a line; a longer one gets an error in its place
	maxSkip     = 256 << 20 // bytes that are passed over in search of a line break
)

var errTooLong = fmt.Errorf("a line of more than %d MiB", maxQuestion>>20)

// readLine reads a line. Of a line that is too long it keeps nothing, and tooLong is set; a line that
// does not end is an error, because its input may never end.
// The line is good until the next one is read; kept is the memory of the one before.
func readLine(ctx context.Context, in *bufio.Reader, kept []byte) (line []byte, tooLong bool, err error) {
	skipped := 0
	line = kept[:0]
	for ctx.Err() == nil {
		part, err := in.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > maxQuestion; tooLong {
			skipped += len(line) + len(part)
			line = nil
		} else {
			line = append(line, part...)
		}
		if skipped > maxSkip {
			return nil, true, fmt.Errorf("no line break in %d MiB; a line has at most %d MiB", maxSkip>>20, maxQuestion>>20)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, tooLong, err
		}
	}
	return nil, false, ctx.Err()
}

// run reads lines to the end of the input, or until ctx is cancelled.
func (d *decider) run(ctx context.Context, in *bufio.Reader) error {
	var raw []byte
	for number := 1; ; number++ {
		var tooLong bool
		var readErr error
		raw, tooLong, readErr = readLine(ctx, in, raw)
		if line := bytes.TrimSpace(raw); len(line) > 0 || tooLong {
			if err := d.line(number, line, tooLong); err != nil {
				return err
			}
			if in.Buffered() == 0 { // the caller may wait for this answer before it writes the next line
				if err := d.out.Flush(); err != nil {
					return err
				}
			}
		}
		switch {
		case errors.Is(readErr, io.EOF):
			return nil
		case readErr != nil:
			return fmt.Errorf("stdin:%d: %w", number, readErr)
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// line writes the decision for one line, or an error object in its place.
func (d *decider) line(number int, line []byte, tooLong bool) error {
	decision, err := advice.Decision{}, errTooLong
	if !tooLong {
		decision, err = d.decide(line)
	}
	if err != nil {
		d.failed = true
		fmt.Fprintf(d.errs, "stdin:%d: %s\n", number, err)
		return d.enc.Encode(map[string]string{"error": err.Error()})
	}
	d.buffer = append(decision.AppendJSON(d.buffer[:0]), '\n')
	_, err = d.out.Write(d.buffer)
	return err
}

func (d *decider) decide(line []byte) (advice.Decision, error) {
	if err := advice.ReadInto(line, &d.question); err != nil {
		return advice.Decision{}, err
	}
	adv, err := d.asker.Ask(d.engine, &d.question)
	if err != nil {
		return advice.Decision{}, err
	}
	return adv.Decision(), nil
}
