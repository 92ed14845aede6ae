package postgres

import (
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// The rows of a group go to the server as arrays, one for each column, in its binary form: a state as text has twice the
// bytes, which both sides read one by one.

// arguments are those of one statement.
type arguments struct {
	values [][]byte
	oids   []uint32
}

var (
	binaryFormat = []int16{pgtype.BinaryFormatCode}
	postgresTime = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix() // from which the server counts
)

func (a *arguments) add(oid uint32, value []byte) {
	a.values, a.oids = append(a.values, value), append(a.oids, oid)
}

// queue adds the statement to a batch.
func (a *arguments) queue(b *pgconn.Batch, sql string) {
	b.ExecParams(sql, a.values, a.oids, binaryFormat, binaryFormat)
}

// addArray adds an array. add appends one element's bytes, or returns nil for NULL.
func addArray[T any](a *arguments, array, element uint32, all []T, add func(b []byte, one T) []byte) {
	b := make([]byte, 0, 20+16*len(all))
	if len(all) == 0 {
		b = binary.BigEndian.AppendUint32(b, 0) // dimensions
		b = binary.BigEndian.AppendUint32(b, 0)
		a.add(array, binary.BigEndian.AppendUint32(b, element))
		return
	}
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, 1) // there may be NULL
	b = binary.BigEndian.AppendUint32(b, element)
	b = binary.BigEndian.AppendUint32(b, uint32(len(all)))
	b = binary.BigEndian.AppendUint32(b, 1) // the first index
	for _, one := range all {
		at := len(b)
		b = append(b, 0xff, 0xff, 0xff, 0xff) // the length; -1 is NULL
		if with := add(b, one); with != nil {
			b = with
			binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
		}
	}
	a.add(array, b)
}

func (a *arguments) texts(all []string) {
	addArray(a, pgtype.TextArrayOID, pgtype.TextOID, all, func(b []byte, s string) []byte { return append(b, s...) })
}

func (a *arguments) textsOrNull(all []*string) {
	addArray(a, pgtype.TextArrayOID, pgtype.TextOID, all, func(b []byte, s *string) []byte {
		if s == nil {
			return nil
		}
		return append(b, *s...)
	})
}

func (a *arguments) bytes(all [][]byte) {
	addArray(a, pgtype.ByteaArrayOID, pgtype.ByteaOID, all, func(b []byte, one []byte) []byte {
		if one == nil {
			return nil
		}
		return append(b, one...)
	})
}

func (a *arguments) numbers(all []int64) {
	addArray(a, pgtype.Int8ArrayOID, pgtype.Int8OID, all, func(b []byte, n int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(n)) })
}

func (a *arguments) bools(all []bool) {
	addArray(a, pgtype.BoolArrayOID, pgtype.BoolOID, all, func(b []byte, is bool) []byte {
		if is {
			return append(b, 1)
		}
		return append(b, 0)
	})
}

func appendTime(b []byte, at time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64((at.Unix()-postgresTime)*1e6+int64(at.Nanosecond()/1e3)))
}

func (a *arguments) times(all []time.Time) {
	addArray(a, pgtype.TimestamptzArrayOID, pgtype.TimestamptzOID, all, appendTime)
}

func (a *arguments) timesOrNull(all []*time.Time) {
	addArray(a, pgtype.TimestamptzArrayOID, pgtype.TimestamptzOID, all, func(b []byte, at *time.Time) []byte {
		if at == nil {
			return nil
		}
		return appendTime(b, *at)
	})
}
