package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/journal"
)

// The test binary started with this variable is the child of a test.
const childVariable = "JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	switch what, path, _ := strings.Cut(os.Getenv(childVariable), " "); what {
	case "":
		os.Exit(m.Run())
	case "open":
		childOpens(path)
	case "put":
		childPuts(path)
	}
}

func child(t *testing.T, what, path string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childVariable+"="+what+" "+path)
	c.Stderr = os.Stderr
	return c
}

// childOpens prints the result of Open, and owns the journal until its input ends.
func childOpens(path string) {
	j, err := Open(path, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("opened", os.Getpid())
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	_ = j.Close()
}

// childPuts puts rows until it is killed, and prints each one that was acknowledged. The rows
// of a flow are synced and lazy in turn.
func childPuts(path string) {
	j, err := Open(path, &Options{Checkpoint: 128 << 10})
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := 0; ; i++ {
				r := &journal.Row{ID: fmt.Sprintf("%d-%d-%d", os.Getpid(), w, i), Provider: "momo", Open: true, Due: moment, At: moment}
				r.Key.Payment = r.ID
				for r.Version = 1; r.Version <= 5; r.Version++ {
					r.State = crashState(r.ID, r.Version, 100+rand.IntN(9000))
					r.Names = []string{fmt.Sprint(r.ID, "/", r.Version)}
					if err := j.Put(context.Background(), r, journal.Durability((r.Version+1)%2)); err != nil {
						fmt.Println("failed", err)
						os.Exit(1)
					}
					if r.Version%2 == 1 {
						fmt.Println("ack", r.ID, r.Version)
					}
				}
			}
		})
	}
	all.Wait()
}

// crashState returns a state with a checksum, so that a torn write is found.
func crashState(id string, version int64, size int) []byte {
	b := fmt.Appendf(nil, "%s/%d/", id, version)
	for len(b) < size {
		b = append(b, byte('a'+len(b)%26))
	}
	return fmt.Appendf(b, "%08x", crc32.ChecksumIEEE(b))
}

func intact(r *journal.Row) bool {
	n := len(r.State) - 8
	return n > 0 && strings.HasPrefix(string(r.State), fmt.Sprintf("%s/%d/", r.ID, r.Version)) &&
		fmt.Sprintf("%08x", crc32.ChecksumIEEE(r.State[:n])) == string(r.State[n:])
}

// Every acknowledged row is found after its process was killed at a random moment.
func TestAcknowledgedRowsSurviveKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	began := time.Now()
	acked := make(map[string]int64)
	kills := testkit.Size(4, 32, 100)
	for range kills {
		killDuringPuts(t, path, acked)
		checkAfterKill(t, path, acked)
	}
	t.Logf("%d kills, %d flows acknowledged, %s", kills, len(acked), time.Since(began).Round(time.Millisecond))
}

func killDuringPuts(t *testing.T, path string, acked map[string]int64) {
	t.Helper()
	c := child(t, "put", path)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	killAt := rand.IntN(testkit.Size(40, 400, 400))
	for n := 0; lines.Scan(); n++ {
		if n == killAt {
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		var id string
		var version int64
		if _, err := fmt.Sscanf(lines.Text(), "ack %s %d", &id, &version); err != nil {
			// The last line may be incomplete.
			if strings.HasPrefix(lines.Text(), "failed") {
				t.Fatal(lines.Text())
			}
			continue
		}
		acked[id] = max(acked[id], version)
	}
	if err := c.Wait(); err == nil {
		t.Fatal("the child ended before it was killed")
	}
}

func checkAfterKill(t *testing.T, path string, acked map[string]int64) {
	t.Helper()
	j, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var check string
	if err := j.reads.db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&check); err != nil || check != "ok" {
		t.Fatalf("integrity_check: %q, %v", check, err)
	}
	rows, err := j.Due(t.Context(), moment, journal.Cursor{}, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]int64)
	for _, r := range rows {
		found[r.ID] = r.Version
		if !intact(&r) {
			t.Fatalf("%s version %d is torn: %.80q", r.ID, r.Version, r.State)
		}
		if len(r.Names) != int(r.Version) {
			t.Fatalf("%s version %d has the names %q", r.ID, r.Version, r.Names)
		}
	}
	for id, version := range acked {
		if found[id] < version {
			t.Fatalf("%s version %d was acknowledged; stored is version %d", id, version, found[id])
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}
