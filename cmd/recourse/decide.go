package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/internal/advice"
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
		e, err := open(cmd, *dir)
		if err != nil {
			return err
		}
		in := bufio.NewReaderSize(interruptible(cmd.Context(), cmd.InOrStdin()), 1<<16)
		out := bufio.NewWriter(cmd.OutOrStdout())
		defer out.Flush()
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		unread := false
		for number := 1; ; number++ {
			raw, readErr := in.ReadBytes('\n')
			if line := bytes.TrimSpace(raw); len(line) > 0 {
				var answer any
				q, err := advice.Read(line)
				var adv *advice.Advice
				if err == nil {
					adv, err = q.Ask(e)
				}
				if err != nil {
					unread = true
					fmt.Fprintf(cmd.ErrOrStderr(), "stdin:%d: %s\n", number, err)
					answer = map[string]string{"error": err.Error()}
				} else {
					answer = adv.Decision()
				}
				if err := enc.Encode(answer); err != nil {
					return err
				}
				if in.Buffered() == 0 { // somebody may be waiting for this answer
					if err := out.Flush(); err != nil {
						return err
					}
				}
			}
			if errors.Is(readErr, io.EOF) {
				break
			}
			if readErr != nil {
				return fmt.Errorf("stdin: %w", readErr)
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
		}
		if unread {
			if err := out.Flush(); err != nil {
				return err
			}
			return errDoesNotHold
		}
		return nil
	}
	return cmd
}
