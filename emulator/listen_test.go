package emulator_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/emulator"
)

func TestListenRefusesPublicAddresses(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0"} {
		if _, err := emulator.Listen(address, false); !errors.Is(err, emulator.ErrPublic) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"127.0.0.1:0", "localhost:0"} {
		l, err := emulator.Listen(address, false)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	if _, err := emulator.Listen("nonsense", false); err == nil {
		t.Error("an address without a port")
	}
}

// A connection over TCP is reset, not closed.
func TestResetFaultResetsTheConnection(t *testing.T) {
	l, err := emulator.Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	p := emulator.NewProvider(catalog(t, "momo"), &emulator.Options{Plan: plan(t, "[[fault]]\nkind = \"reset\"\nnth = 1\n")})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- emulator.NewServer(p, nil).Serve(ctx, l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	body := paying("o-1", "r-1")
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", payPath, len(body), body)
	if _, err = bufio.NewReader(conn).ReadString('\n'); err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the client sees %v", err)
	}
	conn.Close()
	stop()
	if err := <-ended; err != nil || len(p.Ledger(time.Now())) != 1 {
		t.Errorf("%v, %d executed", err, len(p.Ledger(time.Now())))
	}
}
