package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync/atomic"
	"time"

	"github.com/recourse-pay/recourse/journal"
)

// A row of the table flow stands in six indexes, and a payment is written some four times within moments. So a group is first stored as one value,
// its batch. The table is brought up to date later, by the last row of each flow, and a few flows at a time: see settle.go. A batch is deleted in
// the transaction that has written the last of its flows. So batches and table are always one whole. A row of a batch may be older than what the table
// has of its flow, and then says nothing; but if any batch has a row of a flow, one has its newest.
//
// Only what memory can judge goes into a batch: the first row of a flow whose id and key are new, and the rows of flows in the cache. For all else
// the table is brought up to date first, and SQLite judges.

const (
	batchFormat = 1
	largestRow  = 64 << 10 // bytes of a row in a batch; a group with a larger one is written to the table at once
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// batching is what the writer needs of batches.
type batching struct {
	dirty  []*cachedFlow // changed and not in the table, the first changed first; those of earlier groups are in batches
	added  int64         // so many flows ever came to dirty
	group  []*cachedFlow // changed by the group
	direct bool          // the group has brought the table up to date, and has no batch
	cut    cut           // divides the batches
	newest int64         // the number of the newest batch; 0: there are none
	stale  bool          // memory has lost what is in them
	behind atomic.Bool   // the table lacks what is in them; for those who read it
	known  *known

	before, since kept     // the batches up to the cut, and those behind it
	spare         [][]byte // memory of batches that are deleted

	findNew, insertBatch, deleteBatches *stmt
}

// keepGroup ends a group: as a batch, or in the table.
func (w *writer) keepGroup() error {
	size := 1
	for _, f := range w.group {
		if f.content == nil { // it stands in the table, or only its version has changed: a batch has whole rows
			return w.flush()
		}
		n := f.sizeInBatch()
		w.direct = w.direct || n > largestRow
		size += n
	}
	if w.direct || w.before.bytes+w.since.bytes+size > mostPendingBytes {
		return w.flush()
	}
	if len(w.group) > 0 {
		batch := append(w.memory(size), batchFormat)
		for _, f := range w.group {
			batch = f.appendTo(batch)
		}
		result, err := w.insertBatch.exec(batch)
		if err != nil {
			return err
		}
		if w.newest, err = result.LastInsertId(); err != nil {
			return err
		}
		w.since.add(batch)
	}
	return w.writeOldest(w.surplus())
}

// memory is for a batch of a size. It is not used again before the table is up to date, for flows have their content in it.
func (w *writer) memory(size int) []byte {
	if n := len(w.spare); n > 0 {
		b := w.spare[n-1]
		w.spare = w.spare[:n-1]
		if cap(b) >= size {
			return b[:0]
		}
	}
	return make([]byte, 0, size+size/4)
}

// committed takes note that a transaction has succeeded.
func (w *writer) committed() {
	w.stale = false
	w.known.addRecent(w.group)
	if w.newest == 0 {
		w.passCut()
	}
	if w.newest == 0 || w.cut.moved {
		w.passCut()
	}
	w.cut.moved = false
	for _, f := range w.group {
		f.inGroup = false
	}
	clear(w.group)
	w.group = w.group[:0]
	w.behind.Store(w.newest > 0)
}

// forget drops all that memory has of flows, after a transaction that has failed: it may be what that one wanted.
func (w *writer) forget() {
	for _, f := range w.dirty {
		f.dirty = false // a read may want to have it written
	}
	clear(w.group)
	w.dirty, w.group, w.cache = nil, w.group[:0], flowCache{}
	w.before, w.since, w.spare = kept{}, kept{}, nil
	w.cut, w.newest = cut{}, 0
	w.stale = true
	w.behind.Store(true)
}

// recover brings the table up to date from the batches in the file, of a process that was killed or of one whose transaction failed.
func (w *writer) recover(restored bool) error {
	rows, found, err := readBatches(w.conn, restored)
	if err != nil {
		return fmt.Errorf("sqlite: %s: %w", w.path, err)
	}
	if found {
		w.newest = 1
	}
	w.direct = true // the cache is empty, and rows are compared with the table
	for i := range rows {
		if err := w.replay(&rows[i]); err != nil && !(restored && errors.Is(err, errBatch)) {
			return err
		}
	}
	return w.flush()
}

// replay takes over a row of a batch, which was admitted before. It has all of its flow: it takes the place of a row of the table that is damaged.
func (w *writer) replay(r *journal.Row) error {
	f, err := w.flow(r.ID)
	switch {
	case errors.Is(err, errDamagedRow):
		if err := w.deleteDamaged(r.ID); err != nil {
			return err
		}
		w.add(r)
		return nil
	case err != nil:
		return err
	case f == nil:
		w.add(r)
		return nil
	case r.Version <= f.version:
		return nil
	}
	if err := r.CheckAfter(f.key, f.provider); err != nil {
		return fmt.Errorf("the batches of the file do not belong to its flows: %w: %w", errBatch, err)
	}
	w.markDirty(f)
	f.apply(r)
	return nil
}

// deleteDamaged removes a row of the table that cannot be read, and its names.
func (w *writer) deleteDamaged(id string) error {
	for _, query := range [...]string{"DELETE FROM name WHERE n IN (SELECT n FROM flow WHERE id = ?)", "DELETE FROM flow WHERE id = ?"} {
		s, err := w.prepare(query)
		if err != nil {
			return err
		}
		_, err = s.exec(id)
		if err = errors.Join(err, s.Close()); err != nil {
			return err
		}
	}
	return nil
}

// unknown reports whether no row has the key or the id of a first row that memory took for known. It brings no table up to date: what is in batches is
// in memory.
func (w *writer) unknown(r *journal.Row) (bool, error) {
	if w.direct || w.cache.get(r.ID) != nil || w.inGroup(r.Key) || w.known.isRecent(r.Key, "", nil) {
		return false, nil
	}
	var found int64
	err := w.findNew.queryRow([]driver.Value{r.ID, r.Key.Payment, r.Key.Merchant, r.Key.Operation.String()}, &found)
	return found == 0, err
}

// inGroup reports whether a flow that the group has changed has a key.
func (w *writer) inGroup(k journal.Key) bool {
	return k.Payment != "" && slices.ContainsFunc(w.group, func(f *cachedFlow) bool { return f.key == k })
}

// sizeInBatch is at least the bytes that the flow takes in a batch.
func (f *cachedFlow) sizeInBatch() int {
	n := 128 + len(f.id) + len(f.key.Merchant) + len(f.key.Payment) + len(f.provider) + len(f.standing) + len(f.content.state) + len(f.content.tombstone)
	for _, name := range f.names {
		n += len(name) + binary.MaxVarintLen32
	}
	return n
}

// appendTo adds the newest row of the flow to a batch: a checksum of its head, the length of the head, the head, the state, and the tombstone. The
// state is its writer's, and has a checksum of its own. The content of the flow is that in the batch from then on.
func (f *cachedFlow) appendTo(batch []byte) []byte {
	c := f.content
	sum := len(batch)
	batch = append(batch, 0, 0, 0, 0, 0, 0, 0, 0)
	head := len(batch)
	for _, text := range [...]string{f.id, f.key.Merchant, f.key.Operation.String(), f.key.Payment, f.provider, f.standing} {
		batch = append(binary.AppendUvarint(batch, uint64(len(text))), text...)
	}
	batch = binary.AppendUvarint(batch, uint64(len(f.names)))
	for _, name := range f.names {
		batch = append(binary.AppendUvarint(batch, uint64(len(name))), name...)
	}
	flags := byte(number(f.open))
	if !c.due.IsZero() {
		flags |= 2
	}
	batch = append(batch, flags)
	for _, n := range [...]int64{f.version, c.due.UnixMicro(), c.at.UnixMicro(), f.since, int64(len(c.state)), int64(len(c.tombstone))} {
		batch = binary.AppendVarint(batch, n)
	}
	binary.LittleEndian.PutUint32(batch[sum+4:], uint32(len(batch)-head))
	binary.LittleEndian.PutUint32(batch[sum:], crc32.Checksum(batch[sum+4:], castagnoli))
	state := len(batch)
	batch = append(batch, c.state...)
	tombstone := len(batch)
	batch = append(batch, c.tombstone...)
	c.state, c.tombstone = batch[state:tombstone:tombstone], batch[tombstone:len(batch):len(batch)]
	return batch
}

var errBatch = errors.New("it is not what was written")

// readBatches reads the rows of all batches, in their order. With restored, what cannot be read is left out.
func readBatches(c *conn, restored bool) (rows []journal.Row, found bool, err error) {
	s, err := c.prepare("SELECT n, rows FROM batch ORDER BY n")
	if err != nil {
		return nil, false, err
	}
	var damaged error
	err = s.each(nil, func(values []driver.Value) bool {
		found = true
		batch, _ := values[1].([]byte)
		var bad error
		rows, bad = decodeBatch(rows, slices.Clone(batch))
		if bad != nil {
			damaged = errors.Join(damaged, fmt.Errorf("batch %v: %w", values[0], bad))
		}
		return true
	})
	err = errors.Join(err, s.Close())
	if err == nil && damaged != nil && !restored {
		err = fmt.Errorf("rows of its last moments are damaged, so keys that were paid may be free in it: %w. Hold the file against the providers' records and set Options.Restored", damaged)
	}
	return rows, found, err
}

// decodeBatch adds the rows of a batch.
func decodeBatch(rows []journal.Row, batch []byte) ([]journal.Row, error) {
	if len(batch) == 0 || batch[0] != batchFormat {
		return rows, errBatch
	}
	for d := (batchDecoder{rest: batch[1:]}); len(d.rest) > 0; {
		r, err := d.row()
		if err != nil {
			return rows, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// batchDecoder reads a batch.
type batchDecoder struct {
	rest []byte
	bad  bool
}

func (d *batchDecoder) row() (r journal.Row, err error) {
	if len(d.rest) < 8 {
		return r, errBatch
	}
	sum, size := binary.LittleEndian.Uint32(d.rest), binary.LittleEndian.Uint32(d.rest[4:])
	if uint64(size) > uint64(len(d.rest)-8) || crc32.Checksum(d.rest[4:8+size], castagnoli) != sum {
		return r, errBatch
	}
	head := batchDecoder{rest: d.rest[8 : 8+size]}
	d.rest = d.rest[8+size:]
	r.ID, r.Key.Merchant = head.text(), head.text()
	if err := r.Key.Operation.UnmarshalText([]byte(head.text())); err != nil {
		return r, err
	}
	r.Key.Payment, r.Provider, r.Standing = head.text(), head.text(), head.text()
	for n := head.length(); n > 0 && !head.bad; n-- {
		r.Names = append(r.Names, head.text())
	}
	flags := head.bytes(1)
	var numbers [6]int64
	for i := range numbers {
		numbers[i] = head.number()
	}
	r.State, r.Tombstone = d.bytes(uint64(numbers[4])), d.bytes(uint64(numbers[5]))
	if head.bad || d.bad || len(head.rest) > 0 {
		return r, errBatch
	}
	r.Open, r.Version = flags[0]&1 != 0, numbers[0]
	if flags[0]&2 != 0 {
		r.Due = time.UnixMicro(numbers[1]).UTC()
	}
	r.At, r.Since = time.UnixMicro(numbers[2]).UTC(), time.UnixMicro(numbers[3]).UTC()
	return r, nil
}

func (d *batchDecoder) length() uint64 {
	n, size := binary.Uvarint(d.rest)
	if d.bad = d.bad || size <= 0; d.bad {
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *batchDecoder) number() int64 {
	n, size := binary.Varint(d.rest)
	if d.bad = d.bad || size <= 0; d.bad {
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *batchDecoder) bytes(n uint64) []byte {
	if d.bad = d.bad || n > uint64(len(d.rest)); d.bad {
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *batchDecoder) text() string { return string(d.bytes(d.length())) }
