package traffic

import (
	"bytes"
	"compress/gzip"
	"io"
	"runtime"
	"strings"
	"testing"
)

// Hostile files end with an error that names the file and the line, and take no more memory than an entry may.
func TestHostileFiles(t *testing.T) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := io.WriteString(zip, strings.Repeat(`{"a":1}`+"\n", 100_000)); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, begin string
		filler      int // bytes of x behind it
		end, want   string
	}{
		{"an entry without an end", `{"log":{"entries":[` + "\n" + `{"request":{"url":"`, 3 * maxEntry, "", "f:2: an entry of more than 32 MiB"},
		{"a cell without an end", "a,b\n\"", 3 * maxEntry, "", "f.csv:1: an entry of more than 32 MiB"},
		{"depth", `{"log":{"entries":[{"request":` + strings.Repeat("[", 1<<20), 0, "", "f:1: "},
		{"depth in YAML", "interactions:\n- request: " + strings.Repeat("[", 1<<17), 0, "", "f:2: "},
		{"half a list", `[{"scope":"https://a","method":"GET"},` + "\n" + `{"scope":`, 0, "", "f:2: "},
		{"cut gzip", packed.String()[:packed.Len()-20], 0, "", "f:"},
	} {
		before := new(runtime.MemStats)
		runtime.ReadMemStats(before)
		name := "f"
		if strings.HasPrefix(tt.begin, "a,b") {
			name = "f.csv"
		}
		s, err := From(name, io.MultiReader(strings.NewReader(tt.begin), io.LimitReader(xs{}, int64(tt.filler)), strings.NewReader(tt.end)), "")
		if err == nil {
			err = s.Read(&Visitor{Call: func(*Call) error { return nil }, Row: func(*Row) error { return nil }, Skip: func(int, string) {}})
		}
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, not %q", tt.name, err, tt.want)
		}
		after := new(runtime.MemStats)
		if runtime.ReadMemStats(after); int64(after.HeapSys)-int64(before.HeapSys) > 12*maxEntry {
			t.Errorf("%s: %d MiB", tt.name, (int64(after.HeapSys)-int64(before.HeapSys))>>20)
		}
	}
}

type xs struct{}

func (xs) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// Files that cannot be read are named as what they are, with the way to a file that can. A time at the beginning is no flow.
func TestFilesThatAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"PK\x03\x04\x14\x00har.har":                     "zip",
		"2040:9:websocket;0:~8:response;1892:6:reason;": "mitmproxy",
		"12:30:05;o-1;0\n12:30:06;o-2;0\n":              "csv",
		"\xd4\xc3\xb2\xa1\x02\x00\x04\x00,;\n":          "binary",
		"{\"a\":1}\n{\"a\":\"\x00\"}\n":                 "jsonl",
	} {
		s, err := From("f", strings.NewReader(text), "")
		if err != nil || s.Format.Name != want {
			t.Errorf("%q: %v, %v, not %s", text, s.Format.Name, err, want)
		}
	}
}
