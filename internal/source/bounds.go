package source

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/recourse-pay/recourse/policy"
)

// The bounds of a file. The parsers call themselves for each bracket and each part of a key,
// and a stack that overflows ends the process: so a file is measured before it is parsed.
const (
	MaxSize  = 8 << 20 // bytes
	MaxDepth = 16      // brackets within brackets
	MaxParts = 16      // of a dotted key or of a header
	MaxKey   = 256     // bytes of a whole key
	MaxItems = 250_000 // keys, headers, and items of lists

	// maxPaths bounds what all keys are long together, each with those that it stands below.
	maxPaths = 64 << 20
)

// ReadFile reads a file of a file system, and no more of it than shows that it is too large.
func ReadFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	return readOpened(f, err)
}

// ReadPath is ReadFile for a file of the machine.
func ReadPath(path string) ([]byte, error) {
	f, err := os.Open(path)
	return readOpened(f, err)
}

func readOpened(f io.ReadCloser, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxSize+1))
}

// measure says what is beyond the bounds in a file; nil when nothing is. In a file with
// mistakes of syntax it may count wrongly behind the first one, and the parsers do not get
// further than that.
func measure(file string, data []byte) error {
	if len(data) > MaxSize {
		return policy.Mistakes{{Position: Pos{File: file, Line: 1, Column: 1}, Msg: fmt.Sprintf("the file is larger than %d bytes; split it", MaxSize)}}
	}
	g := gauge{data: data}
	if g.run(); g.msg == "" {
		return nil
	}
	line := bytes.Count(data[:g.at], []byte{'\n'})
	start := bytes.LastIndexByte(data[:g.at], '\n') + 1
	return policy.Mistakes{{Position: Pos{File: file, Line: line + 1, Column: 1 + len([]rune(string(data[start:g.at])))}, Msg: g.msg}}
}

// gauge goes through a file once, without calling itself.
type gauge struct {
	data []byte
	at   int
	msg  string // what is beyond the bounds, at the place

	open   []level // brackets that are open
	header int     // length of the header that the line stands below
	items  int
	paths  int

	// Of the key that is being read.
	reading bool // false: of a value
	key     int  // where it begins; -1 before
	parts   int
}

// level is an open bracket. Keys stand only in those that are tables.
type level struct {
	table bool
	path  int // length of the keys that lead to it
}

func (g *gauge) run() {
	for g.next(); g.at < len(g.data); g.at++ {
		switch c := g.data[g.at]; c {
		case ' ', '\t', '\r':
		case '\n':
			if len(g.open) == 0 {
				g.next()
			}
		case '#':
			g.at = lineEnd(g.data, g.at) - 1
		case '"', '\'':
			g.begin()
			g.at = textEnd(g.data, g.at) - 1
		case '[', '{':
			g.bracket(c)
		case ']', '}':
			g.close()
		case ',':
			if len(g.open) > 0 && !g.open[len(g.open)-1].table {
				g.item()
			}
			g.next()
		case '=':
			g.item()
			g.reading = false
		case '.':
			g.dot()
		default:
			g.begin()
		}
		if g.msg != "" {
			return
		}
	}
}

// next is before a key, or before a value of a list.
func (g *gauge) next() {
	g.reading = len(g.open) == 0 || g.open[len(g.open)-1].table
	g.key, g.parts = -1, 1
}

func (g *gauge) begin() {
	if g.reading && g.key < 0 {
		g.key = g.at
	}
}

func (g *gauge) dot() {
	if !g.reading {
		return // of a number
	}
	if g.parts++; g.parts > MaxParts {
		g.msg = fmt.Sprintf("a key has more than %d parts joined by dots", MaxParts)
	}
}

// path is the length of the keys that lead to what is being read.
func (g *gauge) path() int {
	n := g.header
	if len(g.open) > 0 {
		n = g.open[len(g.open)-1].path
	}
	if g.key >= 0 {
		n += g.keyLength()
	}
	return n
}

func (g *gauge) keyLength() int {
	end := g.at
	if !g.reading { // of the value that begins here, which the key was short enough for
		end = min(end, g.key+MaxKey)
	}
	return end - g.key
}

// item counts a key or a value of a list.
func (g *gauge) item() {
	if g.reading && g.key >= 0 && g.at-g.key > MaxKey {
		g.at, g.msg = g.key, fmt.Sprintf("a key is longer than %d bytes", MaxKey)
		return
	}
	g.items++
	g.paths += g.path() + 8
	switch {
	case g.items > MaxItems:
		g.msg = fmt.Sprintf("the file holds more than %d keys and items of lists; split it", MaxItems)
	case g.paths > maxPaths:
		g.msg = "the keys of the file are too long, each with those that it stands below; shorten or split it"
	}
}

func (g *gauge) bracket(c byte) {
	if g.reading && len(g.open) == 0 && g.key < 0 && c == '[' { // of a header
		g.headline()
		return
	}
	if len(g.open) == MaxDepth {
		g.msg = fmt.Sprintf("brackets stand more than %d deep", MaxDepth)
		return
	}
	g.open = append(g.open, level{c == '{', g.path()})
	g.next()
}

func (g *gauge) close() {
	if len(g.open) == 0 {
		return
	}
	if !g.open[len(g.open)-1].table {
		g.item()
	}
	g.open = g.open[:len(g.open)-1]
	g.reading = false // behind a value
}

// headline reads a [header] or a [[header]] up to its end.
func (g *gauge) headline() {
	for g.at < len(g.data) && g.data[g.at] == '[' {
		g.at++
	}
	g.header = 0
	for g.key = g.at; g.at < len(g.data); g.at++ {
		switch g.data[g.at] {
		case '"', '\'':
			g.at = textEnd(g.data, g.at) - 1
		case '.':
			g.dot()
		case ']', '\n':
			if g.item(); g.msg != "" {
				return
			}
			g.header, g.reading, g.key = g.at-g.key, false, -1
			if g.data[g.at] == '\n' {
				g.at--
			}
			return
		}
		if g.msg != "" {
			return
		}
	}
	g.item()
}

// textEnd is the byte behind a text that begins at i, or the end of its line or of the file.
func textEnd(data []byte, i int) int {
	quote := data[i]
	long := []byte{quote, quote, quote}
	if !bytes.HasPrefix(data[i:], long) {
		return lineTextEnd(data, i+1, quote)
	}
	for i += 3; i < len(data); i++ {
		switch {
		case data[i] == '\\' && quote == '"':
			i++
		case data[i] == quote && bytes.HasPrefix(data[i:], long):
			i += 3
			for i < len(data) && data[i] == quote { // up to two belong to the text
				i++
			}
			return i
		}
	}
	return len(data)
}

func lineTextEnd(data []byte, i int, quote byte) int {
	for ; i < len(data); i++ {
		switch {
		case data[i] == '\n':
			return i
		case data[i] == '\\' && quote == '"':
			i++
		case data[i] == quote:
			return i + 1
		}
	}
	return len(data)
}
