// Package pgserver runs a PostgreSQL server of one's own, in a temporary folder, on a free port of the loopback: for
// tests, and for the example that shows a cluster. It needs the server's binaries and nothing else.
//
// What must not enter: a driver of PostgreSQL, and anything about journals.
package pgserver
