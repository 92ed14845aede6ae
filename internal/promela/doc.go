// Package promela writes the rules, the flow and an adversarial provider as one Promela model for Spin. It shares
// nothing with package verify: the flow's machine is written by hand in model.pml, the provider keeps its truth
// request by request, and the rules are a table made by asking the engine about every answer.
package promela
