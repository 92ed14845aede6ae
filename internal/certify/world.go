package certify

import "strings"

// worlds says what can be true of one identity after a statement about it, by what was true before. The letters:
//
//	0  nothing was executed, and nothing will be     1  one request may be executed yet
//	2  as 1, and copies are out; at most one of them is executed
//	P  executed          Q  executed, and copies are out
//	O  executed with another amount        R  the same, and copies are out
//
// Beside each stands a bit: the provider holds a request that failed, and may report it (l: only then; k: only without it; F:
// nothing will be executed, and it holds one; N: it holds none). A minus: no provider that keeps its contract says this.
var worlds = table(map[string]string{ //
	//         0  1    2    P  Q   O  R
	"nothing": "0  1    2    P  Q   O  R", // whatever is true
	"paid":    "-  P    Q    P  Q   -  -",
	"odd":     "-  O    R    -  -   O  R", // paid with another amount
	"open":    "l  1    2    P  Q   O  R",
	"failed":  "l  lF   lF   l  l   l  l",  // by a webhook, or by a query that may come too early
	"ended":   "l  F    F    -  -   -  -",  // by a query that knows every request
	"beside":  "0  0F   0F   -  -   -  -",  // the same, of another request of its order
	"absent":  "k  N    N    -  -   -  -",  // the same, and it finds none
	"door":    "0  0    12   -  PQ  -  OR", // of the request under way: refused, and nothing is stored
	"only":    "k  0    12   -  PQ  -  OR", // the same, and no other request of it can have failed
	"done":    "0  F    12   -  PQ  -  OR", // refused and stored
	"stored":  "0  F    F    -  -   -  -",  // the same, where a repeat gets the first result
	"old":     "0  10F  12F  P  PQ  O  OR", // of an earlier request
	"person":  "0  0    0    -  -   -  -",  // a person found that it was not executed
	"waiting": "0  1    1    -  -   -  -",  // the same, during a call
	"sent":    "1  -    -    -  -   -  -",  // a request was sent
	"again":   "l1 2    2    Q  Q   R  R",  // the same, within the window in which the provider executes no second one
})

const letters = "012PQORFlkN"

// left is the bit beside the letters' numbers.
const left = 8

// table turns the texts into numbers: what can be true, by statement and by what was true.
func table(texts map[string]string) map[string][16][]uint8 {
	all := map[string][16][]uint8{}
	for name, text := range texts {
		var row [16][]uint8
		for v, cell := range strings.Fields(text) {
			for _, c := range cell {
				for _, kept := range []uint8{0, left} {
					x := uint8(strings.IndexRune(letters, c))
					switch {
					case c == '-', c == 'l' && kept == 0, c == 'k' && kept != 0, c == 'N' && kept != 0:
						continue
					case c == 'l', c == 'k':
						x = uint8(v) | kept
					case c == 'F':
						x = left
					case c == 'N':
						x = 0
					default:
						x |= kept
					}
					row[uint8(v)|kept] = append(row[uint8(v)|kept], x)
				}
			}
		}
		all[name] = row
	}
	return all
}

// world is what is true of the money: four bits for each identity.
type world = uint32

func of(w world, i int) uint8 { return uint8(w>>(4*i)) & 15 }
