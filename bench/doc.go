// Package bench compares what it costs to make a call through Recourse with what it costs
// through libraries that retry. It is a module of its own, so that no user of Recourse
// gets these libraries.
package bench
