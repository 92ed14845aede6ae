// Package flow carries one operation to its end. It is a pure state machine:
//
//	State, Event → State, []Command
//
// There is no clock, no randomness, no goroutine and no I/O here. Time, jitter and
// new identifiers arrive inside events; what is to be done leaves as commands. A
// driver (package simulate, package executor) owns the clock and the network, and
// every driver runs this same machine.
//
// The machine keeps the ledger of identities: under which identifiers a request was
// sent, and what is known of each. From it follow the four things that hold
// whatever the rules say (the interlock):
//
//   - S1 a new identity is sent only when every earlier one is known not executed;
//   - S2 a flow never ends failed while money moved or still can;
//   - S3 it never ends succeeded unless the provider proved it, for this payment and
//     this amount;
//   - S4 it ends, within its limits: in doubt escalated, with everything known not
//     executed failed.
//
// A guard marker, say "guard" and the name repeat-is-safe, names the condition behind it. The tests of the model
// checker break each guard in turn, by its name, and must find the harm. The markers are comments:
// nothing can switch a guard off in a program.
//
// Every list of commands that sends begins with [Record]: the state must be on
// stable storage before the request leaves.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package flow
