// Package check finds mistakes in rules without running them: rules that can never hold,
// parts of conditions without effect, answers without a rule, schedules that exceed limits.
//
// It works on the regions of package space. A finding holds for every input, and a witness
// that the engine decided shows it. A part that cannot be analysed is reported as opaque.
// Package verify proves what rules do to money in a flow; package diff compares two sets of
// rules. This package prints nothing.
package check
