package executor

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
)

// letters are those of base 32: no two that a person takes for one another.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// pairs are all two letters.
var pairs = func() (all [1024]uint16) {
	for i := range all {
		all[i] = binary.LittleEndian.Uint16([]byte{letters[i%32], letters[i/32]})
	}
	return all
}()

// random returns 26 random letters. The source is Go's ChaCha8, seeded by the system in every
// process: they never come twice.
func random() (text [26]byte) {
	a, b := rand.Uint64(), rand.Uint64()
	for i := range 6 { // 60 bits of each
		binary.LittleEndian.PutUint16(text[2*i:], pairs[a%1024])
		binary.LittleEndian.PutUint16(text[2*i+12:], pairs[b%1024])
		a, b = a/1024, b/1024
	}
	binary.LittleEndian.PutUint16(text[24:], pairs[rand.Uint64()%1024])
	return text
}

func newRequestID() string {
	text := random()
	return string(text[:])
}

// idSource makes the ids of a process's flows.
type idSource struct {
	prefix string
	count  atomic.Uint64
}

// newPrefix makes the beginning of the ids of a process's flows.
func newPrefix() string { return "f-" + newRequestID()[:12] + "-" }

// newIDs makes the id of a flow, and in one piece with it the first request id, if that is
// ours to make.
func (x *Executor) newIDs() (flow, request string) {
	var text [64]byte
	id := strconv.AppendUint(append(text[:0], x.ids.prefix...), x.ids.count.Add(1), 10)
	if x.cfg.NewRequestID != nil {
		return string(id), ""
	}
	letters := random()
	both := string(append(id, letters[:]...))
	return both[:len(id)], both[len(id):]
}
