package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/policy"
)

// flowLine is a flow as the admin handler lists it.
type flowLine struct {
	Flow      string
	Standing  string
	Since     time.Time
	Version   int64
	Provider  string
	Merchant  string
	Operation string
	Key       string `json:"payment_key"`
	Due       time.Time
	Damaged   string
}

type flowsPage struct {
	Now   time.Time
	Flows []flowLine
	Next  string
}

// flowView is a flow as the admin handler shows it.
type flowView struct {
	flowLine

	State *flow.State
	Live  bool
	Held  string
	Story []struct {
		At   time.Time
		What string
	}
	Ends []struct {
		OrderID   string `json:"order_id"`
		RequestID string `json:"request_id"`
		What      string
		By        []string
	}
	Notices int
	Audit   []auditLine
	Now     time.Time

	Proposal string // of a resolve that waits for a second person
	Until    time.Time
}

type auditLine struct {
	At     time.Time
	Verb   string
	Asked  struct{ Who, Why string }
	Result string
	ID     string
	Waits  bool // for a second person
	Until  time.Time
}

func (l *auditLine) waits(now time.Time) bool { return l.Waits && now.Before(l.Until) }

// plain takes out of a text what is no character with a look of its own: the text came from a provider or a file and goes to a terminal,
// which a control character commands, and in which one that turns the direction moves its neighbours.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, text)
}

// age is how long ago a time was, as coarse as a person reads it.
func age(now, at time.Time) string {
	d := now.Sub(at)
	switch {
	case d < 0:
		return "-" + age(at, now)
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return d.Round(time.Second).String()
}

func writeFlows(w io.Writer, page *flowsPage) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "FLOW\tSTANDING\tFOR\tPROVIDER\tMERCHANT\tOPERATION\tPAYMENT KEY\tNEXT")
	for i := range page.Flows {
		f := &page.Flows[i]
		next := "-"
		switch {
		case f.Damaged != "":
			next = "cannot be read: " + plain(f.Damaged)
		case f.Due.After(page.Now):
			next = "in " + age(f.Due, page.Now)
		case !f.Due.IsZero():
			next = "due for " + age(page.Now, f.Due)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain(f.Flow), f.Standing, age(page.Now, f.Since), plain(f.Provider), orDash(f.Merchant),
			f.Operation, orDash(f.Key), next)
	}
	_ = tw.Flush()
	if page.Next != "" {
		fmt.Fprintf(w, "\nThere may be more: --after %s\n", page.Next)
	}
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return plain(text)
}

func writeFlow(w io.Writer, f *flowView) {
	fmt.Fprintf(w, "flow %s, version %d: %s since %s\n", plain(f.Flow), f.Version, f.Standing, f.Since.Format(time.RFC3339))
	fmt.Fprintf(w, "%s %s, merchant %s, payment key %s", plain(f.Provider), f.Operation, orDash(f.Merchant), orDash(f.Key))
	if f.State != nil && f.State.Payment.Amount != 0 {
		fmt.Fprintf(w, ", %s", policy.FormatAmount(f.State.Payment.Amount, f.State.Payment.Currency))
	}
	fmt.Fprintln(w)
	if f.Damaged != "" {
		fmt.Fprintf(w, "\nThe row cannot be read, and is left as it is: %s\n", plain(f.Damaged))
	}
	if f.Held != "" {
		fmt.Fprintf(w, "held by the %s\n", f.Held)
	}
	if f.Notices > 0 {
		fmt.Fprintf(w, "%d calls of OnEscalate or OnAlert are owed\n", f.Notices)
	}
	if len(f.Story) > 0 {
		fmt.Fprintln(w, "\nstory")
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, l := range f.Story {
			fmt.Fprintf(tw, "  %s\t%s\n", l.At.Format(time.RFC3339), plain(l.What))
		}
		_ = tw.Flush()
	}
	for _, e := range f.Ends {
		fmt.Fprintf(w, "\n%s\n", plain(e.What))
		if e.OrderID != "" {
			fmt.Fprintf(w, "  order %s, request %s\n", plain(e.OrderID), plain(e.RequestID))
		}
		fmt.Fprintln(w, "  it ends with")
		for _, by := range e.By {
			fmt.Fprintf(w, "    - %s\n", plain(by))
		}
	}
	if len(f.Audit) > 0 {
		fmt.Fprintln(w, "\naudit")
		writeAudit(w, f.Audit)
	}
	for i := range f.Audit {
		if l := &f.Audit[i]; l.waits(f.Now) {
			fmt.Fprintf(w, "\nuntil %s another person than %s may confirm: --proposal %s\n", l.Until.Format(time.RFC3339), plain(l.Asked.Who), plain(l.ID))
		}
	}
}

func writeAudit(w io.Writer, all []auditLine) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range all {
		result := l.Result
		if result == "" {
			result = "not known: the process ended meanwhile"
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%s\n", l.At.Format(time.RFC3339), l.Verb, plain(l.Asked.Who), plain(l.Asked.Why), plain(result))
	}
	_ = tw.Flush()
}

// writeAnswer prints an answer of the handler, indented.
func writeAnswer(w io.Writer, text []byte) error {
	return printJSON(w, json.RawMessage(text))
}
