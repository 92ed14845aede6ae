package browsertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium finds the browser; the tests fail without one.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no chromium is installed (Debian's package chromium)")
	return ""
}

var dir string // of the built command; empty: it was not built

var built = sync.OnceValues(func() (file string, err error) {
	if dir, err = os.MkdirTemp("", "recourse"); err != nil {
		return "", err
	}
	file = filepath.Join(dir, "recourse")
	if out, err := exec.Command("go", "build", "-o", file, "github.com/recourse-pay/recourse/cmd/recourse").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return file, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// pageOf writes a page with the command, and returns its file and the report's JSON form.
func pageOf(t *testing.T, args ...string) (file string, report []byte) {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "page.html")
	cmd := exec.Command(program, append([]string{"simulate", "--json", "--html", file}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	report, err = cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: the rules do harm on this recording
		t.Fatalf("%v\n%s", err, errs.String())
	}
	return file, report
}

// twoRuleSets are the arguments for a page with everything on it.
func twoRuleSets(t *testing.T) []string {
	t.Helper()
	others := t.TempDir()
	if err := os.MkdirAll(filepath.Join(others, "merchants"), 0o755); err != nil {
		t.Fatal(err)
	}
	const rules = "[[rule]]\nid = \"person\"\nwhen = 'in_doubt && attempt == 1'\nthen = \"escalate\"\nreason = \"a person knows\"\n"
	if err := os.WriteFile(filepath.Join(others, "merchants", "teahouse.toml"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--against", others, filepath.Join("..", "..", "..", "testdata", "recordings", "shopline.jsonl.gz")}
}

// tab is one tab of a browser, which notes what a page must not do.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	faults []string
	may    func(url string) bool // be loaded; nil: nothing
}

// open begins a browser, and ends it with the test.
func open(t *testing.T) *tab {
	t.Helper()
	allocated, stop := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(chromium(t)), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true), chromedp.Flag("host-resolver-rules", "MAP console.test 127.0.0.1"), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute))
	ctx, end := chromedp.NewContext(allocated)
	b := &tab{t: t, ctx: ctx}
	t.Cleanup(func() { end(); stop() })
	b.do()
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	b.screen(1280, 900, false)
	return b
}

// note takes what the browser reports.
func (b *tab) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.faults = append(b.faults, "console: "+string(e.Type))
	case *log.EventEntryAdded:
		b.faults = append(b.faults, "log: "+e.Entry.Text+" "+e.Entry.URL)
	case *network.EventRequestWillBeSent:
		if b.may == nil || !b.may(e.Request.URL) {
			b.faults = append(b.faults, "request: "+e.Request.URL)
		}
	}
}

// clean fails the test where the page did what it must not do.
func (b *tab) clean() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.faults) > 0 {
		b.t.Errorf("the page: %s", strings.Join(b.faults, "\n"))
	}
	b.faults = nil
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) navigate(file string) {
	b.t.Helper()
	b.mu.Lock()
	b.may = func(url string) bool { return url == "file://"+file }
	b.mu.Unlock()
	b.do(chromedp.Navigate("file://" + file))
}

func (b *tab) screen(width, height int64, mobile bool) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: mobile})
}

// media makes the page dark or light, or puts it on paper.
func (b *tab) media(kind, scheme string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: kind, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
}

// eval evaluates an expression in the page.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression[:min(len(expression), 200)], err)
	}
	return v
}

// number finds a number of a report: paths are separated by spaces and added up.
func number(report any, paths string) (sum int64, err error) {
	for _, path := range strings.Fields(paths) {
		v := report
		for _, key := range strings.Split(path, ".") {
			switch in := v.(type) {
			case map[string]any:
				v = in[key]
			case []any:
				var i int
				if _, err := fmt.Sscan(key, &i); err != nil || i >= len(in) {
					return 0, fmt.Errorf("no place %s in %s", key, path)
				}
				v = in[i]
			}
		}
		n, is := v.(float64)
		if !is && (v != nil || !strings.HasSuffix(path, ".against")) { // which is left out where it is 0
			return 0, fmt.Errorf("no number %s", path)
		}
		sum += int64(n)
	}
	return sum, nil
}

func decoded(t *testing.T, report []byte) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal(report, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
