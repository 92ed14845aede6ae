package schematest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// An editor shows the sentence of a key to whoever meets it for the first time: no key is without one.
func TestEveryKeyIsDescribed(t *testing.T) {
	files, err := filepath.Glob("../../../../schema/*.json")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d schemas (%v)", len(files), err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var root any
		if err := json.Unmarshal(raw, &root); err != nil {
			t.Fatal(err)
		}
		n := 0
		eachKey(root, "", func(path string, key any) {
			if n++; !says(key) {
				t.Errorf("%s: %s says nothing", filepath.Base(name), path)
			}
		})
		if n == 0 {
			t.Errorf("%s has no keys", name)
		}
	}
}

// eachKey visits the keys of the objects that a schema describes.
func eachKey(n any, path string, visit func(path string, key any)) {
	switch n := n.(type) {
	case []any:
		for _, item := range n {
			eachKey(item, path, visit)
		}
	case map[string]any:
		for word, below := range n {
			keys, is := below.(map[string]any)
			if word != "properties" || !is {
				eachKey(below, path, visit)
				continue
			}
			for name, key := range keys {
				visit(path+"/"+name, key)
				eachKey(key, path+"/"+name, visit)
			}
		}
	}
}

// says reports whether a key has a sentence, be it that of what its lists hold.
func says(key any) bool {
	n, ok := key.(map[string]any)
	if !ok {
		return false
	}
	if text, ok := n["description"].(string); ok && len(text) > 3 {
		return true
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		all, _ := n[word].([]any)
		for _, one := range all {
			if says(one) {
				return true
			}
		}
	}
	return says(n["items"]) || n["$ref"] != nil
}
