package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	lines   = "application/x-ndjson"
	inBatch = 10_000 // questions
)

// opaBatch makes OPA's rules answer a list of inputs: its server has no batch of its own.
const opaBatch = "\n\ndefault named := \"\"\n\nnamed := decision\n\ndecisions := [d | some one in input; d := named with input as one]\n"

// batches starts a bare handler, the service and OPA's server with the same rules, and holds the answers of a batch against what is
// decided by them.
func batches(b *testing.B, d *decisionSet) []*served {
	b.Helper()
	bareOne, ours, opa := &served{name: "bare handler"}, &served{name: "recourse serve"}, &served{name: "OPA's server"}
	var questions bytes.Buffer
	inputs := make([]any, inBatch)
	for i := range inBatch {
		s := d.asked[i%len(d.asked)]
		questions.Write(append(asJSON(question(s)), '\n'))
		inputs[i] = input(s)
	}
	ours.startCommand(b, d)
	opa.start(b, exec.Command(os.Args[0]), "opa", d.regoModule()+opaBatch)
	ours.requests = [][]byte{post("/v1/decide", lines, questions.Bytes())}
	opa.requests = [][]byte{request("/v1/data/rules/decisions", map[string]any{"input": inputs})}

	answers := ours.once(b, 0)
	for i, line := range strings.Split(strings.TrimSuffix(answers, "\n"), "\n") {
		var got struct{ Rule string }
		if err := json.Unmarshal([]byte(line), &got); err != nil || i >= inBatch {
			b.Fatalf("line %d: %v: %s", i, err, line)
		}
		if want := d.want[i%len(d.want)]; want != "" && got.Rule != want || want == "" && strings.HasPrefix(got.Rule, "r") {
			b.Fatalf("line %d is answered by the rule %q, want %q", i, got.Rule, want)
		}
	}
	var others struct{ Result []string }
	if err := json.Unmarshal([]byte(opa.once(b, 0)), &others); err != nil || len(others.Result) != inBatch {
		b.Fatalf("%d answers of OPA's: %v", len(others.Result), err)
	}
	for i, got := range others.Result {
		if want := d.want[i%len(d.want)]; got != want {
			b.Fatalf("OPA answers %d by the rule %q, want %q", i, got, want)
		}
	}
	bareOne.start(b, exec.Command(os.Args[0]), fmt.Sprintf("bare lines %d", len(answers)/inBatch), "")
	bareOne.requests = ours.requests
	return []*served{bareOne, ours, opa}
}

// stream sends a batch, and reads the answers while it is sent. It returns how many lines they are.
func (c *connection) stream(request []byte) (answered int, err error) {
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(request)
		sent <- err
	}()
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return 0, errors.New(answer.Status)
	}
	for part := make([]byte, 64<<10); ; {
		n, err := answer.Body.Read(part)
		answered += bytes.Count(part[:n], []byte{'\n'})
		if errors.Is(err, io.EOF) {
			return answered, <-sent
		}
		if err != nil {
			return answered, err
		}
	}
}

// floodBatches sends batches on some connections at once, and returns how many questions a second were answered.
func (s *served) floodBatches(b *testing.B, atOnce, each int) (perSecond float64) {
	b.Helper()
	var wg sync.WaitGroup
	start := time.Now()
	for range atOnce {
		wg.Go(func() {
			c, err := s.connect()
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			for range each {
				n, err := c.stream(s.requests[0])
				if err != nil || n != inBatch && s.name != "OPA's server" {
					b.Errorf("%s: %d lines, %v", s.name, n, err)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(atOnce*each*inBatch) / time.Since(start).Seconds()
}

// BenchmarkServeBatches is `recourse serve` with batches of 10,000 lines on loopback, beside a handler that reads the same bytes and writes as
// many, and OPA's server with a list of inputs in one request; each is a process of its own, and they share the cores with the load. In
// each round all three are asked; the medians are reported.
func BenchmarkServeBatches(b *testing.B) {
	d := &decisionSet{merchants: 1, rules: 1000}
	d.draw()
	all := batches(b, d)
	const rounds, atOnce = 5, 2
	rates := make([][]float64, len(all))
	used := make([][]time.Duration, len(all)) // for a decision
	for range rounds {
		for i, s := range all {
			each := 20
			if s.name == "OPA's server" {
				each = 1
			}
			s.floodBatches(b, atOnce, 1)
			before := s.processorTime()
			rates[i] = append(rates[i], s.floodBatches(b, atOnce, each))
			used[i] = append(used[i], (s.processorTime()-before)/time.Duration(atOnce*each*inBatch))
		}
	}
	for i, s := range all {
		slices.Sort(rates[i])
		slices.Sort(used[i])
		b.Logf("%-16s %8.0f/s (%.0f to %.0f), %s of the processor for one", s.name, rates[i][rounds/2], rates[i][0], rates[i][rounds-1], used[i][rounds/2])
	}
	b.ReportMetric(rates[1][rounds/2], "decisions/s")
	b.ReportMetric(rates[1][rounds/2]/rates[0][rounds/2], "of-bare")
	b.ReportMetric(rates[1][rounds/2]/rates[2][rounds/2], "x-OPA")
	b.ReportMetric(float64(used[1][rounds/2]), "cpu-ns/decision")
}
