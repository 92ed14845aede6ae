package certificate_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/recourse-pay/recourse/internal/certificate"
)

// part is an entry of a zip archive.
type part struct{ name, data string }

func partsOf(t *testing.T, data []byte) (all []part) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part{f.Name, string(text)})
	}
	return all
}

func zipOf(t *testing.T, all []part) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, p := range all {
		w, err := z.Create(p.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, p.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A file holds what verify --certificate writes, and nothing else: what another reader could take for something else is refused.
func TestWhatIsNoCertificate(t *testing.T) {
	start := certificate.Closed{Worlds: []uint32{0}}
	c := &certificate.Certificate{V: certificate.Version, Products: []certificate.Product{{Closed: []certificate.Closed{start}}}, Rules: []certificate.Text{{Name: "baseline.toml", Data: []byte("x = 1")}}}
	data, err := c.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.Read(data); err != nil {
		t.Fatal(err)
	}
	in := func(name string, change func(text string) string) func([]part) []part {
		return func(all []part) []part {
			for i := range all {
				if all[i].name == name {
					all[i].data = change(all[i].data)
				}
			}
			return all
		}
	}
	add := func(p part) func([]part) []part { return func(all []part) []part { return append(all, p) } }
	for _, one := range []struct {
		name, want string
		change     func([]part) []part
	}{
		{"an entry twice", "rules/baseline.toml stands there twice", add(part{"rules/baseline.toml", "x = 2"})},
		{"the states twice", "states/000 stands there twice", add(part{"states/000", ""})},
		{"states of no product", "states/001 is no part of a certificate", add(part{"states/001", ""})},
		{"another entry", "readme.txt is no part of a certificate", add(part{"readme.txt", "hello"})},
		{"no text of rules", "rules/readme.txt is no part of a certificate", add(part{"rules/readme.txt", "hello"})},
		{"a way out of the folder", "rules/../baseline.toml is no part of a certificate", add(part{"rules/../baseline.toml", "x = 2"})},
		{"no head", "certificate.json: unexpected end of JSON input", func(all []part) []part { return all[1:] }},
		{"more behind the head", "certificate.json: invalid character", in("certificate.json", func(s string) string { return s + s })},
		{"a key twice", "certificate.json: it is not written as", in("certificate.json", func(s string) string { return strings.Replace(s, "{", `{"products": [],`, 1) })},
		{"a key in capitals", "certificate.json: it is not written as", in("certificate.json", func(s string) string { return strings.Replace(s, `"products"`, `"PRODUCTS"`, 1) })},
		{"a key that is not known", "certificate.json: it is not written as", in("certificate.json", func(s string) string { return strings.Replace(s, "{", `{"more": [],`, 1) })},
		{"another version", "certificate.json: it has version 99", in("certificate.json", func(string) string { return `{"v": 99}` })},
		{"half a state", "states/000: unexpected EOF", in("states/000", func(s string) string { return s[:10] })},
		{"a state without its worlds", "states/000: EOF", in("states/000", func(s string) string { return s[:len(s)-2] })},
		{"a stage that is none", "is no state", in("states/000", func(s string) string { return "\x09" + s[1:] })},
		{"a world that is none", "states/000: a world is too large", in("states/000", func(s string) string { return s[:len(s)-1] + "\xff\xff\xff\xff\x7f" })},
	} {
		if _, err := certificate.Read(zipOf(t, one.change(partsOf(t, data)))); err == nil || !strings.Contains(err.Error(), one.want) {
			t.Errorf("%s: %v, want %q", one.name, err, one.want)
		}
	}
	// Whatever is cut off or turned over, what is read is what was written, or nothing.
	for i := range data {
		if _, err := certificate.Read(data[:i]); err == nil {
			t.Errorf("%d of %d bytes are read", i, len(data))
		}
		turned := bytes.Clone(data)
		turned[i] ^= 1
		if got, err := certificate.Read(turned); err == nil {
			got.Rules[0].Name = c.Rules[0].Name // it is compared with those that are in force
			if again, err := got.Bytes(); err != nil || !bytes.Equal(again, data) {
				t.Errorf("byte %d: another certificate is read", i)
			}
		}
	}
}
