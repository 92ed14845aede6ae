// Package simulate drives flows over recorded traffic in virtual time: what would
// these rules have done, beside what the recorded client did.
//
// A recorded answer is used only where it would have been given: for the same
// identity or query, when our sends equal the recorded sends before it, and not before
// its time. Where a flow leaves the recording it is off the record; that is counted,
// with the money it concerns, and nothing is invented in its place.
//
// Recordings are JSON Lines, plain or gzipped, from any number of files. They are
// streamed: memory grows with the flows open at once. The machine that is driven is
// package flow, the same that runs in production. Reading clocks, calling providers and
// judging answers do not belong here.
//
// Stability: v0, the exported names may still change between minor versions; see CHANGELOG.md.
package simulate
