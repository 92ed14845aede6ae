// Package verify proves, for a set of rules, that no payment is charged twice, or returns the
// shortest trace in which one is. It uses no clock, sends nothing, and drives package flow alone.
//
// Model: the product of the real machine (flow) under the real, compiled rules (ruleset) and an
// adversarial provider. The provider keeps its contract, and does everything else: it loses,
// delays, repeats and reorders answers. A [Report] lists what is assumed of it.
//
// Abstraction: nothing is sampled. Answers fall into classes that no rule distinguishes, ages
// into regions between the limits that matter, nodes into a canonical form. The coarse model
// also leaves counts and times out; it allows every real trace, and some that are impossible.
//
// Search: breadth first. The coarse search proves. What it finds is searched again in the exact
// model for the shortest trace, which is then replayed with the schedules' own waits.
//
// Properties: S1 one charge, S2 no false failure, S3 no false success, S4 every flow ends within
// its limits, S5 the interlock never has to correct the rules.
package verify
