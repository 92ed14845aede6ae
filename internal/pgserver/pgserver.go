//go:build unix

package pgserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/recourse-pay/recourse/internal/loopback"
)

// Server is a running server. Its superuser is postgres, without a password: it listens on the loopback only.
type Server struct {
	bin    string
	folder string
	port   int
	as     *syscall.Credential // nil: the user of this process
}

// install says what to do about missing binaries.
const install = "the binaries of PostgreSQL 15 or later are in no folder of PATH and none of /usr/lib/postgresql; on Debian: apt-get install -y postgresql"

// binaries finds the folder with the server's programs.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err != nil { // the other programs are beside the true one
			return "", fmt.Errorf("pgserver: %w", err)
		}
		return filepath.Dir(path), nil
	}
	found := ""
	for version := 15; version < 30; version++ {
		dir := filepath.Join("/usr/lib/postgresql", strconv.Itoa(version), "bin")
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil && found == "" {
			found = dir
		}
	}
	if found == "" {
		return "", errors.New("pgserver: " + install)
	}
	return found, nil
}

// Start makes a new server with its files in a temporary folder, and waits until it answers. Settings are lines of
// postgresql.conf. PostgreSQL refuses to run as root: it then runs as another user.
func Start(settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "recourse-pgserver-")
	if err != nil {
		return nil, fmt.Errorf("pgserver: %w", err)
	}
	s := &Server{bin: bin, folder: folder}
	if err := s.start(settings); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

func (s *Server) start(settings []string) (err error) {
	if os.Geteuid() == 0 {
		if s.as, err = other(s.folder); err != nil {
			return err
		}
	}
	if err := s.Run("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return err
	}
	if err := s.configure(settings); err != nil {
		return err
	}
	return s.Up()
}

// configure takes a free port, and adds settings.
func (s *Server) configure(settings []string) (err error) {
	if s.port, err = loopback.Port(); err != nil {
		return fmt.Errorf("pgserver: %w", err)
	}
	text := fmt.Sprintf("listen_addresses = '127.0.0.1'\nport = %d\nunix_socket_directories = ''\nlog_line_prefix = '%%m [%%p] '\n", s.port)
	for _, line := range settings {
		text += line + "\n"
	}
	conf, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("pgserver: %w", err)
	}
	_, err = conf.WriteString(text)
	if err = errors.Join(err, conf.Close()); err != nil {
		return fmt.Errorf("pgserver: %w", err)
	}
	return nil
}

// Copy makes a server of a base backup of this one, with more settings, and does not start it; see [Server.Up]. The
// signal "standby" makes it follow this server, "recovery" makes it replay this server's log as far as the settings say, and
// begin a new timeline. Without a signal it has what the backup has.
func (s *Server) Copy(signal string, settings ...string) (*Server, error) {
	folder, err := os.MkdirTemp("", "recourse-pgserver-")
	if err != nil {
		return nil, fmt.Errorf("pgserver: %w", err)
	}
	c := &Server{bin: s.bin, folder: folder}
	if err := c.copyOf(s, signal, settings); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return c, nil
}

func (s *Server) copyOf(of *Server, signal string, settings []string) (err error) {
	if of.as != nil {
		if s.as, err = other(s.folder); err != nil {
			return err
		}
	}
	if err := s.Run("pg_basebackup", "-D", s.data(), "-d", of.URL(), "-X", "stream", "-c", "fast", "--no-sync"); err != nil {
		return err
	}
	switch signal {
	case "standby":
		settings = append(settings, fmt.Sprintf("primary_conninfo = 'host=127.0.0.1 port=%d user=postgres application_name=%s'", of.port, filepath.Base(s.folder)))
	case "recovery":
		settings = append(settings, fmt.Sprintf("restore_command = 'cp %s/pg_wal/%%f %%p'", of.data()))
	}
	if signal != "" {
		if err := os.WriteFile(filepath.Join(s.data(), signal+".signal"), nil, 0o644); err != nil {
			return fmt.Errorf("pgserver: %w", err)
		}
	}
	return s.configure(settings)
}

// Promote makes a standby a server of its own.
func (s *Server) Promote() error { return s.Run("pg_ctl", "promote", "-w", "-t", "60", "-D", s.data()) }

// other gives the folder to the user that the server runs as.
func other(folder string) (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("pgserver: user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("pgserver: user %s: %w", name, err)
		}
		if err := os.Chown(folder, int(uid), int(gid)); err != nil {
			return nil, fmt.Errorf("pgserver: %w", err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("pgserver: PostgreSQL refuses to run as root, and there is no user postgres or nobody")
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// Address is where the server listens.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is that of the database postgres.
func (s *Server) URL() string {
	return "postgres://postgres@" + s.Address() + "/postgres?sslmode=disable"
}

// Up starts the server again, and waits until it answers.
func (s *Server) Up() error {
	log := filepath.Join(s.data(), "server.log")
	err := s.Run("pg_ctl", "start", "-w", "-t", "60", "-D", s.data(), "-l", log)
	if err != nil {
		text, _ := os.ReadFile(log) // what there is of it
		return fmt.Errorf("%w\n%s", err, text[max(0, len(text)-2000):])
	}
	return nil
}

// Down stops the server. Fast ends its sessions, immediate is a crash: it recovers from its log.
func (s *Server) Down(mode string) error {
	return s.Run("pg_ctl", "stop", "-w", "-t", "60", "-m", mode, "-D", s.data())
}

// Close stops the server and removes its files.
func (s *Server) Close() error {
	err := s.Down("immediate")
	for try := 0; ; try++ { // a process of the server may still write
		removed := os.RemoveAll(s.folder)
		if removed == nil || try == 20 {
			return errors.Join(err, removed)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Run runs one of the server's programs in the server's folder, as its user. What it prints goes to a file: a server that is started would hold a pipe open.
func (s *Server) Run(program string, args ...string) error {
	out, err := os.CreateTemp("", "recourse-pgserver-")
	if err != nil {
		return fmt.Errorf("pgserver: %w", err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.folder, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name()) // what there is of it
		return fmt.Errorf("pgserver: %s: %w\n%s", program, err, text)
	}
	return nil
}
