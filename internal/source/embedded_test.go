package source

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
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
