package question

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// pieces are what lines are made of, right and wrong.
var pieces = []string{
	`{`, `}`, `"provider":"momo"`, `"operation":"pay"`, `"operation":"nope"`, `,`, `,`, `,`, `:`, `"code":41`, `"code":"41"`, `"code":041`, `"code":4.5`, `"code":-0`, `"code":1e3`, `"code":null`,
	`"Code":"41"`, `"code":"a\u0041"`, `"code":"é"`, `"attempt":2`, `"attempt":-2`, `"attempt":"2"`, `"attempt":99999999999999999999`, `"attempt":9223372036854775807`, `"in_doubt":true`, `"in_doubt":false`, `"in_doubt":truex`, `"in_doubt":1`,
	`"tags":{"a":"b"}`, `"tags":{"a":"b","c":"d"}`, `"tags":{}`, `"tags":null`, `"tags":{"a":1}`, `"fired":{"r":2}`, `"fired":{"r":2,}`, `"phase":"query"`, `"phase":""`, `"fault":""`, `"fault":"timeout"`, `"capture":"manual"`,
	`"amount":1000`, `"currency":"VND"`, `"message":"please"`, `"message":"tab	"`, `"unknown":1`, ` `, "\n", `x`, `"elapsed_ms":-0`, `"provider":""`, `"body":{"a":1}`, `"at":"2026-01-01T00:00:00Z"`, `"headers":{"a":"b"}`, `"status":true`,
}

// What is read plainly is what encoding/json reads, and nothing else is read plainly.
func TestPlainQuestionsAreReadAsAnyAre(t *testing.T) {
	var q Question
	const usual = `{"provider":"momo","operation":"pay","phase":"query","code":41,"attempt":2,"in_doubt":true,"amount":1000,"currency":"VND","tags":{"a":"b"},"fired":{"r":1}}`
	if !readPlain([]byte(usual), &q) || q.Code != "41" || q.Attempt != 2 || !q.InDoubt || q.Tags["a"] != "b" || q.Fired["r"] != 1 {
		t.Errorf("a usual line is not read plainly: %+v", q)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := `{"provider":"momo","operation":"pay"`
		for range rapid.IntRange(0, 6).Draw(t, "pieces") {
			text += rapid.SampledFrom([]string{`,`, `,`, `,`, `, `, ``}).Draw(t, "comma") + rapid.SampledFrom(pieces).Draw(t, "piece")
		}
		text += rapid.SampledFrom([]string{`}`, `}`, `}`, ` } `, `}}`, ``}).Draw(t, "end")
		agreed(t, []byte(text))
	})
}

func agreed(t interface{ Fatalf(string, ...any) }, raw []byte) {
	var quick, slow Question
	if !readPlain(raw, &quick) {
		return
	}
	if err := readAny(raw, &slow); err != nil || !reflect.DeepEqual(quick, slow) {
		t.Fatalf("%s\nis read plainly as %+v\nand by encoding/json as %+v (%v)", raw, quick, slow, err)
	}
}

// FuzzPlain holds the two readings together for any bytes.
func FuzzPlain(f *testing.F) {
	for _, p := range pieces {
		f.Add([]byte(`{"provider":"momo",` + p + `}`))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { agreed(t, raw) })
}
