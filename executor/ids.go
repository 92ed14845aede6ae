package executor

import (
	"math/rand/v2"
	"strconv"
)

// letters are those of base 32: no two that a person takes for one another.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// randomText returns n random letters. The source is Go's ChaCha8, seeded by the system in
// every process: 26 letters never come twice.
func randomText(n int) string {
	var text [26]byte
	var bits uint64
	for i := range n {
		if i%12 == 0 {
			bits = rand.Uint64()
		}
		text[i] = letters[bits%32]
		bits /= 32
	}
	return string(text[:n])
}

func newRequestID() string { return randomText(26) }

// newPrefix makes the beginning of the ids of a process's flows.
func newPrefix() string { return "f-" + randomText(12) + "-" }

// newID makes the id of a flow.
func (x *Executor) newID() string {
	var text [32]byte
	return string(strconv.AppendUint(append(text[:0], x.prefix...), x.count.Add(1), 36))
}
