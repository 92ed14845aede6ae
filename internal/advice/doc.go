// Package advice puts one answer to the rules and says what would be done about it: the
// question that `recourse decide` and `recourse explain` ask, and that tests of rules give,
// and the one form in which all of them show why.
//
// What would be done comes from the machine that runs in production (package flow). No
// decision is made here.
package advice
