//go:build unix

package main

import (
	"os"
	"syscall"
)

// hangUp is the signal at which the rules are read anew.
var hangUp = []os.Signal{syscall.SIGHUP}
