//go:build unix

package pgserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/recourse-pay/recourse/internal/loopback"
)

// Pooler is a PgBouncer before a server, which gives four sessions to all its clients, each for one transaction.
type Pooler struct {
	folder  string
	address string
	process *exec.Cmd
}

// StartPooler starts one, and waits until it listens.
func (s *Server) StartPooler() (*Pooler, error) {
	bin, err := exec.LookPath("pgbouncer")
	if err != nil {
		if bin = "/usr/sbin/pgbouncer"; errors.Is(err, exec.ErrNotFound) {
			_, err = os.Stat(bin)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("pgserver: PgBouncer is not installed; on Debian: apt-get install -y pgbouncer: %w", err)
	}
	port, err := loopback.Port()
	if err != nil {
		return nil, fmt.Errorf("pgserver: %w", err)
	}
	p := &Pooler{address: fmt.Sprintf("127.0.0.1:%d", port)}
	if p.folder, err = os.MkdirTemp("", "recourse-pooler-"); err != nil {
		return nil, fmt.Errorf("pgserver: %w", err)
	}
	host, at, err := net.SplitHostPort(s.Address())
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	ini := filepath.Join(p.folder, "pgbouncer.ini")
	text := fmt.Sprintf(`[databases]
* = host=%s port=%s user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
server_login_retry = 1
max_client_conn = 500
`, host, at, port)
	if err := errors.Join(os.WriteFile(ini, []byte(text), 0o644), os.Chmod(p.folder, 0o755)); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.process = exec.Command(bin, "-q", ini)
	if s.as != nil { // it refuses to run as root, as the server does
		p.process.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	}
	if err := p.process.Start(); err != nil {
		p.process = nil
		return nil, errors.Join(err, p.Close())
	}
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", p.address)
		if err == nil {
			return p, c.Close()
		}
		if time.Now().After(limit) {
			return nil, errors.Join(fmt.Errorf("pgserver: PgBouncer does not listen: %w", err), p.Close())
		}
	}
}

// Address is where it listens.
func (p *Pooler) Address() string { return p.address }

// Close ends it.
func (p *Pooler) Close() error {
	if p.process != nil {
		_ = p.process.Process.Kill()
		_ = p.process.Wait() // it says that it was killed
	}
	return os.RemoveAll(p.folder)
}
