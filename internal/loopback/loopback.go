// Package loopback finds ports for the servers that a test or an example starts, and starts again at the same place.
package loopback

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
)

// The ports that are given out. One that the system chose (port 0) is no use once it is closed: before the server listens there, and while
// it is down, the system gives it to another program, or to a connection. It chooses none of these: its own begin at 32768
// (Linux) or 49152 (others).
const (
	first = 10_000
	ports = 22_000
	each  = 40 // of a process, before it comes to those of the next one
)

var given atomic.Int64

// Port returns a free port of the loopback. A process is given each port once, and at first none that another process is
// given.
func Port() (int, error) {
	var last error
	for range ports {
		port := first + (os.Getpid()*each+int(given.Add(1)))%ports
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("loopback: no port is free: %w", last)
}
