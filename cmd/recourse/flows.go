package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/journal/sqlite"
)

func flowsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "flows",
		Short: "List, show and settle the flows of a journal",
		Long: `Looks at the flows of a journal, and settles those that wait for a person: in the file of a
process that does not run, in a PostgreSQL database, or through the admin handler of a process that runs. Reading a file works
beside its process; what writes is then refused. In a database it is left to the process that holds the flow. Who and why are required, and stand on an
audit trail in the journal for ever. docs/operate.md says what to do when.

Exit codes: 0 done, 1 refused (the flow has ended, has changed, or is proved otherwise), 2 could not run.`,
	}
	cmd.AddCommand(flowsList(), flowsShow(), flowsResolve(), flowsConfirm(), flowsWithdraw(), flowsExport(), flowsBackup(), flowsPrune(), flowsAudit())
	return cmd
}

// filterFlags add the flags that select flows, and return their parameters.
func filterFlags(cmd *cobra.Command) func() url.Values {
	standing := cmd.Flags().StringSlice("standing", nil, "open, in_doubt, escalated, succeeded, failed, unclassified or any; without it the first three")
	flags := map[string]*string{
		"merchant":   cmd.Flags().String("merchant", "", "only this merchant"),
		"provider":   cmd.Flags().String("provider", "", "only this provider"),
		"older_than": cmd.Flags().String("older-than", "", "only those that have stood so for longer, such as 90m"),
	}
	completeProviders(cmd)
	return func() url.Values {
		q := url.Values{"standing": *standing}
		for name, value := range flags {
			if *value != "" {
				q.Set(name, *value)
			}
		}
		return q
	}
}

// flowsVerb makes a subcommand. run gets the handler; write says that it changes something.
func flowsVerb(use, short, example string, args cobra.PositionalArgs, write bool, run func(*cobra.Command, *adminClient, []string) error) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Example: example, Args: args,
		Long: short + `.

Exit codes: 0 done, 1 refused, 2 could not run.`,
	}
	var from flowsSource
	from.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := from.open(cmd, write)
		if err != nil {
			return err
		}
		err = run(cmd, c, args)
		return errors.Join(err, c.close())
	}
	return cmd
}

func flowsList() *cobra.Command {
	var filter func() url.Values
	var after string
	var limit int
	var asJSON *bool
	cmd := flowsVerb("list", "List flows, those that have waited longest first", "  recourse flows list --journal flows.db --standing in_doubt --older-than 1h",
		cobra.NoArgs, false, func(cmd *cobra.Command, c *adminClient, _ []string) error {
			q := filter()
			q.Set("limit", fmt.Sprint(limit))
			if after != "" {
				q.Set("after", after)
			}
			var page flowsPage
			text, err := c.get(cmd.Context(), "/flows", q, &page)
			if err != nil {
				return err
			}
			if *asJSON {
				return writeAnswer(cmd.OutOrStdout(), text)
			}
			writeFlows(cmd.OutOrStdout(), &page)
			return nil
		})
	filter, asJSON = filterFlags(cmd), jsonFlag(cmd)
	cmd.Flags().StringVar(&after, "after", "", "the page after this, as an earlier list printed it")
	cmd.Flags().IntVar(&limit, "limit", 100, "flows on a page, at most 1000")
	return cmd
}

func flowsShow() *cobra.Command {
	var asJSON *bool
	cmd := flowsVerb("show FLOW", "Show a flow: its story, what would end its doubt, and who did what to it", "  recourse flows show f-1 --journal flows.db",
		cobra.ExactArgs(1), false, func(cmd *cobra.Command, c *adminClient, args []string) error {
			var f flowView
			text, err := c.get(cmd.Context(), "/flows/"+url.PathEscape(args[0]), nil, &f)
			if err != nil {
				return err
			}
			if *asJSON {
				return writeAnswer(cmd.OutOrStdout(), text)
			}
			writeFlow(cmd.OutOrStdout(), &f)
			return nil
		})
	asJSON = jsonFlag(cmd)
	return cmd
}

// personFlags add --who and --why, and return them as the handler wants them.
func personFlags(cmd *cobra.Command) map[string]any {
	body := map[string]any{}
	for name, usage := range map[string]string{"who": "the person who wants it; stands on the audit trail", "why": "the reason, and where it can be looked up"} {
		value := cmd.Flags().String(name, "", usage)
		_ = cmd.MarkFlagRequired(name)
		body[name] = value
	}
	return body
}

// seenFlag adds --seen.
func seenFlag(cmd *cobra.Command, body map[string]any) {
	body["version"] = cmd.Flags().Int64("seen", 0, "the version that you saw: nothing is done if the flow has changed since")
}

// give sends an order and prints what came of it.
func give(cmd *cobra.Command, c *adminClient, path string, body map[string]any, asJSON bool, done func(io.Writer, *flowView)) error {
	var f flowView
	text, err := c.post(cmd.Context(), path, body, &f)
	var refused *refusedError
	if errors.As(err, &refused) {
		if asJSON {
			if err := writeAnswer(cmd.OutOrStdout(), refused.body); err != nil {
				return err
			}
		}
		fmt.Fprintln(cmd.ErrOrStderr(), refused.text)
		return errDoesNotHold
	}
	if err != nil {
		return err
	}
	if asJSON {
		return writeAnswer(cmd.OutOrStdout(), text)
	}
	done(cmd.OutOrStdout(), &f)
	return nil
}

func writeDone(w io.Writer, f *flowView) {
	fmt.Fprintf(w, "flow %s is %s now, at version %d\n", plain(f.Flow), f.Standing, f.Version)
}

// writeResolved says that a resolution was done, or that it waits for a second person.
func writeResolved(w io.Writer, f *flowView) {
	if f.Proposal == "" {
		writeDone(w, f)
		return
	}
	fmt.Fprintf(w, "flow %s is as it was. A second person confirms until %s:\n  recourse flows confirm %[1]s --proposal %[3]s --who … --why …\n", plain(f.Flow), f.Until.Format(time.RFC3339), plain(f.Proposal))
}

func flowsResolve() *cobra.Command {
	var body map[string]any
	var order, request, effect string
	var override, propose bool
	var asJSON *bool
	cmd := flowsVerb("resolve FLOW", "Settle a request of a flow, by the word of a person who has looked at the provider's side",
		`  recourse flows resolve f-1 --journal flows.db --effect executed --who ann --why "settlement file of 2 March, line 77"`,
		cobra.ExactArgs(1), true, func(cmd *cobra.Command, c *adminClient, args []string) error {
			path := "/flows/" + url.PathEscape(args[0])
			if order == "" {
				var err error
				if order, request, err = onlyRequest(cmd, c, path); err != nil {
					return err
				}
			}
			body["order_id"], body["request_id"], body["effect"], body["override"] = order, request, effect, override
			if propose {
				body["propose"] = true
			}
			return give(cmd, c, path+"/resolve", body, *asJSON, writeResolved)
		})
	body, asJSON = personFlags(cmd), jsonFlag(cmd)
	seenFlag(cmd, body)
	cmd.Flags().StringVar(&order, "order", "", "order id of the request; not needed where the flow sent one request only")
	cmd.Flags().StringVar(&request, "request", "", "its request id, where several requests have the order id")
	cmd.Flags().StringVar(&effect, "effect", "", "what became of it: executed or not_executed")
	cmd.Flags().BoolVar(&override, "override", false, "also against the proof that it executed: its payment key is then free")
	cmd.Flags().BoolVar(&propose, "propose", false, "a second person confirms, also where one may do it")
	_ = cmd.MarkFlagRequired("effect")
	return cmd
}

func flowsConfirm() *cobra.Command {
	var body map[string]any
	var proposal string
	var reject bool
	var asJSON *bool
	cmd := flowsVerb("confirm FLOW", "Do what another person has proposed, or reject it",
		`  recourse flows confirm f-1 --admin http://127.0.0.1:9090 --who bob --why "the provider's portal, payment 77"`,
		cobra.ExactArgs(1), true, func(cmd *cobra.Command, c *adminClient, args []string) error {
			path := "/flows/" + url.PathEscape(args[0])
			if proposal == "" {
				var err error
				if proposal, err = onlyProposal(cmd, c, path); err != nil {
					return err
				}
			}
			body["proposal"], body["reject"] = proposal, reject
			return give(cmd, c, path+"/confirm", body, *asJSON, writeDone)
		})
	body, asJSON = personFlags(cmd), jsonFlag(cmd)
	seenFlag(cmd, body)
	cmd.Flags().StringVar(&proposal, "proposal", "", "its id, as recourse flows show says it; not needed where one waits")
	cmd.Flags().BoolVar(&reject, "reject", false, "it is not to be done; who proposed it may say so, too")
	return cmd
}

// onlyProposal finds the proposal of a flow where one waits.
func onlyProposal(cmd *cobra.Command, c *adminClient, path string) (string, error) {
	var f flowView
	if _, err := c.get(cmd.Context(), path, nil, &f); err != nil {
		return "", err
	}
	var waits []string
	for i := range f.Audit {
		if l := &f.Audit[i]; l.waits(f.Now) {
			waits = append(waits, l.ID)
		}
	}
	if len(waits) != 1 {
		return "", fmt.Errorf("of flow %s %d proposals wait; --proposal names one: %s", plain(f.Flow), len(waits), plain(strings.Join(waits, ", ")))
	}
	return waits[0], nil
}

// onlyRequest finds the request of a flow that sent one.
func onlyRequest(cmd *cobra.Command, c *adminClient, path string) (order, request string, err error) {
	var f flowView
	if _, err := c.get(cmd.Context(), path, nil, &f); err != nil {
		return "", "", err
	}
	if f.State == nil {
		return "", "", fmt.Errorf("flow %s cannot be read: %s", f.Flow, f.Damaged)
	}
	var sent []string
	for i := range f.State.Ledger {
		if id := &f.State.Ledger[i]; id.Sends > 0 {
			order, request = id.OrderID, id.RequestID
			sent = append(sent, fmt.Sprintf("--order %s --request %s (%s)", plain(id.OrderID), plain(id.RequestID), id.Effect))
		}
	}
	if len(sent) != 1 {
		return "", "", fmt.Errorf("flow %s sent %d requests; name one: %s", f.Flow, len(sent), strings.Join(sent, ", "))
	}
	return order, request, nil
}

func flowsWithdraw() *cobra.Command {
	var body map[string]any
	var asJSON *bool
	cmd := flowsVerb("withdraw FLOW", "Let a flow send nothing more; what it sent is found out",
		`  recourse flows withdraw f-1 --admin http://127.0.0.1:9090 --who ann --why "the shopper called"`,
		cobra.ExactArgs(1), true, func(cmd *cobra.Command, c *adminClient, args []string) error {
			return give(cmd, c, "/flows/"+url.PathEscape(args[0])+"/withdraw", body, *asJSON, writeDone)
		})
	body, asJSON = personFlags(cmd), jsonFlag(cmd)
	seenFlag(cmd, body)
	return cmd
}

func flowsPrune() *cobra.Command {
	var body map[string]any
	var asJSON *bool
	cmd := flowsVerb("prune", "Delete ended flows that are old; paid keys and the audit trail stay",
		`  recourse flows prune --journal flows.db --older-than 2160h --who ann --why "quarterly"`,
		cobra.NoArgs, true, func(cmd *cobra.Command, c *adminClient, _ []string) error {
			var answer struct{ Pruned int }
			text, err := c.post(cmd.Context(), "/prune", body, &answer)
			if err != nil {
				return err
			}
			if *asJSON {
				return writeAnswer(cmd.OutOrStdout(), text)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s flows were pruned\n", count(answer.Pruned))
			return nil
		})
	body, asJSON = personFlags(cmd), jsonFlag(cmd)
	body["older_than"] = cmd.Flags().String("older-than", "", "since their last write, at least 24h")
	_ = cmd.MarkFlagRequired("older-than")
	return cmd
}

func flowsAudit() *cobra.Command {
	var asJSON *bool
	var after string
	cmd := flowsVerb("audit", "List who did what, the first first", "  recourse flows audit --journal flows.db",
		cobra.NoArgs, false, func(cmd *cobra.Command, c *adminClient, _ []string) error {
			q := url.Values{}
			if after != "" {
				q.Set("after", after)
			}
			var page struct {
				Audit []auditLine
				Next  string
			}
			text, err := c.get(cmd.Context(), "/audit", q, &page)
			if err != nil {
				return err
			}
			if *asJSON {
				return writeAnswer(cmd.OutOrStdout(), text)
			}
			writeAudit(cmd.OutOrStdout(), page.Audit)
			if page.Next != "" {
				fmt.Fprintf(cmd.OutOrStdout(), "\nThere may be more: --after %s\n", page.Next)
			}
			return nil
		})
	asJSON = jsonFlag(cmd)
	cmd.Flags().StringVar(&after, "after", "", "the page after this, as an earlier list printed it")
	return cmd
}

func flowsExport() *cobra.Command {
	var filter func() url.Values
	cmd := flowsVerb("export", "Print flows with their evidence, one JSON object a line",
		"  recourse flows export --journal flows.db --standing any > flows.jsonl",
		cobra.NoArgs, false, func(cmd *cobra.Command, c *adminClient, _ []string) error {
			answer, err := c.send(cmd.Context(), http.MethodGet, "/export", filter(), nil)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			return copyExport(cmd.OutOrStdout(), answer.Body)
		})
	filter = filterFlags(cmd)
	return cmd
}

// copyExport prints the lines of an export but the last, which says whether it is complete.
func copyExport(w io.Writer, r io.Reader) error {
	out, in := bufio.NewWriter(w), bufio.NewReader(r)
	var last []byte
	for {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(out.Flush(), err)
		}
		if len(line) > 0 {
			if _, err := out.Write(last); err != nil {
				return err
			}
			last = line
		}
		if err != nil {
			break
		}
	}
	var end struct {
		Complete bool
		Flows    int
		Error    string
	}
	if err := json.Unmarshal(last, &end); err != nil || !end.Complete {
		return errors.Join(out.Flush(), fmt.Errorf("the export is not complete: it was cut short after %d flows; %s", end.Flows, end.Error))
	}
	return out.Flush()
}

func flowsBackup() *cobra.Command {
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Copy a journal to a new file, also while its process runs", Args: cobra.ExactArgs(1),
		Long: `Copies a journal to a new file, also while its process runs. The copy is whole. It must never become a second journal
that pays: the keys that were paid since are free in it.

Exit codes: 0 done, 2 could not run.`,
		Example: "  recourse flows backup --journal flows.db backups/2026-03-02.db",
	}
	var from flowsSource
	from.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := from.backup(cmd, args[0]); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s was written\n", args[0])
		return nil
	}
	return cmd
}

func (s *flowsSource) backup(cmd *cobra.Command, to string) error {
	if s.url == "" {
		if isDatabase(s.journal) {
			return errors.New("--journal: a database is backed up as any other, by pg_dump or a base backup with its log")
		}
		if err := s.isFile(); err != nil {
			return err
		}
		j, err := sqlite.Open(s.journal, &sqlite.Options{ReadOnly: true})
		if err != nil {
			return err
		}
		return errors.Join(j.Backup(cmd.Context(), to), j.Close())
	}
	c, err := s.open(cmd, false)
	if err != nil {
		return err
	}
	answer, err := c.send(cmd.Context(), http.MethodGet, "/backup", nil, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); kind != "application/vnd.sqlite3" {
		return fmt.Errorf("the answer is of the type %q and no journal; is that the admin handler?", kind)
	}
	if _, err := os.Lstat(to); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is there already; a backup needs a new file", to)
	}
	partial := to + ".partial"
	file, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, answer.Body) // an answer that is cut short is an error, by its length
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(partial, to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(partial))
	}
	return nil
}
