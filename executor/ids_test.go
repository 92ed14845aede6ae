package executor_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/internal/testkit"
	"github.com/recourse-pay/recourse/policy"
)

// named is a client that keeps the ids of its attempts.
type named struct {
	mu  sync.Mutex
	ids map[string]int
}

func (c *named) Send(_ context.Context, a *executor.Attempt) (executor.Reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids[a.Flow]++
	c.ids[a.RequestID]++
	return executor.Reply{HTTPStatus: 200, Answer: &policy.Answer{Code: "0"}}, nil
}

func (c *named) Query(context.Context, *executor.Attempt) (executor.Reply, error) {
	return executor.Reply{}, errBroken
}

// Flows begin at once in many goroutines, some by Do and some by Start, and no id is given out twice.
func TestIDsAreNeverGivenOutTwice(t *testing.T) {
	for name, own := range map[string]func(*policy.Payment) string{"random": nil, "the caller's": func(p *policy.Payment) string { return "r-" + p.Key }} {
		x := open(t, defaults(), executor.Config{NewRequestID: own, AtOnce: -1})
		c := &named{ids: map[string]int{}}
		each := testkit.Size(50, 300, 3000)
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				for n := range each {
					q := payment(strings.Repeat("x", i) + "-" + strings.Repeat("y", n%7) + string(rune('0'+n/7)))
					q.RequestID = ""
					if n%5 == 0 {
						h, err := x.Start(context.Background(), q, c)
						if err == nil {
							_, err = h.Wait(context.Background())
						}
						if err != nil {
							t.Error(err)
						}
						continue
					}
					if _, err := x.Do(context.Background(), q, c); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if err := shutDown(x); err != nil {
			t.Error(err)
		}
		for id, n := range c.ids {
			if n != 1 || len(id) < 3 || len(id) > 60 {
				t.Errorf("%s: id %q was given out %d times", name, id, n)
			}
		}
		if want := 2 * 16 * each; len(c.ids) != want {
			t.Errorf("%s: %d ids, want %d", name, len(c.ids), want)
		}
	}
}

// What begins together stands together in an index of names, and no two request ids of one moment are alike.
func TestRequestIDsBeginWithTheTime(t *testing.T) {
	now := time.Date(2026, 11, 30, 21, 0, 0, 0, time.UTC)
	seen := map[string]bool{}
	last := ""
	for i := range 1000 {
		id := executor.RequestLetters(now.Add(time.Duration(i/10) * time.Minute))
		if len(id) != 26 || seen[id] {
			t.Fatalf("request id %q", id)
		}
		if id[:7] < last {
			t.Errorf("%q comes after %q, and stands before it", id, last)
		}
		seen[id], last = true, id[:7]
	}
}

// Whoever sees the ids of its own flows sees neither how many others began between them, nor what their ids are.
func TestAnIDTellsNothingOfOtherFlows(t *testing.T) {
	x := open(t, defaults(), executor.Config{})
	c := &named{ids: map[string]int{}}
	for i := range 40 {
		q := payment("k" + strings.Repeat("x", i))
		q.RequestID = ""
		if _, err := x.Do(context.Background(), q, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := shutDown(x); err != nil {
		t.Error(err)
	}
	var drawn []string
	for id := range c.ids {
		if strings.HasPrefix(id, "f-") {
			drawn = append(drawn, id[strings.LastIndexByte(id, '-')+1:])
		}
	}
	if len(drawn) != 40 {
		t.Fatalf("%d flows", len(drawn))
	}
	for i, one := range drawn {
		for _, other := range drawn[:i] {
			same := 0
			for k := range min(len(one), len(other)) {
				if one[k] == other[k] {
					same++
				}
			}
			if same > 8 || len(one) != 16 || len(other) != 16 { // of two that are drawn, once in three thousand million
				t.Errorf("%s and %s", one, other)
			}
		}
	}
}
