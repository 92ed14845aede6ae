package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// cachedFlow is the row of a flow without its state, as the committer needs it.
type cachedFlow struct {
	n        int64 // 0: it is not in the table
	id       string
	version  int64
	open     bool
	key      journal.Key
	provider string
	names    []string
	standing string
	since    int64

	// The difference to the table, until it is flushed.
	dirty         bool
	inGroup       bool // this group has changed it
	storedVersion int64
	storedOpen    bool
	moved         bool     // standing or since differ
	newNames      int      // so many names, at the end of names, are not stored
	content       *content // of the newest row; nil: only the version has changed
}

// content is what of a row the cache does not keep.
type content struct {
	due, at          time.Time
	state, tombstone []byte // the queue's memory during the group, that of its batch afterwards
}

// generationSize limits the cache. Few flows are enough: the rows of a flow mostly follow
// within seconds.
const generationSize = 8192

// flowCache holds the flows used last, in two generations. A flow that is used moves to the
// young generation. When that is full, the old one is evicted, but for flows that the table lacks. It always agrees with the file and its batches,
// because this process is its only writer.
type flowCache struct {
	young, old map[string]*cachedFlow
	most       int // in young
}

func (c *flowCache) get(id string) *cachedFlow {
	if f := c.young[id]; f != nil {
		return f
	}
	f := c.old[id]
	if f != nil {
		c.add(f)
	}
	return f
}

func (c *flowCache) add(f *cachedFlow) {
	if len(c.young) >= c.most {
		young := make(map[string]*cachedFlow, generationSize)
		for id, old := range c.old {
			if old.dirty {
				young[id] = old
			}
		}
		c.old, c.young, c.most = c.young, young, generationSize+len(young)
	}
	c.young[f.id] = f
}

func (c *flowCache) evict(id string) {
	delete(c.young, id)
	delete(c.old, id)
}

// errDamagedRow says that the table's row of a flow cannot be read.
var errDamagedRow = errors.New("a row of the table is damaged")

// flow returns a flow from the cache or from the file; nil if there is no such flow.
func (w *writer) flow(id string) (*cachedFlow, error) {
	if f := w.cache.get(id); f != nil {
		return f, nil
	}
	f := &cachedFlow{id: id}
	var open int64
	var operation string
	var names []byte
	err := w.findFlow.queryRow([]driver.Value{id}, &f.n, &f.version, &open, &f.key.Merchant, &operation, &f.key.Payment, &f.provider, &names, &f.standing, &f.since)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err = f.key.Operation.UnmarshalText([]byte(operation)); err == nil {
		f.names, err = decodeNames(names)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w: flow %s: %w", errDamagedRow, id, err)
	}
	f.open = open == 1
	f.storedOpen, f.storedVersion = f.open, f.version
	w.cache.add(f)
	return f, nil
}

// apply makes a row the newest of its flow, in memory.
func (f *cachedFlow) apply(r *journal.Row) {
	f.version, f.open = r.Version, r.Open
	if f.content == nil {
		f.content = new(content)
	}
	*f.content = content{r.Due, r.At, r.State, r.Tombstone}
	if since := r.Since.UnixMicro(); r.Standing != f.standing || since != f.since {
		f.standing, f.since, f.moved = r.Standing, since, true
	}
	for _, name := range r.Names {
		if !slices.Contains(f.names, name) {
			f.names = append(f.names, name)
			f.newNames++
		}
	}
}

// flushed records that the file has the newest row.
func (f *cachedFlow) flushed() {
	f.dirty, f.content, f.newNames, f.moved = false, nil, 0, false
	f.storedVersion, f.storedOpen = f.version, f.open
}

// encodeNames writes the length of each name before it, as a name may contain any byte.
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

// distinct removes repeated names.
func distinct(names []string) []string {
	var out []string
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
