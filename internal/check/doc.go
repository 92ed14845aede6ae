// Package check finds what is wrong with rules by looking at them: rules that can never
// hold, conditions that say nothing, answers without a rule, schedules that break limits.
//
// It works on the regions of package space: what it says of a rule holds for every input,
// and is shown by a witness that was put to the engine. What it cannot see into it says it
// cannot see into. What rules do to money in a flow is for package verify; what a change of
// rules changes, for package diff. Nothing is printed here.
package check
