package stored

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/flow"
	"github.com/recourse-pay/recourse/internal/testkit"
)

// filler fills a struct with values, each field with its empty value at times.
type filler struct {
	*rand.Rand
	empty bool // fields may be empty
}

var texts = []string{"a", "o-1", "", "ünï\u2028", "<&>\"\\\n\x00", "\xff\xfe", "\u007f~}", `},"stage":"waiting"`}

func (f *filler) fill(v reflect.Value) {
	if f.empty && f.IntN(3) == 0 {
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		zones := []*time.Location{time.UTC, time.FixedZone("", 7*3600), time.FixedZone("x", -3600*3-1800)}
		v.Set(reflect.ValueOf(time.Unix(f.Int64N(4e9), f.Int64N(2)*f.Int64N(1e9)).In(zones[f.IntN(3)])))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+f.IntN(2), 3))
		for i := range v.Len() {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + f.IntN(3) {
			v.SetMapIndex(reflect.ValueOf(texts[f.IntN(len(texts))]), reflect.ValueOf(texts[f.IntN(len(texts))]))
		}
	case reflect.String:
		v.SetString(texts[f.IntN(len(texts))])
		if !f.empty && v.Len() == 0 {
			v.SetString("x")
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{1, -1, math.MaxInt64, math.MinInt64, 120_000}[f.IntN(5)])
	case reflect.Uint8:
		v.SetUint(uint64(1 + f.IntN(3)))
	default:
		panic("a kind that the test does not know: " + v.Kind().String())
	}
}

func TestTheTextOfARowIsThatOfJSON(t *testing.T) {
	f := &filler{Rand: rand.New(rand.NewPCG(1, 2))}
	for i := range testkit.Size(2_000, 10_000, 300_000) {
		f.empty = i%4 > 0 // every field is filled in now and then
		var s Flow
		f.fill(reflect.ValueOf(&s).Elem())
		s.CRC = ""
		want, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.text(nil); err != nil || string(got) != string(want) {
			t.Fatalf("row %d: %v\n%s\nwant\n%s", i, err, got, want)
		}
	}
}

// A time that JSON does not have is an error here too.
func TestATimeThatJSONDoesNotHaveIsAnError(t *testing.T) {
	for _, at := range []time.Time{time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 25*3600))} {
		s := Flow{State: State{Started: at}}
		_, want := json.Marshal(&s)
		if _, err := s.text(nil); err == nil || want == nil {
			t.Errorf("%s: %v, want %v", at, err, want)
		}
	}
}

// Rows that are made in the same memory one after another are those that are made in memory of their own.
func TestMemoryOfRowsIsUsedAgain(t *testing.T) {
	f := &filler{Rand: rand.New(rand.NewPCG(3, 4))}
	var again Flow
	var text []byte
	for i := range testkit.Size(500, 3_000, 50_000) {
		f.empty = i%3 > 0
		var s flow.State
		f.fill(reflect.ValueOf(&s).Elem())
		want, err := (&Flow{V: Version, State: StateOf(&s)}).Sealed()
		if err != nil {
			t.Fatal(err)
		}
		again.V = Version
		again.State.Set(&s)
		if text, err = again.SealedIn(text); err != nil || string(text) != string(want) {
			t.Fatalf("row %d: %v\n%s\nwant\n%s", i, err, text, want)
		}
	}
}
