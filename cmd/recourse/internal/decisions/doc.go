// Package decisions is the decision log of the service, and what reads it: each decision with the answer that it was about, what went before, and the
// digest of the rules, as a line of a recording. So a day of it can be simulated under other rules, and each decision can be made again.
//
// A log never holds a decision up. Lines wait in memory up to a bound; beyond it they are dropped and counted, and so are those that could
// not be written. What is written went through internal/redact. Where that changed what the rules look at, the line says that its
// decision cannot be made again: the same rules are asked about what is left, before it is written.
//
// What must not enter: decisions. They are made by the rules.
package decisions
