package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/plugins"
	"github.com/open-policy-agent/opa/v1/server"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/recourse-pay/recourse/policy"
)

// serveAs is the variable of the environment that makes this program one of the servers: each is a process of its own.
const serveAs = "RECOURSE_BENCH_SERVE"

func TestMain(m *testing.M) {
	if what := os.Getenv(serveAs); what != "" {
		if err := serveUntilInputEnds(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		return
	}
	os.Exit(m.Run())
}

// serveUntilInputEnds serves on loopback, and prints the address.
func serveUntilInputEnds(what string) error {
	handler := http.Handler(http.HandlerFunc(bare))
	if text, many := strings.CutPrefix(what, "bare lines "); many {
		length, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		handler = bareLines(length)
	}
	if what == "opa" {
		module, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<26)) // all of it: the parent closes it when it has written
		if err != nil {
			return err
		}
		if handler, err = opaHandler(string(module)); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listens on %s\n", l.Addr())
	return http.Serve(l, handler) // until the parent ends it
}

// bare answers with a constant.
func bare(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header()["Content-Type"] = []string{"application/json"}
	_, _ = io.WriteString(w, `{"action":"query_status"}`)
}

// bareLines answers each line with a line of some length, which it does not make anew.
func bareLines(length int) http.HandlerFunc {
	answers := bytes.Repeat(append(bytes.Repeat([]byte{'x'}, length-1), '\n'), 1024)
	return func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.Header()["Content-Type"] = []string{lines}
		for part := make([]byte, 64<<10); ; {
			n, err := r.Body.Read(part)
			for asked := bytes.Count(part[:n], []byte{'\n'}); asked > 0; asked -= 1024 {
				_, _ = w.Write(answers[:min(asked, 1024)*length])
			}
			if err != nil {
				return
			}
		}
	}
}

// opaHandler is that of OPA's own server.
func opaHandler(module string) (http.Handler, error) {
	ctx := context.Background()
	store := inmem.New()
	manager, err := plugins.New([]byte(`{}`), "bench", store)
	if err != nil {
		return nil, err
	}
	if err := manager.Start(ctx); err != nil {
		return nil, err
	}
	s, err := server.New().WithAddresses([]string{"127.0.0.1:0"}).WithStore(store).WithManager(manager).Init(ctx)
	if err != nil {
		return nil, err
	}
	put, err := http.NewRequestWithContext(ctx, http.MethodPut, "/v1/policies/rules", strings.NewReader(module))
	if err != nil {
		return nil, err
	}
	answer := &answerKept{header: http.Header{}}
	s.Handler.ServeHTTP(answer, put)
	if answer.status != http.StatusOK {
		return nil, fmt.Errorf("the policy is refused: %d %s", answer.status, answer.body.String())
	}
	return s.Handler, nil
}

// answerKept is an answer that is kept.
type answerKept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answerKept) Header() http.Header { return a.header }
func (a *answerKept) WriteHeader(s int)   { a.status = s }
func (a *answerKept) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.body.Write(p)
}

// served is a server under load.
type served struct {
	name     string
	address  string
	requests [][]byte // whole ones, of HTTP/1.1
	pid      int
}

// request is a POST on a connection that stays.
func request(path string, body any) []byte {
	return post(path, "application/json", asJSON(body))
}

func post(path, kind string, text []byte) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", path, kind, len(text), text)
}

func asJSON(body any) []byte {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return text
}

// question is a situation as the service is asked about it, and input as OPA is.
func question(s *policy.Situation) any {
	p := s.Payment
	return map[string]any{"provider": p.Provider, "merchant": p.Merchant, "operation": p.Operation, "code": s.Answer.Code, "amount": p.Amount, "currency": p.Currency, "tags": p.Tags}
}

func input(s *policy.Situation) any {
	p := s.Payment
	return map[string]any{"operation": p.Operation, "phase": policy.Send, "code": s.Answer.Code, "amount": p.Amount, "currency": p.Currency, "tags": p.Tags, "hour": s.At.Hour()}
}

// servers starts the three, with the same rules, and holds their answers against each other.
func servers(b *testing.B, d *decisionSet) []*served {
	b.Helper()
	bareOne, ours, opa := &served{name: "bare handler"}, &served{name: "recourse serve"}, &served{name: "OPA's server"}
	bareOne.start(b, exec.Command(os.Args[0]), "bare", "")
	opa.start(b, exec.Command(os.Args[0]), "opa", d.regoModule())
	ours.startCommand(b, d)
	for _, s := range d.asked {
		ours.requests = append(ours.requests, request("/v1/decide", question(s)))
		opa.requests = append(opa.requests, request("/v1/data/rules/decision", map[string]any{"input": input(s)}))
	}
	bareOne.requests = ours.requests
	for i, want := range d.want {
		for s, as := range map[*served]string{ours: `"rule":"` + want + `"`, opa: `"result":"` + want + `"`} {
			if got := s.once(b, i); want != "" && !strings.Contains(got, as) || want == "" && (strings.Contains(got, `"rule":"r`) || strings.Contains(got, "result")) {
				b.Fatalf("%s answers %s, want %s", s.name, got, as)
			}
		}
	}
	return []*served{bareOne, ours, opa}
}

// startCommand builds the command and starts it as a service with the rules.
func (s *served) startCommand(b *testing.B, d *decisionSet) {
	b.Helper()
	dir := b.TempDir()
	for name, f := range d.files() {
		file := filepath.Join(dir, "rules", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	program := filepath.Join(dir, "recourse")
	if out, err := exec.Command("go", "build", "-o", program, "../cmd/recourse").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	s.start(b, exec.Command(program, "serve", "--listen", "127.0.0.1:0", "--rules", filepath.Join(dir, "rules")), "", "")
}

// start starts a process and waits for its address.
func (s *served) start(b *testing.B, c *exec.Cmd, as, input string) {
	b.Helper()
	c.Env = os.Environ()
	if as != "" {
		c.Env = append(c.Env, serveAs+"="+as)
	}
	c.Stdin = strings.NewReader(input)
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	s.pid = c.Process.Pid
	b.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("%s does not start: %v", s.name, err)
	}
	_, s.address, _ = strings.Cut(strings.TrimSpace(line), "listens on ")
}

// processorTime is what the server has used of the processor, which says the same when others use the machine too; 0 where the system does not tell.
func (s *served) processorTime() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.pid))
	_, after, ok := bytes.Cut(text, []byte(") ")) // the name before it may have spaces
	fields := strings.Fields(string(after))
	if err != nil || !ok || len(fields) < 13 {
		return 0
	}
	var sum time.Duration
	for _, ticks := range fields[11:13] { // of itself, and of the system for it
		n, err := strconv.Atoi(ticks)
		if err != nil {
			return 0
		}
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum
}

// connection is one that stays open.
type connection struct {
	net.Conn

	in *bufio.Reader
}

func (s *served) connect() (*connection, error) {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, err
	}
	return &connection{c, bufio.NewReaderSize(c, 16<<10)}, nil
}

// ask makes a request and reads the answer. Keep says whether its body is wanted.
func (c *connection) ask(request []byte, keep bool) (body string, err error) {
	if _, err := c.Write(request); err != nil {
		return "", err
	}
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s", answer.Status)
	}
	if !keep {
		_, err = io.Copy(io.Discard, answer.Body)
		return "", err
	}
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

func (s *served) once(b *testing.B, i int) string {
	b.Helper()
	c, err := s.connect()
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	text, err := c.ask(s.requests[i], true)
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// connections that ask at once.
const connections = 16

// flood asks as fast as it is answered, n times in all.
func (s *served) flood(b *testing.B, n int) (perSecond float64) {
	b.Helper()
	start := time.Now()
	s.each(b, n, func(int) {})
	return float64(n) / time.Since(start).Seconds()
}

// paced asks at a rate, n times, and returns how long the answers took from when each was due: one that is late makes those behind it
// late, and they count as such.
func (s *served) paced(b *testing.B, n int, rate float64) (took []time.Duration) {
	b.Helper()
	took = make([]time.Duration, n)
	start := time.Now()
	due := func(i int) time.Time { return start.Add(time.Duration(float64(i) / rate * float64(time.Second))) }
	s.each(b, n, func(i int) { time.Sleep(time.Until(due(i))) }, func(i int) { took[i] = time.Since(due(i)) })
	slices.Sort(took)
	return took
}

func (s *served) each(b *testing.B, n int, before func(i int), after ...func(i int)) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			c, err := s.connect()
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				before(i)
				if _, err := c.ask(s.requests[i%len(s.requests)], false); err != nil {
					b.Error(s.name, err)
					return
				}
				for _, f := range after {
					f(i)
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkServe is `recourse serve` on loopback beside a handler that returns a constant and OPA's server with the same 1,000 rules, each
// a process of its own. They share the cores with the load. In each round all three are asked, so that the machine's moods meet all; the
// medians are reported: decisions a second as fast as they come, and how long one takes at 10,000 a second.
func BenchmarkServe(b *testing.B) {
	d := &decisionSet{merchants: 1, rules: 1000}
	d.draw()
	all := servers(b, d)
	const rounds, rate = 5, 10_000
	rates := make([][]float64, len(all))
	p99 := make([][]time.Duration, len(all))
	p50 := make([][]time.Duration, len(all))
	used := make([][]time.Duration, len(all)) // for a decision
	for range rounds {
		for i, s := range all {
			asked := 20_000
			if s.name == "OPA's server" {
				asked = 4000
			}
			s.flood(b, asked/10)
			before := s.processorTime()
			rates[i] = append(rates[i], s.flood(b, asked))
			used[i] = append(used[i], (s.processorTime()-before)/time.Duration(asked))
			took := s.paced(b, 20_000, min(rate, rates[i][0]/2)) // what it can do half of
			p50[i], p99[i] = append(p50[i], took[len(took)/2]), append(p99[i], took[len(took)*99/100])
		}
	}
	for i, s := range all {
		slices.Sort(rates[i])
		slices.Sort(p99[i])
		slices.Sort(p50[i])
		slices.Sort(used[i])
		b.Logf("%-16s %7.0f/s, %s of the processor for one; at %.0f/s p50 %s, p99 %s (%s to %s)", s.name, rates[i][rounds/2], used[i][rounds/2], min(rate, rates[i][0]/2), p50[i][rounds/2], p99[i][rounds/2], p99[i][0], p99[i][rounds-1])
	}
	ours := rates[1][rounds/2]
	b.ReportMetric(ours, "decisions/s")
	b.ReportMetric(ours/rates[0][rounds/2], "of-bare")
	b.ReportMetric(ours/rates[2][rounds/2], "x-OPA")
	b.ReportMetric(float64(p99[1][rounds/2].Microseconds()), "p99-µs")
	b.ReportMetric(float64(used[1][rounds/2])/float64(max(1, used[0][rounds/2])), "x-bare-processor")
}
