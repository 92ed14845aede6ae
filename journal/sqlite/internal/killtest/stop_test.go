//go:build unix

package killtest_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func pause() { syscall.Kill(os.Getpid(), syscall.SIGSTOP) }

// A process is paused, another takes its flows over, and the first wakes: nothing executes
// twice. The journal's lock does not let the second in while the first lives; here somebody
// removes it, as people do. What the first still writes is refused; what it still wants to
// send is too late; and what leaves nevertheless, from a client that is deaf to its context,
// the provider recognizes by its order.
func TestAPausedProcessWakesUp(t *testing.T) {
	rounds := 6
	if raceEnabled {
		rounds = 2
	}
	for _, client := range []string{"", "deaf client"} {
		t.Run("client "+client, func(t *testing.T) {
			d := newDay(t, 0, client)
			for n := range rounds {
				d.orders.Flows += 25
				d.pauseAndWake(n)
			}
			h := d.reckon()
			t.Logf("%d rounds: %+v", rounds, h)
			if h.twice+h.failedThoughExecuted+h.succeededThoughNot+h.lost+h.open > 0 || h.executed == 0 {
				t.Errorf("harm: %+v", h)
			}
		})
	}
}

func (d *day) pauseAndWake(n int) {
	o := d.orders
	if n%3 > 0 { // exactly between the last look at the clock and the call
		o.KillAt, o.KillNth = "pause before send", 1+d.rand.Int64N(10)
	}
	first := d.start(o)
	select {
	case <-first.paused:
	case <-time.After(time.Duration(100+d.rand.IntN(200)) * time.Millisecond):
	}
	if err := first.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		d.t.Fatal(err)
	}
	d.orders.Listen = freeAddress(d.t)
	second := d.start(d.orders)
	<-second.over
	if err := second.cmd.Wait(); err == nil || !strings.Contains(second.stderr.String(), "owns it") {
		d.t.Fatalf("a second process opened the journal of one that lives: %v\n%s", err, second.stderr.String())
	}
	if err := os.Remove(d.orders.Journal + ".lock"); err != nil {
		d.t.Fatal(err)
	}
	if !d.mayFinish() { // the flows of the first, too
		first.cmd.Process.Kill()
		<-first.over
		first.cmd.Wait()
		d.finish()
		return
	}
	d.wake(first)
}

// wake lets a paused process go on, as often as it stops itself. It has to notice that its
// journal is not its own any more.
func (d *day) wake(p *process) {
	until := time.After(5 * time.Second)
	for tick := time.Tick(50 * time.Millisecond); ; {
		if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			d.t.Fatal(err)
		}
		select {
		case <-p.over:
			p.cmd.Wait()
			return
		case <-tick:
		case <-until:
			p.cmd.Process.Signal(syscall.SIGQUIT)
			p.cmd.Wait()
			d.t.Fatalf("it goes on although its journal is taken over:\n%s", p.stderr.String())
		}
	}
}
