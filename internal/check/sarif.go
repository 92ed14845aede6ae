package check

import (
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
)

// The types of SARIF 2.1.0 (OASIS, 2020-03-27) that code-review tools read.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID     string          `json:"ruleId"`
		RuleIndex  int             `json:"ruleIndex"`
		Level      Severity        `json:"level"`
		Message    sarifText       `json:"message"`
		Locations  []sarifLocation `json:"locations"`
		Related    []sarifLocation `json:"relatedLocations,omitempty"`
		Properties map[string]any  `json:"properties,omitempty"`
	}
	sarifLocation struct {
		ID       *int          `json:"id,omitempty"`
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifText    `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
	}
)

var kinds = []struct {
	kind Kind
	what string
}{
	{Contradiction, "The condition contradicts itself"},
	{Dead, "Earlier rules take every input of the rule"},
	{Unreachable, "No answer of the catalogues comes to the rule"},
	{Shadowed, "Another layer takes every input of the rule in some places"},
	{PartlyDead, "An item of a list never counts"},
	{Constant, "A part of a condition says nothing"},
	{OutOfRange, "A comparison with a value that a variable never has"},
	{Overlap, "Two rules of a layer want different things of the same input"},
	{NoRule, "Answers that no rule decides"},
	{NearDuplicate, "Two names that look like one"},
	{Limits, "What a rule asks for is past the flow's limits"},
	{Ceiling, "More re-attempts than a card scheme lets pass"},
	{Window, "A wait that outlives what the provider promises"},
	{AmountCurrency, "An amount compared without its currency"},
	{Evidence, "An answer about something else would be evidence"},
	{WeakSignature, "A webhook's signature is weak"},
	{TooComplex, "Too complex to tell"},
	{OpaquePart, "A part that cannot be seen into"},
}

// WriteSARIF writes the report for code review, as SARIF 2.1.0.
func (r *Report) WriteSARIF(w io.Writer) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "recourse check", InformationURI: "https://github.com/recourse-pay/recourse"}
	for _, a := range kinds {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{string(a.kind), sarifText{a.what}})
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		result := sarifResult{RuleID: string(f.Kind), Level: f.Severity, Message: sarifText{f.Message}, Locations: []sarifLocation{located(f.Place)}}
		for k, a := range kinds {
			if a.kind == f.Kind {
				result.RuleIndex = k
			}
		}
		for k, p := range f.Related {
			at := located(p)
			at.ID, at.Message = &k, &sarifText{"rule " + p.Rule}
			result.Related = append(result.Related, at)
		}
		if f.Witness != nil {
			result.Properties = map[string]any{"witness": f.Witness}
		}
		run.Results = append(run.Results, result)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func located(p Place) sarifLocation {
	at := sarifLocation{Physical: sarifPhysical{Artifact: sarifArtifact{filepath.ToSlash(p.File)}}}
	if p.Line > 0 {
		at.Physical.Region = &sarifRegion{p.Line, p.Column}
	}
	return at
}

// Kinds lists every kind of finding, in the order of docs/check.md.
func Kinds() []Kind {
	var all []Kind
	for _, a := range kinds {
		all = append(all, a.kind)
	}
	return slices.Clip(all)
}
