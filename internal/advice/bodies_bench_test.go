package advice_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"runtime/debug"
	"testing"

	"github.com/recourse-pay/recourse/internal/advice"
	"github.com/recourse-pay/recourse/internal/ruleset"
)

// BenchmarkDecideBodies is what `recourse decide` does with one line: it reads the question, reads and judges
// the body in it, decides, and writes the decision. The bodies have the shapes that providers send.
func BenchmarkDecideBodies(b *testing.B) {
	e, err := ruleset.Open("")
	if err != nil {
		b.Fatal(err)
	}
	raw, err := os.ReadFile("../../providers/testdata/bodies.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	var questions [][]byte
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		var c bodyCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			b.Fatal(err)
		}
		questions = append(questions, c.Question)
	}
	var line []byte
	var asker advice.Asker
	var q advice.Question
	i := 0
	one := func() {
		if err := advice.ReadInto(questions[i%len(questions)], &q); err != nil {
			b.Fatal(err)
		}
		a, err := asker.Ask(e, &q)
		if err != nil {
			b.Fatal(err)
		}
		d := a.Decision()
		line = d.AppendJSON(line[:0])
		i++
	}
	for range questions { // what is made when it is first asked for
		one()
	}
	defer debug.SetGCPercent(debug.SetGCPercent(500)) // as the command has it
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		one()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
}
