package sqlite

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/recourse-pay/recourse/journal"
)

// known says of a payment key, a name or the id of a flow that no row has it, without a look at the file: most payments are new. It holds a few bits for each key,
// name and id that was put by this process or stands in the file (a Bloom filter), so it may take a new one for known, and never a known one for new.
// Rows are added before they are stored, and none is ever removed.
type known struct {
	seed maphash.Seed

	mu      sync.Mutex
	parts   []*bits // a full one is followed by one of twice its size
	size    int     // of all, in bytes
	inFile  int64   // about as many flows stand in the file and are not in here; 0: none
	asked   int64   // while that was so
	reading bool
	off     bool // it would be too large

	recent, older map[uint64]struct{} // of the keys and names that the table may lack, and batches have: those of groups behind the cut, and up to it
}

// bits are a part: a hash sets four of them.
type bits struct {
	words      []uint64
	added, max int
}

const (
	firstKnown = 64 << 10 // bytes; a key, name or id takes 12 bits
	mostKnown  = 64 << 20
	bitsEach   = 12

	// The keys and names of a file are read once so many payments have been looked for in it: one in so many of its flows, and some more. Reading
	// them then costs less than the looks did, and a process that ends soon reads none.
	readAfter = 8
	readMore  = 1000
)

// newKnown is for a file with so many flows.
func newKnown(flows int64) *known {
	return &known{seed: maphash.MakeSeed(), inFile: flows, recent: make(map[uint64]struct{}), older: make(map[uint64]struct{})}
}

// keyText is a key as the file has it and as its statements compare it: the operation is its name, which may be of another release.
type keyText struct{ payment, merchant, operation string }

func (k *known) ofKey(key journal.Key) uint64 {
	return maphash.Comparable(k.seed, keyText{key.Payment, key.Merchant, key.Operation.String()})
}

// providerName is a name at a provider.
type providerName struct{ provider, name string }

func (k *known) ofName(provider, name string) uint64 {
	return maphash.Comparable(k.seed, providerName{provider, name})
}

// flowID is the id of a flow.
type flowID string

func (k *known) ofID(id string) uint64 { return maphash.Comparable(k.seed, flowID(id)) }

// add adds the key, the names and the id of a row that is about to be stored. It reports whether it is a first row, and certainly no other has
// its key or its id.
func (k *known) add(r *journal.Row) (isNew bool) {
	if r.Version > 1 && len(r.Names) == 0 {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.Version == 1 {
		isNew = k.addNew(k.ofID(r.ID))
		isNew = (r.Key.Payment == "" || k.addNew(k.ofKey(r.Key))) && isNew
	}
	for _, name := range r.Names {
		k.addHash(k.ofName(r.Provider, name))
	}
	return isNew
}

// addRecent adds the keys and names of flows whose newest rows are in batches, and not in the table.
func (k *known) addRecent(flows []*cachedFlow) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range flows {
		if f.n == 0 && f.key.Payment != "" {
			k.recent[k.ofKey(f.key)] = struct{}{}
		}
		for _, name := range f.names[len(f.names)-f.newNames:] {
			k.recent[k.ofName(f.provider, name)] = struct{}{}
		}
	}
}

// passCut says that the table has all that batches had up to the cut, which now stands behind all batches.
func (k *known) passCut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.older)
	k.recent, k.older = k.older, k.recent
}

// isRecent reports whether the table may lack a key, if it is not empty, or one of the names.
func (k *known) isRecent(key journal.Key, provider string, names []string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key.Payment != "" && k.hasRecent(k.ofKey(key)) {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool { return k.hasRecent(k.ofName(provider, name)) })
}

// hasRecent reports whether a hash is of something that the table may lack. The lock is held.
func (k *known) hasRecent(h uint64) bool {
	_, recent := k.recent[h]
	_, older := k.older[h]
	return recent || older
}

// addNew adds a hash, and reports whether it was certainly not added before. The lock is held.
func (k *known) addNew(h uint64) bool {
	isNew := !k.off && k.inFile == 0 && !k.has(h)
	k.addHash(h)
	return isNew
}

// addHash adds one. The lock is held.
func (k *known) addHash(h uint64) {
	if k.off {
		return
	}
	n := len(k.parts)
	if n == 0 || k.parts[n-1].added >= k.parts[n-1].max {
		size := firstKnown << n
		if k.size+size > mostKnown {
			k.off, k.parts = true, nil
			return
		}
		k.size += size
		k.parts = append(k.parts, &bits{words: make([]uint64, size/8), max: size * 8 / bitsEach})
		n++
	}
	k.parts[n-1].add(h)
}

func (b *bits) add(h uint64) {
	b.added++
	for range 4 {
		at := h % uint64(len(b.words)*64)
		b.words[at/64] |= 1 << (at % 64)
		h = next(h)
	}
}

func (b *bits) has(h uint64) bool {
	for range 4 {
		at := h % uint64(len(b.words)*64)
		if b.words[at/64]&(1<<(at%64)) == 0 {
			return false
		}
		h = next(h)
	}
	return true
}

// next mixes a hash (the finalizer of splitmix64).
func next(h uint64) uint64 {
	h += 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// isNew reports whether certainly no row has the key, if it is not empty, or one of the names. read: it is time to read what the file has.
func (k *known) isNew(key journal.Key, provider string, names []string) (isNew, read bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.off {
		return false, false
	}
	if k.inFile > 0 {
		k.asked++
		read = !k.reading && k.asked > k.inFile/readAfter+readMore
		k.reading = k.reading || read
		return false, read
	}
	if key.Payment != "" && k.has(k.ofKey(key)) {
		return false, false
	}
	for _, name := range names {
		if k.has(k.ofName(provider, name)) {
			return false, false
		}
	}
	return true, false
}

// has reports whether a hash may have been added. The lock is held.
func (k *known) has(h uint64) bool {
	for _, b := range k.parts {
		if b.has(h) {
			return true
		}
	}
	return false
}

// readFile adds the keys and the names of the file; what is stored meanwhile is added by Put. If that fails, the file is looked into for each
// payment.
func (j *Journal) readFile(ctx context.Context) {
	k := j.known
	err := k.addAll(ctx, j.reads.db, "SELECT payment, merchant, operation FROM flow WHERE payment <> ''", func(of *[3]string) uint64 {
		return maphash.Comparable(k.seed, keyText{of[0], of[1], of[2]})
	})
	if err == nil {
		err = k.addAll(ctx, j.reads.db, "SELECT id, '', '' FROM flow", func(of *[3]string) uint64 { return k.ofID(of[0]) })
	}
	if err == nil {
		err = k.addAll(ctx, j.reads.db, "SELECT provider, name, '' FROM name", func(of *[3]string) uint64 { return k.ofName(of[0], of[1]) })
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.inFile = 0
	if err != nil {
		k.off, k.parts = true, nil
	}
}

// addAll adds a hash of each row of a query.
func (k *known) addAll(ctx context.Context, db querier, query string, hash func(*[3]string) uint64) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var of [3]string
	for rows.Next() {
		if err := rows.Scan(&of[0], &of[1], &of[2]); err != nil {
			return err
		}
		h := hash(&of)
		k.mu.Lock()
		k.addHash(h)
		k.mu.Unlock()
	}
	return rows.Err()
}
