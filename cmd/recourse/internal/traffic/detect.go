package traffic

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// The formats. What each lacks stands in docs/import.md, with the versions that were looked at.
var (
	harFormat      = Format{Name: "har", Title: "HAR", read: readHAR}
	pollyFormat    = Format{Name: "polly", Title: "HAR of Polly.js", Lacks: []string{Faults, Repeats}, read: readHAR}
	cassetteFormat = Format{Name: "cassette", Title: "a cassette", Lacks: []string{Faults, Times}, read: readCassette}
	goVCRFormat    = Format{Name: "go-vcr", Title: "a cassette of go-vcr", Lacks: []string{Faults, Times}, read: readCassette}
	rubyFormat     = Format{Name: "ruby-vcr", Title: "a cassette of Ruby's VCR", Lacks: []string{Faults, Times}, read: readCassette}
	vcrpyFormat    = Format{Name: "vcrpy", Title: "a cassette of vcrpy", Lacks: []string{Faults, Times}, read: readCassette}
	wiremockFormat = Format{Name: "wiremock", Title: "mappings of WireMock", Lacks: []string{Faults, Times, Repeats}, Unordered: true, Stubs: true, read: readWireMock}
	journalFormat  = Format{Name: "wiremock-requests", Title: "the request journal of WireMock", Lacks: []string{Faults}, read: readWireMockJournal}
	postmanFormat  = Format{Name: "postman", Title: "a Postman collection", Lacks: []string{Faults, Times, Repeats}, Unordered: true, read: readPostman}
	hoverflyFormat = Format{Name: "hoverfly", Title: "a simulation of Hoverfly", Lacks: []string{Faults, Times, Repeats}, Unordered: true, read: readHoverfly}
	nockFormat     = Format{Name: "nock", Title: "fixtures of nock", Lacks: []string{Faults, Times, Numbers}, read: readNock}
	linesFormat    = Format{Name: "jsonl", Title: "JSON lines of another kind", read: readLines}
	tableFormat    = Format{Name: "csv", Title: "a table of columns (CSV)", read: readTable}

	recordingFormat = Format{Name: "recording", Title: "a recording already"}
	emptyFormat     = Format{Name: "empty", Title: "an empty file"}
	otherJSON       = Format{Name: "json", Title: "JSON of no known tool"}
	unknownFormat   = Format{Name: "unknown", Title: "a file of no known kind"}
	zipFormat       = Format{Name: "zip", Title: "a ZIP archive (unpack it into a folder: Playwright's .har and the bodies beside it can be imported)"}
	mitmFormat      = Format{Name: "mitmproxy", Title: "flows of mitmproxy (mitmdump -nr FILE --set hardump=FILE.har makes a HAR of it)"}
	binaryFormat    = Format{Name: "binary", Title: "a binary file"}
	nockCode        = Format{Name: "nock-code", Title: "JavaScript of nock (record with output_objects, and store the list as JSON)"}
)

// Known lists what can be imported, for messages.
func Known() string {
	return "HAR, cassettes of go-vcr, VCR and vcrpy, WireMock, Postman, Hoverfly, nock, Polly.js, and JSON lines or CSV with --map"
}

// NeedsTable reports whether files of the format are rows, which are read by a mapping only.
func (f *Format) NeedsTable() bool { return f.Name == linesFormat.Name || f.Name == tableFormat.Name }

// IsRecording reports whether a file is a recording of ours.
func (f *Format) IsRecording() bool { return f.Name == recordingFormat.Name }

// CanImport reports whether the format is one that is read here.
func (f *Format) CanImport() bool { return f.read != nil }

// detect finds out what a file is by how it begins.
func detect(name string, head []byte) Format {
	text := bytes.TrimSpace(head)
	switch {
	case len(text) == 0:
		return emptyFormat
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return zipFormat
	case isFlows(head):
		return mitmFormat
	case text[0] == '{':
		return detectObject(text)
	case text[0] == '[':
		return detectList(text)
	case bytes.IndexByte(head[:min(len(head), 1024)], 0) >= 0:
		return binaryFormat
	case bytes.Contains(text, []byte("\nhttp_interactions:")) || bytes.HasPrefix(text, []byte("http_interactions:")):
		return rubyFormat
	case bytes.Contains(text, []byte("\ninteractions:")) || bytes.HasPrefix(text, []byte("interactions:")):
		return detectCassette(text)
	case bytes.Contains(text, []byte("nock(")):
		return nockCode
	case looksLikeTable(name, text):
		return tableFormat
	}
	return unknownFormat
}

// isFlows reports whether a file begins as mitmproxy writes flows: a length, and a dictionary whose first key has one too.
func isFlows(head []byte) bool {
	_, rest, ok := number(head)
	if !ok {
		return false
	}
	n, rest, ok := number(rest)
	return ok && n < len(rest) && (rest[n] == ';' || rest[n] == ',')
}

// number reads a decimal number and the colon behind it.
func number(text []byte) (n int, rest []byte, ok bool) {
	digits, rest, ok := bytes.Cut(text[:min(len(text), 64)], []byte(":"))
	n, err := strconv.Atoi(string(digits))
	return n, rest, ok && err == nil && n > 0
}

func detectCassette(text []byte) Format {
	switch {
	case bytes.Contains(text, []byte(" uri: ")):
		return vcrpyFormat
	case bytes.Contains(text, []byte(" url: ")):
		return goVCRFormat
	}
	return cassetteFormat
}

// detectObject looks at the names of an object, as far as the head reaches.
func detectObject(text []byte) Format {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	keys, whole := topKeys(text)
	has := func(all ...string) bool {
		for _, k := range all {
			if _, ok := keys[k]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("log"):
		f := harFormat
		if bytes.Contains(text, []byte("Polly.JS")) {
			f = pollyFormat
		}
		return f
	case has("http_interactions"):
		return rubyFormat
	case has("interactions"):
		return detectCassette(bytes.ReplaceAll(bytes.ReplaceAll(text, []byte(`"uri":`), []byte(" uri: ")), []byte(`"url":`), []byte(" url: ")))
	case has("data") && (has("meta") || bytes.Contains(text[:min(len(text), 4096)], []byte(`"pairs"`))):
		return hoverflyFormat
	case has("mappings"), has("request", "response") && !has("v"):
		return wiremockFormat
	case has("requests") && !has("v"):
		return journalFormat
	case has("info", "item"), has("info") && bytes.Contains(text, []byte("getpostman.com")), has("item") && !json.Valid(bytes.TrimSpace(first)):
		return postmanFormat // postman-collection writes info last, which the head may not reach
	case has("v", "phase"), has("v", "flow"):
		return recordingFormat
	case json.Valid(bytes.TrimSpace(first)), !whole && bytes.Count(text, []byte("\n")) == 0:
		return linesFormat
	}
	return otherJSON
}

func detectList(text []byte) Format {
	keys, _ := topKeys(bytes.TrimSpace(text[1:]))
	_, scope := keys["scope"]
	_, method := keys["method"]
	if scope && method {
		return nockFormat
	}
	return otherJSON
}

// topKeys are the names of the object that a text begins with. whole reports whether the object ends in the text.
func topKeys(text []byte) (keys map[string]bool, whole bool) {
	keys = map[string]bool{}
	dec := json.NewDecoder(bytes.NewReader(text))
	depth, name := 0, false
	for {
		tok, err := dec.Token()
		if err != nil {
			return keys, false
		}
		switch t := tok.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				depth++
			default:
				depth--
			}
			if depth == 0 {
				return keys, true
			}
			name = depth == 1
			continue
		case string:
			if depth == 1 && name {
				keys[t] = true
				name = false
				continue
			}
		}
		if depth == 1 {
			name = true
		}
	}
}

// looksLikeTable reports whether the first lines have the same columns, more than one.
func looksLikeTable(name string, text []byte) bool {
	ending := strings.ToLower(filepath.Ext(strings.TrimSuffix(name, ".gz")))
	if ending == ".csv" || ending == ".tsv" {
		return true
	}
	_, ok := separatorOf(text)
	return ok
}

// separatorOf finds the separator of a table: with it the first lines have the same columns, more than one.
func separatorOf(text []byte) (rune, bool) {
	for _, sep := range []rune{';', '\t', '|', ','} {
		r := csv.NewReader(bytes.NewReader(text))
		r.Comma, r.FieldsPerRecord = sep, 0
		rows := 0
		for rows < 5 {
			row, err := r.Read()
			if errors.Is(err, io.EOF) && rows > 0 || rows > 1 && err != nil && len(text) >= headSize-4 {
				break
			}
			if err != nil || len(row) < 2 {
				rows = 0
				break
			}
			rows++
		}
		if rows > 0 {
			return sep, true
		}
	}
	return 0, false
}

// SetRows says what the rows of a file are, where its beginning does not.
func (s *Source) SetRows(format string) {
	s.Format = linesFormat
	if format == tableFormat.Name {
		s.Format = tableFormat
	}
}
