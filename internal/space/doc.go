// Package space sees the situations that rules decide as points, and conditions as regions
// of them.
//
// Words, in_doubt and the weekday are exact; so are texts compared with texts, and whole
// numbers and durations compared with fixed ones. A part that works on one text in another
// way (startsWith, matches, len …) is exact for every text that a catalogue or a rule names,
// and opaque for the rest. Every other part is opaque: it counts as true and as false, and
// the same text is the same unknown.
//
// [Reachable] is the set of situations in which the catalogue's answers can be decided
// about: what an answer proves by itself, what is left of that in doubt, and what the ledger
// may know beyond it. It holds more than can happen, never less.
//
// No finding is made here, and nothing is printed: packages check and diff do that.
package space
