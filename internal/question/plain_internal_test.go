package question

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pieces are what lines are made of, right and wrong.
var pieces = []string{
	`{`, `}`, `"provider":"momo"`, `"operation":"pay"`, `"operation":"nope"`, `,`, `,`, `,`, `:`, `"code":41`, `"code":"41"`, `"code":041`, `"code":4.5`, `"code":-0`, `"code":1e3`, `"code":null`,
	`"Code":"41"`, `"code":"a\u0041"`, `"code":"é"`, `"attempt":2`, `"attempt":-2`, `"attempt":"2"`, `"attempt":99999999999999999999`, `"attempt":9223372036854775807`, `"in_doubt":true`, `"in_doubt":false`, `"in_doubt":truex`, `"in_doubt":1`,
	`"tags":{"a":"b"}`, `"tags":{"a":"b","c":"d"}`, `"tags":{}`, `"tags":null`, `"tags":{"a":1}`, `"fired":{"r":2}`, `"fired":{"r":2,}`, `"phase":"query"`, `"phase":""`, `"fault":""`, `"fault":"timeout"`, `"capture":"manual"`,
	`"amount":1000`, `"currency":"VND"`, `"message":"please"`, `"message":"tab	"`, `"unknown":1`, ` `, "\n", `x`, `"elapsed_ms":-0`, `"provider":""`, `"body":{"a":1}`, `"at":"2026-01-01T00:00:00Z"`, `"headers":{"a":"b"}`, `"status":true`, `"operation":null`, `"in_doubt":null`, `"amount":null`, `"tags":{"a":"b","a":"c"}`, `"tags":{"a":null}`, `"fired":{"r":1,"r":2}`, `"code":41,"code":42`, `"provider":null`,
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

// Each key is there once: which of two values counts would depend on who reads the line. One that is read plainly has a place of its own.
func TestAKeyIsThereOnce(t *testing.T) {
	samples := map[string]string{
		aText: `"x"`, aScalar: `7`, aCount: `7`, aTruth: `true`, texts: `{"a":"b"}`, counts: `{"a":1}`, aTime: `"2026-01-02T03:04:05Z"`, anything: `{"a":1}`,
	}
	words := map[string]string{"operation": `"pay"`, "phase": `"query"`, "fault": `"timeout"`, "capture": `"manual"`}
	line, plainly := `{`, `{`
	for i, k := range keys {
		value := samples[k.want]
		if word := words[k.name]; word != "" {
			value = word
		}
		field := `"` + k.name + `":` + value
		line += field + `,`
		if k.want != aTime && k.name != "headers" && k.name != "query_string" {
			plainly += field + `,`
		}
		for _, twice := range []string{field + `,` + field, field + `,"` + k.name + `":null`, `"` + k.name[:1] + "\\u00" + hex(k.name[1]) + k.name[2:] + `":` + value + `,` + field} {
			text := `{` + twice + `}`
			if k.name != "provider" {
				text = `{"provider":"momo",` + text[1:]
			}
			if k.name != "operation" {
				text = `{"operation":"pay",` + text[1:]
			}
			var q Question
			if readPlain([]byte(text), &q) {
				t.Errorf("%s is read plainly", text)
			}
			if err := ReadInto([]byte(text), &q); err == nil || !strings.Contains(err.Error(), k.name+" is there twice") {
				t.Errorf("%s: %v", text, err)
			}
		}
		if place(k.name) != i {
			t.Errorf("there are two %s", k.name)
		}
	}
	var q, again Question
	if err := ReadInto([]byte(strings.TrimSuffix(line, ",")+`}`), &q); err != nil {
		t.Errorf("a line with all keys: %v", err)
	}
	if !readPlain([]byte(strings.TrimSuffix(plainly, ",")+`}`), &again) {
		t.Error("a line with all usual keys is not read plainly")
	}
}

func hex(b byte) string { return fmt.Sprintf("%02x", b) }

// All mistakes of a line are one error.
func TestAllMistakesOfALine(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`{"provder":"momo","operation":null,"amount":"12","in_doubt":null,"tags":{"a":"b","a":"c","d":null},"Code":41,"code":[],"at":"today","phase":"sent","fired":[],"attempt":1.5}`,
			`unknown key "provder"; did you mean "provider"?; operation is null; leave it out, or give a string; amount must be a whole number; in_doubt is null; leave it out, or give true or false; ` +
				`tags."a" is there twice; tags."d" is null; leave it out; unknown key "Code"; did you mean "code"?; code must be a string or a number; at must be a time such as 2026-01-02T03:04:05Z; ` +
				`phase: unknown phase "sent" (there are: send, query, webhook); fired must be an object of whole numbers; attempt must be a whole number; provider is missing`},
		{`{}`, "provider is missing; operation is missing"},
		{`{"provider":"","operation":"pay"}`, "provider is missing"},
		{`{"provider":7,"operation":"pay"}`, "provider must be a string"},
		{`null`, "not a question: it must be a JSON object"},
		{`[]`, "not a question: it must be a JSON object"},
		{`{"provider":"momo","operation":"pay"} {}`, "not a question: something follows the object"},
	} {
		var q Question
		if err := ReadInto([]byte(c.line), &q); err == nil || err.Error() != c.want {
			t.Errorf("%s\n is\n%v\nwant\n%s", c.line, err, c.want)
		}
	}
	for _, line := range []string{`{"provider":"momo","operation":"pay","code":null,"sub_code":null,"status":null,"sub_status":null,"body":null}`, `{"provider":"momo","operation":"pay","body":{"a":1,"a":2,"b":null}}`} {
		var q Question
		if err := ReadInto([]byte(line), &q); err != nil {
			t.Errorf("%s: what a provider sends is its own matter: %v", line, err)
		}
	}
	var many strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&many, `"%0200d":1,`, i)
	}
	var q Question
	if err := ReadInto([]byte(`{`+many.String()+`"provider":"momo"}`), &q); err == nil || len(err.Error()) > 20_000 || !strings.HasSuffix(err.Error(), "; and more") {
		t.Errorf("many mistakes: an error of %d bytes", len(err.Error()))
	}
}
