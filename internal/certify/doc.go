// Package certify checks the certificate of a proof. It shares nothing with the search that found the proof, internal/verify, but
// the real machine (flow) and what decides by the rules (engine).
//
// It has an adversary of its own. A state of the certificate is a flow with its latest identity and one before it (state.go), and with what
// can be true of the money: whether the latest was executed, may be, or is not, and whether the provider holds a failed request of it (world.go). The provider says
// whatever is true, in any answer that the catalogue knows, under any name, late or not (events.go). From each state the
// machine takes each step (step.go); what it leads to, without counts and times (state.go), has to be in the set.
//
// What the rules decide about an answer stands in the certificate too, and is compared with the rules: for every row of the
// catalogue, and for answers that are drawn (complete.go). docs/verify.md says what is on trust.
package certify
