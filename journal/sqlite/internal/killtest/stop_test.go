//go:build unix

package killtest_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
)

func pause() { syscall.Kill(os.Getpid(), syscall.SIGSTOP) }

// A process is paused, a second one takes its flows over, and the first one continues: no
// payment executes twice. The journal's lock refuses the second process while the first one
// lives, so the test deletes the lock file. The writes of the first process are refused. Its
// requests are past their deadline. A client that ignores its context sends nevertheless, and
// the provider recognizes the order id.
func TestPausedProcessChargesOnce(t *testing.T) {
	rounds := testkit.Size(1, 2, 6)
	for _, client := range []string{"", "ignores its context"}[:testkit.Size(1, 2, 2)] {
		t.Run("client "+client, func(t *testing.T) {
			s := newScenario(t, 0, client)
			for n := range rounds {
				s.config.Flows += 25
				s.pauseAndContinue(n)
			}
			a := s.audit()
			t.Logf("%d rounds: %+v", rounds, a)
			if a.twice+a.failedThoughExecuted+a.succeededThoughNot+a.lost+a.open > 0 || a.executed == 0 {
				t.Errorf("audit: %+v", a)
			}
		})
	}
}

func (s *scenario) pauseAndContinue(n int) {
	c := s.config
	if n%3 > 0 { // exactly between the last check of the clock and the call
		c.KillAt, c.KillNth = "pause before send", 1+s.rand.Int64N(10)
	}
	first := s.start(c)
	select {
	case <-first.paused:
	case <-first.readyOrExited(): // before that it may not own the journal yet
	}
	select {
	case <-first.paused:
	case <-time.After(time.Duration(100+s.rand.IntN(200)) * time.Millisecond):
	}
	if err := first.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		s.t.Fatal(err)
	}
	s.config.Listen = freeAddress(s.t)
	second := s.start(s.config)
	<-second.exited
	if err := second.cmd.Wait(); err == nil || !strings.Contains(second.stderr.String(), "owns it") {
		s.t.Fatalf("a second process opened the journal of one that lives: %v\n%s", err, second.stderr.String())
	}
	if err := os.Remove(s.config.Journal + ".lock"); err != nil {
		s.t.Fatal(err)
	}
	if !s.tryFinish() { // finishes the flows of the first process, too
		first.cmd.Process.Kill()
		<-first.exited
		first.cmd.Wait()
		s.finish()
		return
	}
	s.resume(first)
}

// resume continues a paused process, as often as it stops itself. The process must end, because
// its journal was taken over.
func (s *scenario) resume(p *process) {
	until := time.After(time.Minute)
	for tick := time.Tick(50 * time.Millisecond); ; {
		if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			s.t.Fatal(err)
		}
		select {
		case <-p.exited:
			p.cmd.Wait()
			return
		case <-tick:
		case <-until:
			p.cmd.Process.Signal(syscall.SIGQUIT)
			p.cmd.Wait()
			s.t.Fatalf("it continues although its journal was taken over:\n%s", p.stderr.String())
		}
	}
}
