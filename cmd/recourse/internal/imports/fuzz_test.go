package imports

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/cmd/recourse/internal/traffic"
	"github.com/recourse-pay/recourse/internal/recorded"
)

// Whatever is imported, an error names its file, and what is written can be read again, in the order of time.
func FuzzImport(f *testing.F) {
	for _, pattern := range []string{"made/*", "described/*"} {
		files, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(files) == 0 {
			f.Fatalf("%d files, %v", len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, ".golden") {
				continue
			}
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte(har(harEntry(1, payURL, requestBody("1"), 307, `{"name":"Location","value":"//x"}`, ""), harEntry(2, "https://x", requestBody("1"), 200, "", paidBody("1")))))
	catalogs := builtin(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var out bytes.Buffer
		o := &Options{Catalogs: catalogs, Stdin: bytes.NewReader(data), LeftOut: func(p *traffic.PlaceError) {
			if p.File != "stdin" || p.Line < 1 {
				t.Errorf("%v", p)
			}
		}}
		sum, err := Run(t.Context(), o, &out, "-")
		if err != nil && !strings.HasPrefix(err.Error(), "stdin:") {
			t.Errorf("%v does not name the file", err)
		}
		if err == nil {
			checkLines(t, out.String(), sum)
		}
	})
}

func checkLines(t *testing.T, recording string, sum *Summary) {
	t.Helper()
	r := recorded.NewReader()
	lines := 0
	var last recorded.Line
	for text := range strings.Lines(recording) {
		var l recorded.Line
		if _, err := r.Read([]byte(text), &l); err != nil || len(r.Others()) > 0 {
			t.Fatalf("%v %v: %s", err, r.Others(), text)
		}
		if l.At.Before(last.At) {
			t.Fatalf("time goes back: %s", text)
		}
		last.At = l.At
		lines++
	}
	if lines != sum.Lines || sum.Sends+sum.Queries+sum.Webhooks+sum.Ends+sum.Truths != lines || sum.Flows > lines {
		t.Fatalf("%d lines, %+v", lines, sum)
	}
}

// Whatever stands in a mapping, a mistake has its place; whatever a table holds, what is made of it by a mapping can be read.
func FuzzMapping(f *testing.F) {
	for _, name := range []string{"settlement", "http"} {
		toml, err := os.ReadFile(filepath.Join("testdata", "rows", name+".toml"))
		if err != nil {
			f.Fatal(err)
		}
		rows, err := os.ReadFile(filepath.Join("testdata", "rows", name+".rows.csv"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(toml, rows)
	}
	f.Add([]byte("[set]\nprovider='momo'\noperation='pay'\n[fields]\nat='at'\nphase='p'\norder_id='o'\namount='a'\nbody='b'\n[time]\nlayout='unix_ms'\n[amount]\nthousands='.'\n"), []byte(`{"at":1e3,"p":"truth","o":"1","a":"1.000"}`+"\n"+`{"at":99999999999999,"p":"send","o":1,"a":1,"b":"{}"}`))
	catalogs := builtin(f)
	f.Fuzz(func(t *testing.T, mapping, data []byte) {
		m, err := ReadMapping("m.toml", mapping)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "m.toml:") {
				t.Errorf("%v has no place", err)
			}
			return
		}
		var out bytes.Buffer
		sum, err := Run(t.Context(), &Options{Catalogs: catalogs, Mapping: m, Stdin: bytes.NewReader(data), LeftOut: func(*traffic.PlaceError) {}}, &out, "-")
		var placed *traffic.PlaceError
		if err != nil && !errors.As(err, &placed) && !strings.HasPrefix(err.Error(), "stdin:") {
			t.Errorf("%v does not name the file", err)
		}
		if err == nil {
			checkLines(t, out.String(), sum)
		}
	})
}
