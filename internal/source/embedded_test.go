package source

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/recourse-pay/recourse/internal/testkit"
)

// What the program carries is read by ParseEmbedded as Parse reads it: values, and where each stands.
func TestEmbeddedFilesAreReadAsAnyFile(t *testing.T) {
	read := 0
	for _, pattern := range []string{"../../providers/*.toml", "../../rules/*.toml", "../../rules/merchants/*.toml", "../../examples/*/rules/*/*.toml", "../check/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := Parse(file, data)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseEmbedded(file, data)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s is read otherwise (%v)", file, err)
			}
			read++
		}
	}
	if read < 25 {
		t.Errorf("only %d files were read", read)
	}
}

// agreed holds ParseEmbedded to Parse for a file that Parse reads. It may refuse one, as for a date.
func agreed(t *testing.T, d *Doc) {
	t.Helper()
	if got, err := ParseEmbedded(d.File, d.data); err == nil && !reflect.DeepEqual(got, d) {
		t.Fatalf("is read as\n%#v\nand by Parse as\n%#v\n%s", got.root, d.root, d.data)
	}
}

// A catalogue that was edited by hand, in a program that was built without the tests, is refused where Parse refuses it: it was
// read up to the mistake, and its contract lacked what came after.
func TestBrokenEmbeddedFilesAreRefused(t *testing.T) {
	data, err := os.ReadFile("../../providers/momo.toml")
	if err != nil {
		t.Fatal(err)
	}
	tokens := []string{"[", "]", "{", "}", "=", ",", "\"", "'", "\\", "\n", "[a]\n[a]\n", "\x00", "\xff"}
	random := rand.New(rand.NewPCG(17, 2026))
	broken := 0
	for range testkit.Size(200, 2000, 20000) {
		from := random.IntN(len(data))
		from -= len(data[:from]) - bytes.LastIndexByte(data[:from], '\n') - 1
		piece := data[from:min(len(data), from+100+random.IntN(900))]
		at := random.IntN(len(piece))
		text := slices.Concat(piece[:at], []byte(tokens[random.IntN(len(tokens))]), piece[at+random.IntN(2):])
		want, refused := Parse("f.toml", text)
		got, err := ParseEmbedded("f.toml", text)
		switch {
		case refused != nil && err == nil:
			t.Fatalf("is read, and Parse says %v\n%s", refused, text)
		case refused != nil:
			broken++
		case err != nil || !reflect.DeepEqual(got, want):
			t.Fatalf("is read otherwise (%v)\n%s", err, text)
		}
	}
	if broken < 20 {
		t.Errorf("only %d texts were broken", broken)
	}
}
