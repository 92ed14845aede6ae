package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/recourse-pay/recourse/policy"
	"github.com/recourse-pay/recourse/providers"
)

// codeLine is one line of `codes --json`.
type codeLine struct {
	Provider    string          `json:"provider"`
	Scope       string          `json:"scope"`
	Code        string          `json:"code"`
	Symbol      string          `json:"symbol"`
	Final       policy.Finality `json:"final"`
	Class       policy.Class    `json:"class"`
	Facts       []codeFact      `json:"facts"`
	Description string          `json:"description"`
}

type codeFact struct {
	Operation policy.Operation `json:"operation"`
	Phase     policy.Phase     `json:"phase"`
	Capture   string           `json:"capture,omitempty"` // auto or manual; absent: both
	Effect    policy.Effect    `json:"effect"`
	Class     policy.Class     `json:"class"`
	Stage     policy.Stage     `json:"stage"`
	Reach     policy.Reach     `json:"reach"`
	Basis     policy.Basis     `json:"basis"`
	Because   string           `json:"because"`
}

func codesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "codes",
		Short: "List the providers' codes and what each proves",
		Long: `Lists every code of the catalogues with what it proves for each operation and phase. A
hold (class authorized, effect executed) is pending where the capture is automatic. With
--deployment it lists what a provider says in one place, which a merchant chooses in [contract].

Exit codes: 0 listed, 2 could not run.`,
		Example: `  recourse codes --provider momo
  recourse codes --provider opi --deployment philippines
  recourse codes --json | jq 'select(.class=="duplicate_order")'`,
		Args: cobra.NoArgs,
	}
	dir := rulesFlag(cmd)
	provider := cmd.Flags().String("provider", "", "only this provider")
	deployment := cmd.Flags().String("deployment", "", "the codes of this deployment of the provider, with --provider")
	asJSON := cmd.Flags().Bool("json", false, "one JSON object a line")
	completeProviders(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		e, err := open(cmd, *dir)
		if err != nil {
			return err
		}
		if *deployment != "" && *provider == "" {
			return errors.New("--deployment needs --provider, whose deployment it is")
		}
		wanted := e.Catalogs.Names()
		if *provider != "" {
			wanted = []string{*provider}
		}
		for _, name := range wanted {
			cat, err := e.Catalogs.Get(name)
			if err != nil {
				return err
			}
			if *deployment != "" {
				at, ok := cat.Deployment(*deployment)
				if !ok {
					return fmt.Errorf("--deployment %q: the catalogue of %s has %q", *deployment, name, cat.Deployments())
				}
				cat = at
			}
			write := writeCodes
			if *asJSON {
				write = writeCodesJSON
			}
			if err := write(cmd.OutOrStdout(), cat); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

func writeCodesJSON(w io.Writer, cat *providers.Catalog) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, r := range cat.Codes {
		l := codeLine{
			Provider: cat.Name, Scope: r.Scope, Code: r.Code, Symbol: r.Symbol, Final: r.Final, Class: r.Class,
			Description: r.Description, Facts: []codeFact{},
		}
		for _, f := range r.Facts {
			l.Facts = append(l.Facts, codeFact{f.Operation, f.Phase, f.Only(), f.Effect, f.Class, f.Stage, f.Reach, f.Basis, f.Because})
		}
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

func writeCodes(w io.Writer, cat *providers.Catalog) error {
	fmt.Fprintf(w, "%s: %d codes, %d statuses\n", cat.Title, len(cat.Codes), len(cat.Statuses))
	if at := cat.Deployments(); len(at) > 0 {
		fmt.Fprintf(w, "Its deployments say some of it otherwise: --provider %s --deployment %s\n", cat.Name, strings.Join(at, " | "))
	}
	fmt.Fprintln(w)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SECTION\tCODE\tFINAL\tCLASS\tDESCRIPTION")
	for _, r := range cat.Codes {
		writeRow(tw, r.Scope, r.Code, r)
	}
	for _, r := range cat.Statuses {
		name := r.Status
		if r.SubStatus != "" {
			name += "/" + r.SubStatus
		}
		writeRow(tw, "status", name, r)
	}
	for _, r := range cat.Fallbacks {
		writeRow(tw, "status", strings.TrimSuffix(r.Status+"/"+r.SubStatus, "/")+", any other code", r)
	}
	fmt.Fprintln(tw)
	return tw.Flush()
}

func writeRow(w io.Writer, section, name string, r *providers.Row) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", section, name, r.Final, r.Class, r.Description)
	for _, f := range groupFacts(r.Facts) {
		fmt.Fprintf(w, "\t\t\t  %s\t  %s\n", f.effect, f.where)
	}
}

type factGroup struct{ effect, where string }

// groupFacts groups the operations and phases for which a code proves the same.
func groupFacts(facts []providers.RowFact) []factGroup {
	var groups []factGroup
	for _, f := range facts {
		where := f.Operation.String() + " " + f.Phase.String()
		if mode := f.Only(); mode != "" {
			where += " (capture " + mode + ")"
		}
		last := len(groups) - 1
		if last >= 0 && groups[last].effect == f.Effect.String() {
			groups[last].where += ", " + where
			continue
		}
		groups = append(groups, factGroup{f.Effect.String(), where})
	}
	for i := range groups {
		groups[i].where = strings.TrimSpace(groups[i].where)
	}
	return groups
}

func completeProviders(cmd *cobra.Command) {
	_ = cmd.RegisterFlagCompletionFunc("provider", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		cats, err := providers.Builtin()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return cats.Names(), cobra.ShellCompDirectiveNoFileComp
	})
}
