// Command recourse decides what to do after a payment provider answered a call. It also
// simulates, explains, checks and tests the rules that it decides by. See the README.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // merchants' timezones, where the machine has none

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/internal/ruleset"
	"github.com/recourse-pay/recourse/policy"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals) // before the first can be seen: a second Ctrl-C ends even what does not listen
		cancel()
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Exit codes: the checked property holds, does not hold, or could not be checked.
const (
	exitHolds    = 0
	exitDoesNot  = 1
	exitCouldNot = 2
)

// errDoesNotHold ends the command with exit code 1 and no message: the report was printed.
var errDoesNotHold = errors.New("does not hold")

// run runs the command and returns its exit code. It closes stdout if that is a file.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &standardOutput{w: stdout, failed: cancel}
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if lost := out.close(); lost != nil {
		fmt.Fprintf(stderr, "recourse: %s\n", lost)
		printErrors(stderr, err, lost)
		return exitCouldNot
	}
	switch {
	case err == nil:
		return exitHolds
	case errors.Is(err, errDoesNotHold):
		return exitDoesNot
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "recourse: interrupted")
	}
	printErrors(stderr, err, nil)
	return exitCouldNot
}

// printErrors prints every error of a joined one that the user does not know yet. lost, which may be nil, is the error of standard
// output: what it caused is not printed again.
func printErrors(w io.Writer, err, lost error) {
	if joined, ok := any(err).(interface{ Unwrap() []error }); ok && err.Error() == errors.Join(joined.Unwrap()...).Error() { // and nothing around them
		for _, e := range joined.Unwrap() {
			printErrors(w, e, lost)
		}
		return
	}
	if err == nil || errors.Is(err, errDoesNotHold) || errors.Is(err, context.Canceled) || lost != nil && errors.Is(err, lost) {
		return
	}
	printError(w, err)
}

// printError prints an error. Mistakes are printed one on each line, as FILE:LINE:COLUMN: message.
func printError(w io.Writer, err error) {
	var mistakes policy.Mistakes
	if errors.As(err, &mistakes) {
		err = mistakes
	}
	fmt.Fprintln(w, err)
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "recourse",
		Short: "Decide what to do with a payment provider's answer, and never charge twice",
		Long: `Recourse decides what happens after a payment provider answered a call with a code,
a status, or silence: mark it succeeded or failed, ask for its status, send it again,
or hand it to a person. Rules are TOML; whatever they say, no payment is sent under a
new identity while an earlier one may still execute.

Exit codes: 0 holds, 1 does not hold, 2 could not run.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(checkCommand(), verifyCommand(), certifyCommand(), testCommand(), diffCommand(), simulateCommand(), replayCommand(), bundleCommand(), importCommand(), auditCommand(), decideCommand(), explainCommand(),
		codesCommand(), serveCommand(), flowsCommand(), emulateCommand(), initCommand(), versionCommand())
	addVersionFlag(root)
	return root
}

// interruptible reads r until ctx is cancelled, even while a read of r blocks.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	return traffic.Interruptible(ctx, func() (io.ReadCloser, error) { return io.NopCloser(r), nil })
}

// rulesFlag adds --rules.
func rulesFlag(cmd *cobra.Command) *string {
	dir := cmd.Flags().String("rules", "", "folder of rules over the embedded defaults (baseline.toml, PROVIDER.toml, merchants/*.toml, providers/*.toml), or a bundle of it")
	cmd.Flags().String("digest", "", "the digest that rules and catalogues must have, as recourse bundle prints it")
	return dir
}

// open loads catalogues and rules, and prints their warnings on stderr.
func open(cmd *cobra.Command, dir string) (*ruleset.Engine, error) {
	return openBy(cmd, openRules, dir)
}

func openBy(cmd *cobra.Command, load func(dir string) (*ruleset.Engine, error), dir string) (*ruleset.Engine, error) {
	e, err := openPinned(cmd, load, dir)
	if err != nil {
		return nil, err
	}
	for _, w := range e.Warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %s\n", w.Position, w.Msg)
	}
	return e, nil
}

// collectSeldom lets the heap of a short command grow before it is collected: what is read at its start stays in use, so a
// collection there finds nothing. GOGC in the environment counts more.
func collectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(500)
	}
}

// openRules loads catalogues and rules. A file of the folder that would not be read is a mistake like any in the files.
func openRules(dir string) (*ruleset.Engine, error) {
	e, err := ruleset.Open(dir)
	return e, errors.Join(err, ruleset.Unread(dir))
}

// openLate is openRules for a command that is about one answer: it reads the catalogue of that answer's provider.
func openLate(dir string) (*ruleset.Engine, error) {
	e, err := ruleset.OpenLate(dir)
	return e, errors.Join(err, ruleset.Unread(dir))
}
