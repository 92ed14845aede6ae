package loopback

import (
	"net"
	"strconv"
	"testing"
)

// The system gives a port that is closed to the next who asks for any. These it does not choose, and each is given out once.
func TestPortsAreGivenOutOnce(t *testing.T) {
	all := map[int]bool{}
	for range 2 * each {
		port, err := Port()
		if err != nil {
			t.Fatal(err)
		}
		if all[port] || port < first || port >= first+ports {
			t.Errorf("port %d", port)
		}
		all[port] = true
	}
}

// A port at which a server listens is passed over.
func TestAPortThatIsTakenIsNotGivenOut(t *testing.T) {
	port, err := Port()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	given.Add(-1)
	if next, err := Port(); err != nil || next == port {
		t.Errorf("port %d, at which a server listens: %v", next, err)
	}
}
