package stored

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// goldenRows reads testdata/rows: a row a line, in the form of one version.
func goldenRows(t *testing.T, version int) [][]byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "rows", fmt.Sprintf("v%d.jsonl", version)))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

// Rows of the versions before were written by other builds. Each is read, nothing in its
// state is lost, and written again it is a golden row of the current version. Its last row has
// a value in every field of a state.
func TestGoldenRowsOfOlderVersionsAreUpgraded(t *testing.T) {
	var upgraded bytes.Buffer
	for i, old := range slices.Concat(goldenRows(t, 1), goldenRows(t, 2), goldenRows(t, 3)) {
		s, err := Decode(old)
		if err != nil {
			t.Fatalf("row %d: %v", i+1, err)
		}
		state := s.State.State()
		s.State = StateOf(&state)
		text, err := s.Sealed()
		if err != nil {
			t.Fatal(err)
		}
		var before, after struct{ State any }
		if err := json.Unmarshal(old, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &after); err != nil {
			t.Fatal(err)
		}
		found := after.State.(map[string]any)
		if !bytes.HasPrefix(old, []byte(`{"v":3`)) {
			delete(found, "target") // of the request, until version 2
		}
		ledger, _ := found["ledger"].([]any)
		for _, id := range ledger {
			id := id.(map[string]any)
			if id["fact"].(map[string]any)["class"] == "disputed" && id["disputed"] != true {
				t.Errorf("row %d: a dispute is lost: %s", i+1, text)
			}
			delete(id, "disputed") // of the evidence, until version 3
		}
		if !reflect.DeepEqual(withoutZeros(before.State), withoutZeros(after.State)) {
			t.Errorf("row %d: the state was\n%s\nand is\n%s", i+1, old, text)
		}
		if text = append(text, '\n'); !bytes.Contains(upgraded.Bytes(), text) { // most rows are kept in both versions
			upgraded.Write(text)
		}
	}
	var whole Flow
	n := 0
	fill(reflect.ValueOf(&whole).Elem(), &n)
	whole.V = Version
	text, err := whole.Sealed()
	if err != nil {
		t.Fatal(err)
	}
	upgraded.Write(append(text, '\n'))
	path := filepath.Join("testdata", "rows", fmt.Sprintf("v%d.jsonl", Version))
	testkit.GoldenFile(t, path, upgraded.String()) // if it differs, Version is to be raised, too
}

// withoutZeros drops what version 2 leaves out: times that are not set, and a next step that is not
// planned.
func withoutZeros(v any) any {
	fields, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for key, value := range fields {
		fields[key] = withoutZeros(value)
		if value == "0001-01-01T00:00:00Z" {
			delete(fields, key)
		}
	}
	if next, ok := fields["next"].(map[string]any); ok && len(next) == 1 && next["action"] == "escalate" {
		delete(fields, "next")
	}
	return fields
}

// A row of the current version is written as it was read, to the byte.
func TestGoldenRowsOfTheCurrentVersionAreKept(t *testing.T) {
	for i, row := range goldenRows(t, Version) {
		s, err := Decode(row)
		if err != nil {
			t.Fatalf("row %d: %v", i+1, err)
		}
		state := s.State.State()
		s.State = StateOf(&state)
		if text, err := s.Sealed(); err != nil || !bytes.Equal(text, row) {
			t.Errorf("row %d: %v\n%s\nbecomes\n%s", i+1, err, row, text)
		}
	}
}

func TestRowsThatCannotBeReadWhole(t *testing.T) {
	row := string(goldenRows(t, Version)[0])
	for name, tt := range map[string]struct {
		row, want string
		resum     bool // the change is not one of the disk
	}{
		"a newer version":        {row: strings.Replace(row, `"v":4`, `"v":5`, 1), want: "version 5 is of a newer release; this one reads versions 1 to 4"},
		"two versions":           {row: strings.Replace(row, `"request":`, `"v":3,"request":`, 1), want: "of version 4, and of version 3", resum: true},
		"no version":             {row: strings.Replace(row, `"v":4,`, ``, 1), want: "there is no version 0"},
		"a key that is unknown":  {row: strings.Replace(row, `"attempts":`, `"insured":true,"attempts":`, 1), want: `unknown field "insured"`, resum: true},
		"a key of an identity":   {row: strings.Replace(row, `"sends":`, `"annulled":true,"sends":`, 1), want: `unknown field "annulled"`, resum: true},
		"a word that is unknown": {row: strings.Replace(row, `"operation":"capture"`, `"operation":"tip"`, 1), want: "tip", resum: true},
		"version 1, unknown key": {row: strings.Replace(string(goldenRows(t, 1)[0]), `"attempts":`, `"insured":true,"attempts":`, 1), want: `version 1: json: unknown field "insured"`},
		"version 2, later keys":  {row: strings.Replace(string(goldenRows(t, 2)[0]), `"attempts":`, `"target":"T-1","not_after":"2026-01-01T00:00:00Z","attempts":`, 1), want: "version 2 has no state.not_after, state.target"},
		"version 3, a later key": {row: strings.Replace(string(goldenRows(t, 3)[0]), `"sends":`, `"disputed":true,"sends":`, 1), want: "version 3 has no state.ledger[0].disputed", resum: true},
		"cut short":              {row: row[:len(row)-20], want: "it was cut short"},
		"more behind it":         {row: row + "{}", want: "it does not end with its checksum"},
		"a bit that turned over": {row: strings.Replace(row, `"amount":120000`, `"amount":120001`, 1), want: "it is not what was written"},
		"no checksum":            {row: row[:len(row)-crcLength] + "}", want: "it does not end with its checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			text := []byte(tt.row)
			if tt.resum {
				text = seal([]byte(tt.row[:len(tt.row)-crcLength] + "}"))
			}
			if _, err := Decode(text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v; it should say %q", err, tt.want)
			}
		})
	}
}

// No bit of a row can turn over unnoticed.
func TestEveryBitOfARowIsGuarded(t *testing.T) {
	row := goldenRows(t, Version)[0]
	for i := range row {
		for bit := range 8 {
			text := bytes.Clone(row)
			text[i] ^= 1 << bit
			if _, err := Decode(text); err == nil {
				t.Fatalf("byte %d of the row became %q, and that was read:\n%s", i, text[i], text)
			}
		}
	}
}

// fill sets every field to a value that is not zero and not that of another field.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 1, 1, 0, 0, *n, 0, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf(fmt.Sprint(*n)))
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(1) // a word of the vocabulary
	case reflect.Int, reflect.Int64:
		if v.Type().PkgPath() != "" && v.Type() != reflect.TypeFor[time.Duration]() {
			v.SetInt(1)
			return
		}
		v.SetInt(int64(*n))
	default:
		panic(fmt.Sprintf("the test does not know how to fill a %s", v.Type()))
	}
}

// Every field of a state survives a row: one that is forgotten in a conversion is found here.
func TestEveryFieldOfAStateIsStored(t *testing.T) {
	var state flow.State
	n := 0
	fill(reflect.ValueOf(&state).Elem(), &n)
	text, err := (&Flow{V: Version, State: StateOf(&state)}).Sealed()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := back.State.State(); !reflect.DeepEqual(got, state) {
		t.Errorf("stored was\n%+v\nread is\n%+v", state, got)
	}
}

// Whatever row of the golden ones is changed in whatever field, what is read is what was written.
func TestStoredStatesRoundTrip(t *testing.T) {
	var states []flow.State
	for _, row := range goldenRows(t, Version) {
		s, err := Decode(row)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, s.State.State())
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(states).Draw(t, "state")
		s.Attempts, s.Queries = rapid.IntRange(0, 99).Draw(t, "attempts"), rapid.IntRange(0, 99).Draw(t, "queries")
		s.Reason, s.Withdrawn = rapid.String().Draw(t, "reason"), rapid.String().Draw(t, "withdrawn")
		s.Payment.Amount = rapid.Int64().Draw(t, "amount")
		s.Ledger = append(s.Ledger[:len(s.Ledger):len(s.Ledger)], flow.Identity{OrderID: rapid.String().Draw(t, "order"), Sends: 1})
		for _, from := range []flow.State{s, rapid.SampledFrom(states).Draw(t, "other")} {
			text, err := (&Flow{V: Version, State: StateOf(&from)}).Sealed()
			if err != nil {
				t.Fatal(err)
			}
			back, err := Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := back.State.State(); !reflect.DeepEqual(got, from) {
				t.Errorf("stored was\n%+v\nread is\n%+v", from, got)
			}
		}
	})
}
