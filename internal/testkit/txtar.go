package testkit

import (
	"bytes"
	"os"
)

// Archive is a text archive in the txtar form: a comment, then files, each after a line
// "-- NAME --". It is read here, and not by a library, because those bring four more modules
// into the module graph of everyone who imports this one.
type Archive struct {
	Comment []byte
	Files   []File
}

// File is one file of an [Archive].
type File struct {
	Name string
	Data []byte
}

// ParseFile reads an archive.
func ParseFile(path string) (*Archive, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(text), nil
}

// Parse reads an archive. There is no malformed one: text without markers is a comment.
func Parse(text []byte) *Archive {
	a := &Archive{}
	part := &a.Comment
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n') + 1
		if end == 0 {
			end = len(text)
		}
		line := text[:end]
		text = text[end:]
		if name := marker(line); name != "" {
			a.Files = append(a.Files, File{Name: name})
			part = &a.Files[len(a.Files)-1].Data
			continue
		}
		*part = append(*part, line...)
		if line[len(line)-1] != '\n' {
			*part = append(*part, '\n')
		}
	}
	return a
}

// marker returns the name in a line that begins a file; empty: the line begins none.
func marker(line []byte) string {
	line = bytes.TrimRight(line, "\r\n")
	if !bytes.HasPrefix(line, []byte("-- ")) || !bytes.HasSuffix(line, []byte(" --")) || len(line) < len("-- x --") {
		return ""
	}
	return string(bytes.TrimSpace(line[3 : len(line)-3]))
}

// Format is the reverse of [Parse].
func Format(a *Archive) []byte {
	text := lined(nil, a.Comment)
	for _, f := range a.Files {
		text = append(text, "-- "+f.Name+" --\n"...)
		text = lined(text, f.Data)
	}
	return text
}

// lined appends data and ends it with a line feed.
func lined(text, data []byte) []byte {
	text = append(text, data...)
	if len(data) > 0 && data[len(data)-1] != '\n' {
		text = append(text, '\n')
	}
	return text
}
