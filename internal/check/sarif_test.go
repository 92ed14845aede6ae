package check_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/internal/check"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

// The parts of SARIF 2.1.0 that code-review tools need: the version, a named tool, and for every
// result a known rule, a level, a text and a place.
func TestSARIF(t *testing.T) {
	e, err := ruleset.Open("testdata/example")
	if err != nil {
		t.Fatal(err)
	}
	report, err := check.Run(context.Background(), e, check.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := report.WriteSARIF(&b); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			ColumnKind string
			Tool       struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID               string
						ShortDescription struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID, Level string
				RuleIndex     *int
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           *struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || log.Schema == "" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name == "" || log.Runs[0].ColumnKind != "unicodeCodePoints" {
		t.Fatalf("the frame of the log: %s", b.String())
	}
	run := log.Runs[0]
	if len(run.Results) != len(report.Findings) || len(run.Results) == 0 {
		t.Fatalf("%d results of %d findings", len(run.Results), len(report.Findings))
	}
	for i, r := range run.Results {
		f := report.Findings[i]
		if r.RuleIndex == nil || run.Tool.Driver.Rules[*r.RuleIndex].ID != r.RuleID || run.Tool.Driver.Rules[*r.RuleIndex].ShortDescription.Text == "" {
			t.Errorf("result %d: its rule is not described", i)
		}
		if !slices.Contains([]string{"error", "warning", "note"}, r.Level) || r.Message.Text == "" || len(r.Locations) != 1 {
			t.Errorf("result %d: level %q, %d places", i, r.Level, len(r.Locations))
			continue
		}
		at := r.Locations[0].PhysicalLocation
		if at.ArtifactLocation.URI != f.File || at.Region != nil && (at.Region.StartLine != f.Line || at.Region.StartColumn != f.Column) || at.Region == nil && f.Line > 0 {
			t.Errorf("result %d is at %+v; want %s", i, at, f.Place)
		}
	}
}

// A cancelled run returns what it knows by then, with Complete false.
func TestCancelledRunIsIncomplete(t *testing.T) {
	e, err := ruleset.Open("testdata/example")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	report, err := check.Run(ctx, e, check.Options{})
	if !errors.Is(err, context.Canceled) || report == nil || report.Complete {
		t.Errorf("error %v, report %+v", err, report)
	}
}

// Every row names a scheme, a region, what it counts, its source and its date.
func TestCeilingsAreDatedAndRegional(t *testing.T) {
	rows, err := check.Ceilings()
	if err != nil {
		t.Fatal(err)
	}
	schemes := map[string]int{}
	for _, r := range rows {
		schemes[r.Scheme]++
		if r.Region == "" || r.Window <= 0 || len(r.Classes) == 0 || r.Program == "" || r.Source == "" || r.Since == "" || r.Read == "" {
			t.Errorf("a row lacks something: %+v", r)
		}
	}
	if schemes["Visa"] < 2 || schemes["Mastercard"] < 2 {
		t.Errorf("schemes: %v", schemes)
	}
}
