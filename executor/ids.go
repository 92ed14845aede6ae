package executor

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"
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
	text := requestLetters(time.Now())
	return string(text[:])
}

// inOrder are the letters in the order of their bytes.
const inOrder = "234567ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// requestLetters are those of a request id: seven of the time, to 32 ms, and 19 random ones. So an index of names grows at its end, where else
// each payment would change a page of its own.
func requestLetters(now time.Time) [26]byte {
	text := random()
	for i, at := 6, uint64(now.UnixMilli())/32; i >= 0; i, at = i-1, at/32 {
		text[i] = inOrder[at%32]
	}
	return text
}

// idSource makes the ids of a process's flows.
type idSource struct {
	mu   sync.Mutex
	next int
	made [idsAtOnce]struct{ flow, request string }
}

// idsAtOnce is how many ids share one piece of memory, which is kept as long as one of them.
const idsAtOnce = 16

// newIDs makes the id of a flow, and in one piece with it the first request id, if that is
// ours to make.
func (x *Executor) newIDs() (flow, request string) {
	var text [64]byte
	id, n := addIDs(text[:0], time.Now(), x.cfg.NewRequestID == nil)
	both := string(id)
	return both[:n], both[n:]
}

// newQuickIDs is newIDs for a flow that is soon over: its ids may share their memory with others'.
func (x *Executor) newQuickIDs() (flow, request string) {
	s := &x.ids
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next %= idsAtOnce; s.next == 0 {
		s.refill(x.cfg.NewRequestID == nil)
	}
	is := s.made[s.next]
	s.next++
	return is.flow, is.request
}

// refill makes ids in one piece of memory. None is given out twice. The lock is held.
func (s *idSource) refill(requests bool) {
	var text [idsAtOnce * 64]byte
	var ends [idsAtOnce][2]int
	all, now := text[:0], time.Now()
	for i := range ends {
		all, ends[i][0] = addIDs(all, now, requests)
		ends[i][1] = len(all)
	}
	piece, from := string(all), 0
	for i, end := range ends {
		s.made[i].flow, s.made[i].request = piece[from:end[0]], piece[end[0]:end[1]]
		from = end[1]
	}
}

// addIDs appends the id of a flow, and a request id behind it. n is where the first one ends. A flow's id begins with the time, so that a store
// keeps flows beside each other that begin together; the rest is random. So it tells a caller neither the ids of others nor how many there
// are.
func addIDs(to []byte, now time.Time, request bool) (ids []byte, n int) {
	ids = strconv.AppendInt(append(to, "f-"...), now.UnixMilli(), len(letters))
	own := random()
	ids = append(append(ids, '-'), own[:16]...)
	n = len(ids)
	if request {
		other := requestLetters(now)
		ids = append(ids, other[:]...)
	}
	return ids, n
}
