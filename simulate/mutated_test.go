package simulate

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"runtime"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// changes are what befalls lines of a recording. Each makes of a line what stands in its place.
var changes = []func(r *rand.Rand, l []byte) []byte{
	func(*rand.Rand, []byte) []byte { return nil },
	func(_ *rand.Rand, l []byte) []byte { return bytes.Join([][]byte{l, l}, []byte("\n")) },
	func(r *rand.Rand, l []byte) []byte { return l[:r.IntN(len(l))] },
	func(r *rand.Rand, l []byte) []byte {
		l[r.IntN(len(l))] = byte(' ' + r.IntN(0x60))
		return l
	},
	changed(`("(?:code|resultCode|status|state)":"?)[^",}]*`, "0", "1006", "7000", "9999", "FAILED"),
	changed(`("(?:amount|value)":"?)[0-9]+`, "0", "1", "7", "1000000", "999999999999999"),
	changed(`("(?:order_id|request_id|payment_key|flow|provider_id|orderId|requestId)":")[^"]*`, "", "0", "x-1", `o\u0041`),
	changed(`("message":")[^"]*`, "", "0", "[]", "ok", "Thành công", `trace \u0041`, "a trace of its own", "another trace"),
	func(_ *rand.Rand, l []byte) []byte { // who drops what repeats has to see that these do not
		return bytes.Join([][]byte{l, bytes.Replace(l, []byte(`"message":"`), []byte(`"message":"another `), 1)}, []byte("\n"))
	},
	changed(`("(?:provider|merchant)":")[^"]*`, "momo", "opi", "shopline", "nobody"),
	changed(`(T)[0-9]{2}:`, "00:", "23:", "25:"),
	changed(`("v":)1`, `1,"unknwon":2`, `1,"tags":{"channel":"pos"}`, `1,"lacks":["time"]`, ` 1 `, `2`),
}

// changed puts another value in place of what a form finds, behind what its group finds.
func changed(form string, values ...string) func(*rand.Rand, []byte) []byte {
	found := regexp.MustCompile(form)
	return func(r *rand.Rand, l []byte) []byte {
		return found.ReplaceAll(l, []byte("${1}"+values[r.IntN(len(values))]))
	}
}

// mutated is half a day of the shipped recordings in which lines were changed, and moved by a few places.
func mutated(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	rate := []float64{0.001, 0.01, 0.1, 0.4}[r.IntN(4)]
	var lines [][]byte
	for _, l := range halfADay() {
		raw := []byte(l)
		if r.Float64() < rate {
			raw = changes[r.IntN(len(changes))](r, raw)
		}
		lines = append(lines, raw)
	}
	for i := range lines {
		if r.Float64() < rate {
			k := r.IntN(min(len(lines), i+20))
			lines[i], lines[k] = lines[k], lines[i]
		}
	}
	return bytes.Join(lines, []byte("\n"))
}

// However a recording was cut, repeated, mixed up and changed: the report is the same whether its lines are read by patterns or each in
// general, and by how many workers.
func TestReportOfMutatedRecordings(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for seed := range uint64(testkit.Size(8, 40, 200)) {
		in := raw("mutated", mutated(seed))
		o := Options{By: []string{"provider", "merchant", "operation", "week"}}
		runtime.GOMAXPROCS(1)
		general := o
		general.lore = newLore(true)
		general.lore.size = mostLearned // nothing is learned
		want := simulate(t, general, in)
		if len(general.lore.patterns.next) > 0 || want.Recorded.Flows < 50 {
			t.Fatalf("seed %d: %d patterns, %d flows", seed, general.lore.learned, want.Recorded.Flows)
		}
		for _, workers := range []int{1, 2, 4} {
			runtime.GOMAXPROCS(workers)
			sameReport(t, want, o, in)
		}
		for _, reads := range []bool{true, false} {
			few := o
			few.lore = newLore(reads)
			few.lore.kinds.most = [...]int{nothing: 40, unread: 80, itsSaying: 80, itsWords: 120}
			sameReport(t, want, few, in)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Names and kinds of lines that have one hash are kept apart, those that are closed are taken out alone, and the report is the same.
func TestHashesThatCollide(t *testing.T) {
	for seed := range uint64(testkit.Size(4, 12, 60)) {
		in, o := raw("mutated", mutated(seed)), Options{By: []string{"provider", "merchant", "operation", "week"}}
		want := simulate(t, o, in)
		collide := o
		collide.hash = func(name []byte) uint64 { return uint64(name[len(name)-1] % 4) }
		collide.lore = newLore(true)
		collide.lore.kinds.hash = func(c *kindContent) uint64 { return uint64(c.phase) }
		sameReport(t, want, collide, in)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
