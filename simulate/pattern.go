package simulate

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/recourse-pay/recourse/internal/recorded"
	"github.com/recourse-pay/recourse/providers"
)

// Recorded lines repeat a few hundred patterns: the same bytes but for names, times and amounts. A pattern is learned from a line that the
// general reader has read and a catalogue has decoded. What it says holds of every line that equals it but for its holes, so such a line is
// read without either. Tests hold both ways equal.

// role is what stands in a hole of a pattern.
type role uint8

const (
	ignored role = iota // nothing reads it
	isFlow
	isAt
	isMerchant
	isKey
	isOrder
	isRequest
	isProvider
	isAmount
	isLatency
	isSaidOrder // in the body, from here on to the amount
	isSaidRequest
	isSaidProvider
	isSaidAmount
	isSaying     // the message
	isSameOrder  // the order id of the answer once more
	isFoundOrder // of an execution of a truth line, from here on
	isFoundRequest
	isFoundAmount
	isFoundAt
)

// hole is a place in a pattern where lines differ.
type hole struct {
	role  role
	which uint8 // of the executions
}

// pattern is what is known of the lines that equal it but for its holes.
type pattern struct {
	kind    *kind
	catalog *providers.Catalog // by which it was decoded; nil: by none
	holes   []hole
	request bool     // the line has no request id of its own and takes that of the answer
	found   int      // executions
	unit    int64    // what a whole number says of the amount, in minor units; not above 0: it says nothing so simple
	also    *pattern // of the same bytes, for merchants whose answers another catalogue reads

	defaults [entryTexts]int8 // of what the answer says: the text of the line that it is where the body has none; -1: none
}

const (
	mostHoles    = 48
	mostFound    = 4       // executions of a truth line
	mostLearned  = 8 << 20 // bytes of all patterns, about
	longestKnown = 4 << 10 // bytes of a line that a pattern is made of
)

// node is a place in the tree of patterns.
type node struct {
	head, mask uint64 // the first eight of bytes, and which bits of them count
	few        uint64 // the first eight of first
	bytes      []byte // that stand here in each line
	next       []*node
	texts      *node    // what follows the rest of a text
	count      *node    // what follows a number
	end        *pattern // of lines that end here
	first      []byte   // of the bytes of each of next
}

// word is up to eight bytes, the first the lowest.
func word(b []byte) (w uint64) {
	for i, c := range b[:min(8, len(b))] {
		w |= uint64(c) << (8 * i)
	}
	return w
}

// says sets the bytes that stand here.
func (n *node) says(b []byte) {
	n.bytes, n.head = b, word(b)
	n.mask = ^uint64(0)
	if len(b) < 8 {
		n.mask = 1<<(8*len(b)) - 1
	}
}

// begins reports whether data begins with the bytes that stand here.
func (n *node) begins(data []byte) bool {
	if len(data) < max(8, len(n.bytes)) {
		return bytes.HasPrefix(data, n.bytes)
	}
	return (binary.LittleEndian.Uint64(data)^n.head)&n.mask == 0 && (len(n.bytes) <= 8 || string(data[8:len(n.bytes)]) == string(n.bytes[8:]))
}

// find returns the pattern of the line that data begins with, what stands in its holes, and how long it is. It is nil where there is none.
func (n *node) find(data []byte, holes *[mostHoles]place) (p *pattern, filled, at int) {
	var other *node // a hole at the place where the bytes of a pattern were followed last
	var otherAt, otherFilled int
	for {
		if !n.begins(data[at:]) {
			if other == nil {
				return nil, 0, 0
			}
			n, at, filled, other = other, otherAt, otherFilled, nil
			if n, at = n.fill(data, at, holes, &filled); n == nil {
				return nil, 0, 0
			}
			continue
		}
		at += len(n.bytes)
		if at == len(data) || data[at] == '\n' {
			return n.end, filled, at
		}
		next := n.child(data[at])
		switch {
		case next != nil:
			if n.texts != nil || n.count != nil {
				other, otherAt, otherFilled = n, at, filled
			}
			n = next
			continue
		case n.texts == nil && n.count == nil:
			if other == nil {
				return nil, 0, 0
			}
			n, at, filled, other = other, otherAt, otherFilled, nil
		}
		if n, at = n.fill(data, at, holes, &filled); n == nil {
			return nil, 0, 0
		}
	}
}

// child is the node behind a byte; nil: there is none. Most nodes have a few at most.
func (n *node) child(c byte) *node {
	i := bits.TrailingZeros64(zeroBytes(n.few^uint64(c)*each)) / 8
	if i == 8 && len(n.next) > 8 {
		i = bytes.IndexByte(n.first, c)
	}
	if uint(i) >= uint(len(n.next)) {
		return nil
	}
	return n.next[i]
}

// each is a word of bytes that are 1.
const each = 0x0101010101010101

// zeroBytes sets the high bit of each byte of a word that is zero. Above the lowest of them it may set others.
func zeroBytes(w uint64) uint64 { return (w - each) &^ w & (0x80 * each) }

// fill takes the hole at a place; nil: nothing there fits.
func (n *node) fill(data []byte, at int, holes *[mostHoles]place, filled *int) (*node, int) {
	var length int
	after := n.texts
	if after != nil {
		length = textLength(data[at:])
	} else {
		length, after = numberLength(data[at:]), n.count
	}
	if length == 0 || *filled == mostHoles {
		return nil, 0
	}
	holes[*filled] = place{uint32(at), uint32(at + length)}
	*filled++
	return after, at + length
}

// textLength is how many bytes at the beginning stand for themselves in a text. It looks at eight at once.
func textLength(data []byte) int {
	n := 0
	for ; n+8 <= len(data); n += 8 {
		x := binary.LittleEndian.Uint64(data[n:])
		// The high bit of each byte that is a quote, an escape, below a space or from 0x7f on; above the lowest of them, of others too.
		if odd := zeroBytes(x^'"'*each) | zeroBytes(x^'\\'*each) | ((x-' '*each)&^x|x|(x+each))&(0x80*each); odd != 0 {
			return n + bits.TrailingZeros64(odd)/8
		}
	}
	for n < len(data) && plainByte[data[n]] {
		n++
	}
	return n
}

// plainByte is the bytes of a text that stand for themselves.
var plainByte = func() (plain [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

// numberLength is how many bytes at the beginning are a number without an exponent, as JSON has it; 0: none.
func numberLength(raw []byte) int {
	n := 0
	if n < len(raw) && raw[n] == '-' {
		n++
	}
	from := n
	for n < len(raw) && isDigit(raw[n]) {
		n++
	}
	if n == from || raw[from] == '0' && n > from+1 {
		return 0
	}
	if n < len(raw) && raw[n] == '.' {
		point := n
		n++
		for n < len(raw) && isDigit(raw[n]) {
			n++
		}
		if n == point+1 {
			return 0
		}
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// piece is one of a pattern: bytes, or a hole behind them.
type piece struct {
	bytes  []byte
	hole   bool
	number bool // what the hole holds
}

// add enters a pattern.
func (n *node) add(pieces []piece, p *pattern) {
	for i := range pieces {
		n = n.along(pieces[i].bytes)
		switch {
		case !pieces[i].hole:
		case pieces[i].number:
			if n.count == nil {
				n.count = &node{}
			}
			n = n.count
		default:
			if n.texts == nil {
				n.texts = &node{}
			}
			n = n.texts
		}
	}
	for was := &n.end; ; was = &(*was).also {
		if *was == nil || (*was).catalog == p.catalog {
			if *was != nil {
				p.also = (*was).also
			}
			*was = p
			return
		}
	}
}

// along returns the node behind some bytes, which it makes where it is not there.
func (n *node) along(b []byte) *node {
	for {
		same := 0
		for same < len(b) && same < len(n.bytes) && b[same] == n.bytes[same] {
			same++
		}
		if same < len(n.bytes) {
			n.split(same)
		}
		if b = b[same:]; len(b) == 0 {
			return n
		}
		i := bytes.IndexByte(n.first, b[0])
		if i < 0 {
			if n.isNew() {
				n.says(bytes.Clone(b))
				return n
			}
			next := &node{}
			next.says(bytes.Clone(b))
			n.first, n.next = append(n.first, b[0]), append(n.next, next)
			n.few = word(n.first)
			return next
		}
		n = n.next[i]
	}
}

// isNew reports whether nothing is known of a node.
func (n *node) isNew() bool {
	return len(n.bytes) == 0 && len(n.next) == 0 && n.texts == nil && n.count == nil && n.end == nil
}

// split cuts the bytes of a node: the rest goes into one of its own.
func (n *node) split(at int) {
	rest, was := *n, n.bytes
	rest.says(was[at:])
	*n = node{first: []byte{rest.bytes[0]}, next: []*node{&rest}}
	n.says(was[:at])
	n.few = word(n.first)
}

// readKnown reads the line that data begins with into the batch, if it is of a pattern that is known, and returns its length; 0: it is of none. from
// is where the line begins in the batch's data. The lore is locked for reading.
func (r *lineReader) readKnown(b *batch, data []byte, from, number int) int {
	var holes [mostHoles]place
	p, filled, length := r.patterns.find(data, &holes)
	for ; p != nil; p = p.also {
		if filled == len(p.holes) && r.readBy(p, &holes, b, from, number) {
			r.known++
			return length
		}
	}
	return 0
}

// readBy reads a line into the batch by a pattern that it has, with what stands in its holes.
func (r *lineReader) readBy(p *pattern, holes *[mostHoles]place, b *batch, from, number int) bool {
	executions := len(b.executions)
	for range p.found {
		b.executions = append(b.executions, finding{})
	}
	b.lines = append(b.lines, entry{kind: p.kind, number: number, executions: executions, executionsEnd: len(b.executions)})
	l := &b.lines[len(b.lines)-1]
	for i := range p.holes {
		x := place{holes[i].from + uint32(from), holes[i].to + uint32(from)}
		if !r.fill(p, l, p.holes[i], x, x.of(b.data), b.executions[executions:]) {
			b.lines, b.executions = b.lines[:len(b.lines)-1], b.executions[:executions]
			return false
		}
	}
	for i := saidOrder; i < entryTexts; i++ {
		if of := p.defaults[i]; of >= 0 && l.texts[i] == (place{}) {
			l.texts[i] = l.texts[of]
		}
	}
	if p.request {
		l.texts[requestText] = l.texts[saidRequest]
	}
	for i := range p.holes {
		if p.holes[i].role != isSameOrder {
			continue
		}
		same := place{holes[i].from + uint32(from), holes[i].to + uint32(from)}
		if !bytes.Equal(same.of(b.data), l.text(b.data, saidOrder)) {
			b.lines, b.executions = b.lines[:len(b.lines)-1], b.executions[:executions]
			return false
		}
	}
	return true
}

// fill takes what stands in a hole. It reports whether that may stand there.
func (r *lineReader) fill(p *pattern, l *entry, h hole, x place, b []byte, found []finding) (ok bool) {
	switch h.role {
	case ignored:
		return true
	case isAt:
		at, ok := recorded.Micros(b)
		l.at = moment(at)
		return ok
	case isMerchant:
		return r.merchant(p, l, b)
	case isAmount:
		l.amount, ok = wholeUpTo(b, recorded.MaxAmount)
		return ok
	case isLatency:
		l.latency, ok = wholeUpTo(b, recorded.MaxLatency.Milliseconds())
		return ok
	case isFlow, isKey, isOrder, isRequest, isProvider:
		l.texts[textOf[h.role]] = x
		return true
	case isSaidOrder, isSaidRequest, isSaidProvider, isSaying:
		l.texts[textOf[h.role]] = x
		return !p.catalog.NoName(b)
	case isSameOrder: // looked at when all are filled
	case isSaidAmount:
		l.said = p.amount(b)
		return !p.catalog.NoName(b)
	case isFoundOrder:
		found[h.which].order = x
	case isFoundRequest:
		found[h.which].request = x
	case isFoundAmount:
		found[h.which].amount, ok = wholeUpTo(b, math.MaxInt64)
		return ok
	case isFoundAt:
		at, ok := recorded.Micros(b)
		found[h.which].at, found[h.which].dated = moment(at), true
		return ok
	}
	return true
}

// amount is that of an answer.
func (p *pattern) amount(b []byte) int64 {
	if whole, ok := wholeUpTo(b, mostWhole); ok && whole > 0 && p.unit > 0 {
		return whole * p.unit
	}
	return p.catalog.Minor(string(b), p.kind.answer.Currency)
}

const mostWhole = 1e12 // no unit takes it past an int64

// textOf is where an entry keeps what stands in a hole.
var textOf = [...]int{
	isFlow: flowText, isKey: keyText, isOrder: orderText, isRequest: requestText, isProvider: providerText,
	isSaidOrder: saidOrder, isSaidRequest: saidRequest, isSaidProvider: saidProvider, isSaying: sayingText,
}

// wholeUpTo reads a whole number from 0 on.
func wholeUpTo(b []byte, most int64) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, n <= most
}

// merchant is one that the reader has met, with the catalogues by which its answers are read.
type merchant struct {
	name     string
	catalogs []*providers.Catalog
}

// mostMerchants bounds those that are kept.
const mostMerchants = 1 << 14

// merchant takes the merchant of a line. It reports whether its answers are read by the catalogue of the pattern.
func (r *lineReader) merchant(p *pattern, l *entry, b []byte) bool {
	m := r.merchants[string(b)]
	if m == nil {
		return false
	}
	l.merchant = m.name
	if p.catalog == nil {
		return true
	}
	for _, c := range m.catalogs {
		if c == p.catalog {
			return true
		}
	}
	return false
}

// meet notes by which catalogue a merchant's answers are read.
func (r *lineReader) meet(name string, c *providers.Catalog) bool {
	m := r.merchants[name]
	if m == nil {
		if len(r.merchants) >= mostMerchants {
			return false
		}
		m = &merchant{name: name}
		r.merchants[name] = m
	}
	for _, known := range m.catalogs {
		if known == c {
			return true
		}
	}
	if c != nil {
		m.catalogs = append(m.catalogs, c)
	}
	return true
}
