// Command devserver is a Temporal server in memory, for the tests with the tag server. It is a module of its own, and in
// no workspace: the server's code has 200 modules, and needs an older SDK than the driver has.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"go.temporal.io/server/temporaltest"
)

func main() {
	server := temporaltest.NewServer()
	fmt.Println(server.GetFrontendHostPort(), server.GetDefaultNamespace())
	over := make(chan os.Signal, 1)
	signal.Notify(over, os.Interrupt, syscall.SIGTERM)
	<-over
	server.Stop()
}
