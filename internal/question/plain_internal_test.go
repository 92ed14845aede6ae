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

// values are what bodies are made of, right and wrong.
var values = []string{
	`null`, `nul`, `nulls`, `true`, `falsey`, `0`, `00`, `-`, `-0`, `-1.50e+10`, `1.`, `.5`, `1e`, `1E5`, `01`, `+1`, `12345678901234567890`, `""`, `"é"`, `"a\nb"`, `"\u00e9"`, `"\u00g9"`, `"\u00`, `"\x"`, `"\`, "\"\xff\"", "\"tab	\"",
	`"a`, `{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{"a" : [ 1 , {"b":null} ] }`, `{"a"}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":1,"a":2}`, `{1:2}`, `[]`, `[ ]`, `[1,]`, `[,1]`, `[1 2]`, `[[[]]]`, `[`, `]`, `{`, `1 1`, `'a'`, `NaN`, `/**/1`, "1\n", "\u00a01", "",
}

// A body is read plainly as well, be it what it may.
func TestBodiesAreReadPlainly(t *testing.T) {
	for _, body := range []string{`{"resultCode":0,"message":"Thành công","amount":120000,"refundTrans":[{"a":1.5}],"x":null}`, `"<xml>\u003c\n</xml>"`, `[true,false]`} {
		var q Question
		if !readPlain([]byte(`{"provider":"momo","operation":"pay", "body" : `+body+` }`), &q) || string(q.Body) != body {
			t.Errorf("%s is not read plainly: %s", body, q.Body)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SampledFrom(values).Draw(t, "value"), rapid.SampledFrom(values).Draw(t, "other")
		for _, body := range []string{a, `[` + a + `,` + b + `]`, `{"a":` + a + `,"b":` + b + `}`} {
			agreed(t, []byte(`{"provider":"momo","body":`+body+`,"operation":"pay"}`))
		}
	})
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
