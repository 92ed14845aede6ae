// Package stored is the form in which flows are written down: in the rows of a journal, and in the histories of
// an engine that drives them (durable/temporal). It reads what earlier releases wrote.
//
// What must not enter: when a row is written, and where to.
package stored
