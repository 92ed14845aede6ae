package imports

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/policy"
)

const payURL = "https://payment.momo.vn/v2/gateway/api/tokenization/pay"

// harEntry is a payment's call in a HAR: its url, its request's body, its status, the headers and the body of its answer.
func harEntry(second int, url, body string, status int, headers, reply string) string {
	text, _ := json.Marshal(body)
	answer, _ := json.Marshal(reply)
	return fmt.Sprintf(`{"startedDateTime":"2026-01-02T03:04:%02dZ","time":5,"request":{"method":"POST","url":%q,"headers":[],"postData":{"mimeType":"application/json","text":%s}},`+
		`"response":{"status":%d,"headers":[%s],"content":{"size":-1,"text":%s}}}`, second, url, text, status, headers, answer)
}

// byWorker is an entry as Playwright writes it of a service worker.
func byWorker(entry string) string {
	return strings.Replace(entry, "{", `{"_serviceWorkerRef":"worker@1",`, 1)
}

func har(entries ...string) string {
	return `{"log":{"version":"1.2","creator":{"name":"x","version":"1"},"entries":[` + "\n" + strings.Join(entries, ",\n") + "]}}"
}

func requestBody(id string) string {
	return fmt.Sprintf(`{"orderId":"o-%s","requestId":"r-%s","amount":1000}`, id, id)
}

func paidBody(id string) string {
	return fmt.Sprintf(`{"orderId":"o-%s","requestId":"r-%s","amount":1000,"resultCode":0}`, id, id)
}

// Files that were read wrongly once.
func TestReadWrongly(t *testing.T) {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	fmt.Fprint(zip, paidBody("1"))
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	in64 := base64.StdEncoding.EncodeToString(packed.Bytes())
	cassette := fmt.Sprintf("interactions:\n- request: {method: POST, uri: '%s', body: '%s'}\n  response:\n    status: {code: 200}\n    headers: {Content-Encoding: [ENCODING]}\n    body: {string: !!binary %s}\n", payURL, requestBody("1"), in64)
	secret := "token=s3cret"
	for _, tt := range []struct {
		name, file, text string
		want             []string // in the recording
		left             []string // on stderr
		not              []string // in neither
		sends, broken    int
	}{
		{"packed by gzip", "a.yaml", strings.Replace(cassette, "ENCODING", "gzip", 1), []string{`"resultCode":0`}, nil, []string{"unreadable"}, 1, 0},
		{"packed by gzip, in Ruby's YAML", "a.yaml", fmt.Sprintf("---\nhttp_interactions:\n- request:\n    method: post\n    uri: %s\n    body: {encoding: UTF-8, string: '%s'}\n    headers: {}\n  response:\n    status: {code: 200, message: OK}\n    headers:\n      Content-Encoding:\n      - gzip\n    body:\n      encoding: ASCII-8BIT\n      string: !binary |-\n        %s\n  recorded_at: Fri, 02 Jan 2026 03:04:06 GMT\nrecorded_with: VCR 6.3.1\n", payURL, requestBody("1"), in64),
			[]string{`"resultCode":0`}, nil, []string{"unreadable"}, 1, 0},
		{"a packed body that is none", "a.yaml", strings.Replace(strings.Replace(cassette, "ENCODING", "br", 1), in64, base64.StdEncoding.EncodeToString([]byte("\x8b\x02\xff\xfe")), 1),
			[]string{`"fault":"unreadable"`}, []string{"a.yaml:2: kept, but not its answer's body: it is packed (br)"}, nil, 1, 0},
		{"a redirect", "a.har", har(harEntry(1, payURL, requestBody("1"), 307, `{"name":"Location","value":"/eu/v2/gateway/api/tokenization/pay"}`, ""),
			harEntry(2, strings.Replace(payURL, "/v2", "/eu/v2", 1), requestBody("1"), 200, "", paidBody("1"))), []string{`"resultCode":0`}, []string{"a.har:2: left out: a redirect: line 3"}, []string{"307"}, 1, 0},
		{"a redirect whose body the next call has not", "a.har", har(harEntry(1, payURL, requestBody("1"), 307, `{"name":"Location","value":"/eu/v2/gateway/api/tokenization/pay"}`, ""),
			harEntry(2, strings.Replace(payURL, "/v2", "/eu/v2", 1), "", 200, "", paidBody("1"))), []string{`"order_id":"o-1"`, `"resultCode":0`}, []string{"a.har:2: left out: a redirect: line 3"}, []string{"307"}, 1, 0},
		{"a call without a body, and no redirect to it", "a.har", har(harEntry(1, payURL, requestBody("1"), 307, `{"name":"Location","value":"/eu/v2/gateway/api/tokenization/pay"}`, ""),
			harEntry(2, payURL, "", 200, "", paidBody("1"))), []string{`"http_status":307`}, []string{"broken: it has no request body"}, nil, 1, 1},
		{"a service worker's call before the page's", "a.har", har(byWorker(harEntry(1, payURL, requestBody("1"), 200, "", paidBody("1"))), harEntry(1, payURL, requestBody("1"), 200, "", paidBody("1"))), nil, []string{"a.har:2: left out: a service worker's: line 3 has the page's call"}, nil, 1, 0},
		{"a service worker repeats a call", "a.har", har(harEntry(1, payURL, requestBody("1"), 200, "", paidBody("1")), byWorker(harEntry(1, payURL, requestBody("1"), 500, "", "")), byWorker(harEntry(2, payURL, requestBody("1"), 200, "", paidBody("1")))), nil, []string{"a.har:3: left out: a service worker's: line 2"}, nil, 2, 0},
		{"a service worker's call of its own", "a.har", har(harEntry(1, payURL, requestBody("1"), 200, "", paidBody("1")), byWorker(harEntry(1, payURL, requestBody("2"), 200, "", paidBody("2")))), []string{"o-2"}, nil, nil, 2, 0},
		{"a redirect that was not followed", "a.har", har(harEntry(1, payURL, requestBody("1"), 308, `{"name":"Location","value":"/x"}`, "")), []string{`"http_status":308`}, nil, nil, 1, 0},
		{"a test host beside the live one", "a.har", har(harEntry(1, strings.Replace(payURL, "payment", "test-payment", 1), requestBody("1"), 200, "", paidBody("1")), harEntry(2, payURL, requestBody("1"), 200, "", paidBody("1"))),
			[]string{`"flow":"test/momo/pay/o-1"`, `"flow":"momo/pay/o-1"`}, nil, nil, 2, 0},
		{"secrets in our own words", "a.har", har(harEntry(1, payURL+"/%zz?"+secret, "{}", 200, "", ""), harEntry(2, "https://user:s3cret@a.b/x;jsessionid=s3cret#s3cret", "{}", 200, "", ""),
			harEntry(3, "https://a.b/4111111111111111", "{}", 200, "", ""), strings.Replace(harEntry(4, payURL, "{}", 200, "", ""), "2026-01-02T03:04:04Z", "4111111111111111", 1)),
			nil, []string{"a.har:2: left out: broken: its url cannot be read"}, []string{"s3cret", "4111"}, 0, 2},
		{"times out of range", "a.har", har(strings.Replace(harEntry(1, payURL, requestBody("1"), 200, "", ""), "2026-", "0000-", 1), strings.Replace(harEntry(1, payURL, requestBody("2"), 200, "", ""), "2026-01-02T03:04:01Z", "9999-12-31T23:59:59-07:00", 1),
			harEntry(3, payURL, requestBody("3"), 200, "", "")), []string{"o-3"}, []string{"a.har:2: left out: broken: its time is out of range", "a.har:3: "}, nil, 1, 2},
		{"a provider's call that cannot be read", "a.har", har(harEntry(1, payURL, "--b\r\norderId", 200, "", "")), nil, []string{"left out: broken: momo: "}, nil, 0, 1},
		{"bodies in files that are not there", "a.har", har(strings.Replace(harEntry(1, payURL, requestBody("1"), 200, "", ""), `"text":""}}`, `"_file":"b.json"}}`, 1), strings.Replace(harEntry(1, payURL, requestBody("2"), 200, "", ""), `"text":""}}`, `"_file":"../../etc/passwd"}}`, 1)),
			nil, []string{"a.har:2: left out: a body of it is in a file that is not beside it: b.json", "a.har:3: "}, nil, 0, 0},
		{"bodies in files", "a.har", har(strings.Replace(harEntry(1, payURL, requestBody("1"), 200, "", ""), `"text":""}}`, `"_file":"body.json"}}`, 1)), []string{`"resultCode":0`}, nil, nil, 1, 0},
	} {
		dir := t.TempDir()
		write(t, dir, tt.file, tt.text)
		write(t, dir, "body.json", paidBody("1"))
		recording, left, sum, err := imported(t, &Options{}, filepath.Join(dir, tt.file))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		readable(t, recording)
		left = strings.ReplaceAll(left, dir+string(filepath.Separator), "")
		for _, w := range tt.want {
			if !strings.Contains(recording, w) {
				t.Errorf("%s: no %s in %s", tt.name, w, recording)
			}
		}
		for _, w := range tt.left {
			if !strings.Contains(left, w) {
				t.Errorf("%s: no %s in %s", tt.name, w, left)
			}
		}
		for _, w := range tt.not {
			if strings.Contains(recording+left+fmt.Sprint(sum), w) {
				t.Errorf("%s: %s is in %s %s", tt.name, w, recording, left)
			}
		}
		if sum.Sends != tt.sends || sum.Broken != tt.broken {
			t.Errorf("%s: %d sends, %d broken: %s%s", tt.name, sum.Sends, sum.Broken, recording, left)
		}
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Amounts that could be read in two ways are refused.
func TestThousands(t *testing.T) {
	for _, tt := range []struct {
		decimal, thousands, text string
		want                     int64 // -1: refused
	}{
		{",", ".", "1.234,50", 123450}, {",", ".", "1.234", 123400}, {",", ".", "12,5", 1250}, {",", ".", "1.23", -1}, {",", ".", "1.23,4", -1}, {",", ".", "1.2.3,5", -1}, {",", ".", ".234", -1},
		{"", ",", "1,234.50", 123450}, {"", ",", "12,34", -1}, {"", ",", "12,34,567", 123456700}, {"", ",", "1234,567", -1}, {"", "'", "1'234.5", 123450}, {".", " ", "1 234", 123400}, {".", " ", "1 23", -1},
		{"", "", "1,5", -1}, {"", ".", "1.234", 123400}, {"", ".", "1.5", -1},
	} {
		r := rowReader{m: &Mapping{unit: "major", decimal: tt.decimal, thousands: tt.thousands, set: map[string]string{"amount": tt.text}}}
		p := policy.Payment{Currency: "USD"}
		r.amount(&p)
		if r.err != nil {
			p.Amount = -1
		}
		if p.Amount != tt.want {
			t.Errorf("%q with %q and %q: %d, not %d (%v)", tt.text, tt.decimal, tt.thousands, p.Amount, tt.want, r.err)
		}
	}
}

// A provider's list has a row for each execution: two of one order are two, and the same row in two exports is one.
func TestExecutionsOfAList(t *testing.T) {
	m, err := ReadMapping("m.toml", []byte("[set]\nprovider = 'momo'\noperation = 'pay'\n[fields]\nat = 'at'\nphase = 'phase'\norder_id = 'order'\nrequest_id = 'request'\namount = 'amount'\nprovider_id = 'id'\n"))
	if err != nil {
		t.Fatal(err)
	}
	row := func(phase, at, id string) string {
		return fmt.Sprintf(`{"at":%q,"phase":%q,"order":"o-1","request":"r-1","amount":1000,"id":%q}`+"\n", at, phase, id)
	}
	const at = "2026-01-02T03:04:05Z"
	send := row("send", at, "")
	for _, tt := range []struct {
		name, one, two string
		want           int
	}{
		{"two of the provider's payments", send + row("truth", at, "1") + row("truth", at, "2"), "", 2},
		{"one payment in two exports", send + row("truth", at, "1"), row("truth", at, "1") + row("truth", at, "2"), 2},
		{"one row twice", send + row("truth", at, "") + row("truth", at, ""), "", 1},
		{"two rows that say little", send + row("truth", "", "") + row("truth", "", ""), "", 2},
	} {
		dir := t.TempDir()
		write(t, dir, "a.jsonl", tt.one)
		write(t, dir, "b.jsonl", tt.two+"\n")
		recording, left, _, err := imported(t, &Options{Mapping: m}, dir)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(recording, `"amount":1000`) - 1; n != tt.want {
			t.Errorf("%s: %d executions, not %d: %s%s", tt.name, n, tt.want, recording, left)
		}
	}
}

// A mapping that names a column which stands twice cannot be followed.
func TestColumnTwice(t *testing.T) {
	m, err := ReadMapping("m.toml", []byte("[set]\nprovider = 'momo'\noperation = 'pay'\nphase = 'send'\n[fields]\norder_id = 'Order'\n"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "a.csv", "Order;Order\no-1;o-2\n")
	if _, _, _, err := imported(t, &Options{Mapping: m}, filepath.Join(dir, "a.csv")); err == nil || !strings.HasSuffix(err.Error(), `a.csv:1: 2 columns are called "Order", which the mapping names; [input] header can give them names`) {
		t.Error(err)
	}
}

// What does not fit into memory comes back from files in the same order, with everything that it held, and the files are removed.
func TestSorterSpills(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const n = 2000
	entries := make([]*entry, n)
	for i := range entries {
		at := time.Date(2026, 1, 1, 0, 0, random.IntN(300), random.IntN(3)*1000, time.UTC)
		e := &entry{Seq: i + 1, File: "f", Number: i, Scope: []string{"", "a", "a" + testScope}[random.IntN(3)], Unordered: random.IntN(2) == 0, Answered: fmt.Sprint("own ", i), Ops: []policy.Operation{policy.Pay}}
		e.Line = recorded.Line{At: at, Phase: []recorded.Phase{recorded.Send, recorded.Query, recorded.Truth}[random.IntN(3)], OrderID: fmt.Sprint("o\xff\u2028", i), Body: json.RawMessage(`{"a":"<&>"}`), Latency: 3 * time.Second, Header: map[string]string{"a": "b"}}
		e.Line.Payment = policy.Payment{Provider: "momo", Operation: policy.Pay, Amount: 1 << 60, Currency: "VND", Tags: map[string]string{"x": "y"}}
		e.Line.Answer = policy.Answer{Fault: policy.Timeout, Amount: 5, Verified: true, RetryAfter: time.Hour}
		e.Line.Executions = []recorded.Execution{{OrderID: "x", Amount: 7, At: at}}
		entries[i] = e
	}
	sorted := func(most int) (all []string, files int) {
		dir := t.TempDir()
		s := &sorter{most: most, dir: dir}
		for _, e := range entries {
			if err := s.add(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.all(func(e *entry) error {
			all = append(all, fmt.Sprintf("%d %v %s %v %s %v %d|", e.Seq, e.Line.Executions, e.Answered, e.Ops, e.Scope, e.Unordered, e.Line.Latency)+string(e.Line.Append(nil)))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		files = len(s.spilled)
		s.close()
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%d files are left, %v", len(left), err)
		}
		return all, files
	}
	want, none := sorted(1 << 40)
	got, files := sorted(50_000)
	if none != 0 || files < 10 {
		t.Errorf("%d and %d files", none, files)
	}
	if i := slices.IndexFunc(want, func(s string) bool { return !slices.Contains(got, s) }); i >= 0 {
		t.Errorf("lost: %s\nhas %s", want[i], got[i])
	}
	if !slices.Equal(got, want) {
		t.Error("another order")
	}
}

// An import that is stopped, or whose output fails, says so, and leaves nothing behind.
func TestImportStops(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.har", har(harEntry(1, payURL, requestBody("1"), 200, "", paidBody("1"))))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	o := &Options{Catalogs: builtin(t)}
	if _, err := Run(ctx, o, &bytes.Buffer{}, filepath.Join(dir, "a.har")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := Run(t.Context(), o, full{}, filepath.Join(dir, "a.har")); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

// A name that two payments may come to have, and a number with an exponent, are no mistake to guess at: the row is left out.
func TestRowsThatCannotBeTrusted(t *testing.T) {
	m, err := ReadMapping("m.toml", []byte("[set]\nprovider = 'momo'\noperation = 'pay'\nphase = 'send'\n[time]\nlayout = 'unix_ms'\n[fields]\nat = 'at'\norder_id = 'order'\npayment_key = 'key'\nlatency_ms = 'took'\n"))
	if err != nil {
		t.Fatal(err)
	}
	for row, left := range map[string]string{
		"1767323045123,o-1,k,5.25":            "",
		"1767323045123,1e7,k,5":               "", // no spreadsheet writes that
		"1.767323045123E+12,o-1,k,5":          "left out: broken: at: ",
		"1767323045123,o-1,k,1.5E+3":          `latency_ms, from "took": "1.5E+3" is no number`,
		"1767323045123,4.23E+15,k,5":          "the identifier 4.23E+15 is a number that a spreadsheet rounded",
		"1767323045123,o-1,1.00E+19,5":        "the identifier 1.00E+19 is a number that a spreadsheet rounded",
		"1767323045123,\xf6-1,k,5":            "an identifier in it is not valid UTF-8",
		"1767323045123,o-1,k\xe4 \xfc \xdf,5": "an identifier in it is not valid UTF-8",
	} {
		dir := t.TempDir()
		write(t, dir, "a.csv", "at,order,key,took\n"+row+"\n")
		recording, said, sum, err := imported(t, &Options{Mapping: m}, filepath.Join(dir, "a.csv"))
		if err != nil || !strings.Contains(said, left) || (sum.Broken > 0) != (left != "") || (recording == "") != (left != "") {
			t.Errorf("%q: %v, %s%s", row, err, recording, said)
		}
	}
}

// An entry of another shape is named in the words of its file, and not in the names of this program's types.
func TestEntriesOfAnotherShape(t *testing.T) {
	request := `"request":{"method":"POST","url":"http://x/v2/gateway/api/tokenization/pay","headers":[]}`
	for name, file := range map[string][2]string{
		"a time that is a number":  {har(`{"startedDateTime":5,` + request + `}`), "a.json:2: left out: broken: startedDateTime is a number, where a text belongs (character 20 of the entry)"},
		"a request that is a text": {har(`{"request":"POST"}`), "broken: request is a text, where an object belongs"},
		"a header's name":          {har(`{"request":{"url":"x","headers":[{"name":5}]}}`), "request.headers.name is a number, where a text belongs"},
		"headers in an object":     {har(`{"request":{"url":"x","headers":{}}}`), "request.headers is an object, where a list belongs"},
		"an entry that is a list":  {har(`[]`), "the entry is a list, where an object belongs"},
		"pieces of a body":         {har(`{` + request + `,"response":{"status":200,"content":{"encoding":"base64","text":"[5]"}}}`), "its response's content: it is no list of texts"},
		"WireMock":                 {`{"mappings":[{"request":{"method":5}}]}`, "request.method is a number, where a text belongs"},
		"WireMock's journal":       {`{"requests":[{"request":{"loggedDate":"x"},"responseDefinition":{}}]}`, "request.loggedDate is a text, where a whole number belongs"},
		"nock":                     {`[{"scope":"http://x:80","method":"POST","path":"/","status":"200"}]`, "status is a text, where a whole number belongs"},
		"Hoverfly":                 {`{"data":{"pairs":[{"request":{},"response":{"encodedBody":"x"}}]},"meta":{"schemaVersion":"v5"}}`, "response.encodedBody is a text, where true or false belongs"},
		"Postman":                  {`{"info":{"schema":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},"item":[{"name":5}]}`, "name is a number, where a text belongs"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "a.json", file[0])
			_, said, _, err := imported(t, &Options{}, filepath.Join(dir, "a.json"))
			if err != nil || !strings.Contains(said, file[1]) || strings.Contains(said, "unmarshal") || strings.Contains(said, "traffic.") {
				t.Errorf("%v: %s", err, said)
			}
		})
	}
}

// All that is wrong with a row or a header is said, and where.
func TestAllMistakesOfATable(t *testing.T) {
	m, err := ReadMapping("m.toml", []byte("[input]\nseparator = \";\"\n[set]\nprovider = \"momo\"\noperation = \"pay\"\nphase = \"send\"\n[fields]\nat = \"When\"\norder_id = \"Order\"\namount = \"Amount\"\nhttp_status = \"Status\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	const head = "When;Order;Amount;Status\n"
	for _, tt := range []struct{ file, want string }{
		{head + "x;o-1;1,5;abc\n", `a.csv:2: left out: broken: at, from "When": "x" is no RFC 3339 time; [time] layout says how times are written; amount, from "Amount": "1,5": it is no amount; [amount] says how amounts are written; http_status, from "Status": "abc" is no number`},
		{head + "2026-01-02T03:04:05Z;o-1;10;00;200\n", `a.csv:2: left out: broken: 5 columns, and the header has 4: a ';' within a value needs quotation marks around the value`},
		{head + "2026-01-02T03:04:05Z;o-1\n", `a.csv:2: left out: broken: 2 columns, and the header has 4`},
		{head + "2026-01-02T03:04:05Z;o\"1;10;200\n", `a.csv:2: left out: broken: a quotation mark stands within a value that does not begin with one, in line 2 at byte 23`},
		{head + "2026-01-02T03:04:05Z;\"o-1;10;200\n", `a.csv:2: left out: broken: a value that begins with a quotation mark goes on behind another one, or never ends: read up to line 2`},
		{"When;Order\nx;y\n", `a.csv:1: there are no columns "Amount", "Status", which the mapping names (there are: Order, When)`},
		{"When,Order,Amount\nx,y,z\n", `[input] separator says what stands between two`},
	} {
		dir := t.TempDir()
		write(t, dir, "a.csv", tt.file)
		_, said, _, err := imported(t, &Options{Mapping: m}, filepath.Join(dir, "a.csv"))
		if err != nil {
			said += err.Error()
		}
		if !strings.Contains(said, tt.want) {
			t.Errorf("%s\nwant %s", said, tt.want)
		}
	}
}
