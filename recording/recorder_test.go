package recording

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/executor"
	"github.com/recourse-pay/recourse/policy"
)

var start0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func second(n int) time.Time { return start0.Add(time.Duration(n) * time.Second) }

func payment() *policy.Payment {
	return &policy.Payment{Provider: "momo", Merchant: "acme", Operation: policy.Pay, Key: "cart-77", Amount: 120000, Currency: "VND"}
}

// send is a call that has begun; over ends it.
func send(flow string, from int) *executor.CallEvent {
	p := payment()
	return &executor.CallEvent{Flow: flow, Payment: p, Phase: policy.Send, Start: second(from), Attempt: &executor.Attempt{
		Flow: flow, Payment: p, OrderID: "o-" + flow, RequestID: "r-" + flow, Number: 1,
	}}
}

func over(c *executor.CallEvent, at int, body string) *executor.CallEvent {
	c.End, c.Reply = second(at), executor.Reply{HTTPStatus: 200, Body: []byte(body)}
	return c
}

func ended(flow string, at int) *executor.EndEvent {
	return &executor.EndEvent{Flow: flow, Payment: payment(), At: second(at), Outcome: policy.Succeeded}
}

// buffer is a writer that may be read meanwhile.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// order is the flows and phases of the lines.
func order(t *testing.T, recording string) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(recording) {
		var l struct{ Flow, Phase string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, l.Flow+" "+l.Phase)
	}
	return all
}

func flushed(t *testing.T, r *Recorder) {
	t.Helper()
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestLinesWaitForEarlierCalls(t *testing.T) {
	var out buffer
	ctx := context.Background()
	r := New(&out, nil)
	slow, quick := send("slow", 0), send("quick", 1)
	slowCtx := r.Calling(ctx, slow)
	quickCtx := r.Calling(ctx, quick)
	r.Called(quickCtx, over(quick, 2, `{"resultCode":0}`))
	r.Ended(ctx, ended("quick", 2))
	flushed(t, r)
	if out.String() != "" {
		t.Errorf("written before the call that began earlier was over: %s", out.String())
	}
	r.Called(slowCtx, over(slow, 9, `{"resultCode":0}`))
	flushed(t, r)
	want := []string{"slow send", "quick send", "quick end"}
	if got := order(t, out.String()); !reflect.DeepEqual(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestHungCallHoldsNothingForEver(t *testing.T) {
	ctx := context.Background()
	pass := func(o *Options, n, step int) (written, atEnd []string) {
		var out buffer
		r := New(&out, o)
		hung := send("hung", 0)
		hungCtx := r.Calling(ctx, hung)
		for i := 1; i <= n; i++ {
			c := send(fmt.Sprint(i), i*step)
			cctx := r.Calling(ctx, c)
			r.Called(cctx, over(c, i*step, `{"resultCode":0}`))
			flushed(t, r)
		}
		written = order(t, out.String())
		r.Called(hungCtx, over(hung, n*step, `{"resultCode":0}`))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		return written, order(t, out.String())
	}
	// By time.
	written, all := pass(nil, 3, 250)
	if len(written) != 3 || len(all) != 4 || all[3] != "hung send" {
		t.Errorf("by time: %q, then %q", written, all)
	}
	// By memory: each line is some 300 bytes.
	written, all = pass(&Options{Buffer: 2000}, 20, 1)
	if len(written) < 10 || len(written) == 20 || len(all) != 21 {
		t.Errorf("by memory: %d of %d lines", len(written), len(all))
	}
}

// gate is a writer that blocks until it is opened.
type gate struct {
	entered chan struct{}
	open    chan struct{}
	once    sync.Once
	buffer
}

func (g *gate) Write(p []byte) (int, error) {
	g.once.Do(func() { close(g.entered) })
	<-g.open
	return g.buffer.Write(p)
}

func TestFullQueueLeavesOutWholeFlows(t *testing.T) {
	ctx := context.Background()
	g := &gate{entered: make(chan struct{}), open: make(chan struct{})}
	r := New(g, &Options{Buffer: 10 * lineSize})
	call := func(flow string) { r.Called(ctx, over(send(flow, 1), 2, "")) }
	call("first")
	<-g.entered // the writer is blocked now
	for i := range 8 {
		call(fmt.Sprint("early-", i))
	}
	// New flows are refused from half on, those that have begun are written to the end.
	r.Ended(ctx, ended("first", 3))
	r.Ended(ctx, ended("early-0", 3))
	r.Ended(ctx, ended("early-7", 3)) // was never begun
	if flows, lines := r.Dropped(); flows != 2 || lines != 3 {
		t.Errorf("dropped %d lines of %d flows, want 3 of 2", lines, flows)
	}
	for range 3 { // full: a flow that has begun loses a line, and then all
		r.Ended(ctx, ended("early-1", 4))
	}
	close(g.open)
	flushed(t, r)
	r.Ended(ctx, ended("early-1", 5))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	written := strings.Join(order(t, g.String()), ",")
	if !strings.Contains(written, "first end") || !strings.Contains(written, "early-0 end") || strings.Contains(written, "early-7") {
		t.Errorf("written: %s", written)
	}
	if strings.Contains(written, "early-1") {
		t.Errorf("a flow with a gap goes on: %s", written)
	}
	r.Ended(ctx, ended("late", 6))
	if flows, _ := r.Dropped(); flows != 4 {
		t.Errorf("%d flows dropped, want early-1, -6, -7 and late", flows)
	}
	if r.Flush() != ErrClosed {
		t.Error("Flush after Close")
	}
	if err := r.Close(); err != nil {
		t.Error("Close twice:", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestErrorEndsTheRecording(t *testing.T) {
	full := errors.New("disk full")
	r := New(failing{full}, nil)
	r.Ended(context.Background(), ended("f", 1))
	if err := r.Flush(); !errors.Is(err, full) {
		t.Errorf("Flush: %v", err)
	}
	r.Ended(context.Background(), ended("g", 2))
	if flows, lines := r.Dropped(); flows != 1 || lines != 1 {
		t.Errorf("dropped %d lines of %d flows", lines, flows)
	}
	if err := r.Close(); !errors.Is(err, full) || !errors.Is(r.Err(), full) {
		t.Errorf("Close: %v", err)
	}
}

// The recorder copies what it keeps of an event.
func TestEventsAreCopied(t *testing.T) {
	g := &gate{entered: make(chan struct{}), open: make(chan struct{})}
	r := New(g, nil)
	ctx := context.Background()
	r.Ended(ctx, ended("first", 0))
	<-g.entered
	c := over(send("f", 1), 2, `{"orderId":"o-f","amount":120000,"resultCode":1006}`)
	c.Answer.Code = "1006"
	c.Payment.Tags = map[string]string{"shop": "7"}
	r.Called(ctx, c)
	copy(c.Reply.Body, `{"orderId":"o-g","amount":120000,"resultCode":9999}`)
	c.Payment.Tags["shop"], c.Payment.Merchant, c.Attempt.OrderID = "8", "other", "other"
	close(g.open)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if s := g.String(); strings.Contains(s, "other") || !strings.Contains(s, `"tags":{"shop":"7"}`) || !strings.Contains(s, `"resultCode":1006`) {
		t.Errorf("written: %s", s)
	}
}

func TestManyAtOnce(t *testing.T) {
	var out buffer
	r := New(&out, nil)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for n := range 20 {
				c := send(fmt.Sprint(i, "-", n), n)
				ctx := r.Calling(context.Background(), c)
				r.Called(ctx, over(c, n+1, `{"resultCode":0}`))
				r.Ended(ctx, ended(c.Flow, n+1))
			}
		})
	}
	all.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(order(t, out.String())); n != 800 {
		t.Errorf("%d lines, want 800", n)
	}
}
