// Package service is `recourse serve`: decisions and whole flows over HTTP, for programs that are not
// written in Go.
//
// A flow runs in an executor, as in a Go program. Its client is the hub: a call that the executor makes
// becomes a command, which one caller takes, carries out with its own HTTP client, and reports. So write-ahead,
// interlock, waits and resumption are the executor's, and none is written twice.
//
// A command is given to one caller. Only that caller is given it again, because only that caller can know that it
// has not carried it out. A command that no caller took until its deadline was certainly not sent; one
// that was taken and not reported is in doubt, and the flow queries.
//
// What must not enter: decisions about payments. They are made below the executor.
package service
