package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/recourse-pay/recourse/journal"
)

// head is what the committer knows of a flow without its state.
type head struct {
	n        int64
	id       string
	version  int64
	open     bool
	key      journal.Key
	provider string
	names    []string

	// What is in the file, until the group is written.
	dirty   bool
	stored  int64
	wasOpen bool
	fresh   int          // so many of the names, the last ones, are not stored
	last    *journal.Row // nil: only the version has changed
}

// headsKept is the size of a generation: a flow's rows mostly come soon after one another.
const headsKept = 8192

// heads remembers the flows written last, in two generations: what is used moves to the
// younger one; when that is full, the older one is forgotten. As the process is the only
// writer, what is remembered is what is stored.
type heads struct {
	young, old map[string]*head
}

func (hs *heads) get(id string) *head {
	if h := hs.young[id]; h != nil {
		return h
	}
	h := hs.old[id]
	if h != nil {
		hs.keep(h)
	}
	return h
}

func (hs *heads) keep(h *head) {
	if hs.young == nil || len(hs.young) >= headsKept {
		hs.old, hs.young = hs.young, make(map[string]*head, headsKept)
	}
	hs.young[h.id] = h
}

func (hs *heads) forget(id string) {
	delete(hs.young, id)
	delete(hs.old, id)
}

// head returns what is known of a flow; nil if there is no such flow.
func (w *writer) head(id string) (*head, error) {
	if h := w.heads.get(id); h != nil {
		return h, nil
	}
	h := &head{id: id}
	var open int64
	var operation string
	var names []byte
	err := w.find.one([]driver.Value{id}, &h.n, &h.version, &open, &h.key.Merchant, &operation, &h.key.Payment, &h.provider, &names)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err == nil {
		err = h.key.Operation.UnmarshalText([]byte(operation))
	}
	if err == nil {
		h.names, err = decodeNames(names)
	}
	if err != nil {
		return nil, err
	}
	h.open = open == 1
	h.wasOpen, h.stored = h.open, h.version
	w.heads.keep(h)
	return h, nil
}

// follow makes a row the flow's newest.
func (h *head) follow(r *journal.Row) {
	h.version, h.open, h.last = r.Version, r.Open, r
	for _, name := range r.Names {
		if !slices.Contains(h.names, name) {
			h.names = append(h.names, name)
			h.fresh++
		}
	}
}

// written says that the file has what the head has.
func (h *head) written() {
	h.dirty, h.last, h.fresh = false, nil, 0
	h.stored, h.wasOpen = h.version, h.open
}

// encodeNames writes each name after its length: a name may have any byte in it.
func encodeNames(names []string) []byte {
	size := 0
	for _, name := range names {
		size += len(name) + binary.MaxVarintLen32
	}
	out := make([]byte, 0, size)
	for _, name := range names {
		out = binary.AppendUvarint(out, uint64(len(name)))
		out = append(out, name...)
	}
	return out
}

func decodeNames(b []byte) ([]string, error) {
	var names []string
	for len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, errors.New("the names of a flow are damaged")
		}
		b = b[n:]
		names = append(names, string(b[:size]))
		b = b[size:]
	}
	return names, nil
}

// distinct drops what is named twice.
func distinct(names []string) []string {
	var out []string
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
