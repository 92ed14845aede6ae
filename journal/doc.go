// Package journal is the write-ahead store of flows: what is about to be done is stored
// here before it is done, so that after a crash somebody finds out instead of sending again.
//
// It holds the interface and a journal in memory. The one for production on one machine is
// package journal/sqlite; package journal/journaltest proves a journal of another store. A
// journal knows nothing of what a flow is: it stores rows, refuses a second writer (the
// version of a row, compared and set) and a second open flow of the same key, and finds
// rows by name and by the time when somebody has to look at them.
package journal
