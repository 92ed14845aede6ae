//go:build !unix

package main

import (
	"os"
	"syscall"
)

// hangUp is a signal that never comes: without any, signal.Notify would take all.
var hangUp = []os.Signal{syscall.SIGPIPE}
