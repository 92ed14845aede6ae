package executor

import (
	"math/rand/v2"
	"strconv"
)

// letters are those of base 32: no two that a person takes for one another.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// pairs are all two letters.
var pairs = func() (all [1024][2]byte) {
	for i := range all {
		all[i] = [2]byte{letters[i%32], letters[i/32]}
	}
	return all
}()

// appendRandom appends n pairs of random letters. The source is Go's ChaCha8, seeded by the
// system in every process: 13 pairs never come twice.
func appendRandom(text []byte, n int) []byte {
	for left := n; left > 0; left -= 6 {
		bits := rand.Uint64()
		for range min(left, 6) {
			pair := &pairs[bits%1024]
			text = append(text, pair[0], pair[1])
			bits /= 1024
		}
	}
	return text
}

const requestPairs = 13

func newRequestID() string {
	var text [2 * requestPairs]byte
	return string(appendRandom(text[:0], requestPairs))
}

// newPrefix makes the beginning of the ids of a process's flows.
func newPrefix() string { return string(appendRandom([]byte("f-"), 6)) + "-" }

// newIDs makes the id of a flow, and in one piece with it the first request id, if that is
// ours to make.
func (x *Executor) newIDs() (flow, request string) {
	var text [64]byte
	id := strconv.AppendUint(append(text[:0], x.prefix...), x.count.Add(1), 10)
	if x.cfg.NewRequestID != nil {
		return string(id), ""
	}
	both := string(appendRandom(id, requestPairs))
	return both[:len(id)], both[len(id):]
}
