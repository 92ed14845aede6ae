package postgres

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// The setting bytea_output of a role, a database or a pooled session says how bytes are written. pgx reads one of
// the two ways, and a connection through a pooler cannot have the setting at its start. So both are read.

// readBytes lets a connection read bytes in both ways. It sends nothing.
func readBytes(_ context.Context, c *pgx.Conn) error {
	element := &pgtype.Type{Name: "bytea", OID: pgtype.ByteaOID, Codec: bytesCodec{}}
	c.TypeMap().RegisterType(element)
	c.TypeMap().RegisterType(&pgtype.Type{Name: "_bytea", OID: pgtype.ByteaArrayOID, Codec: &pgtype.ArrayCodec{ElementType: element}})
	return nil
}

type bytesCodec struct{ pgtype.ByteaCodec }

// PlanScan implements [pgtype.Codec].
func (c bytesCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if _, is := target.(*[]byte); is && format == pgtype.TextFormatCode {
		return textBytes{}
	}
	return c.ByteaCodec.PlanScan(m, oid, format, target)
}

type textBytes struct{}

// Scan implements [pgtype.ScanPlan].
func (textBytes) Scan(text []byte, target any) (err error) {
	into := target.(*[]byte)
	*into = nil
	if text == nil {
		return nil
	}
	if digits, is := bytes.CutPrefix(text, []byte(`\x`)); is {
		*into = make([]byte, hex.DecodedLen(len(digits)))
		_, err = hex.Decode(*into, digits)
		return err
	}
	*into, err = unescape(text)
	return err
}

// unescape reads bytes as bytea_output = escape writes them: \\ is a backslash, and \ooo a byte in octal.
func unescape(text []byte) ([]byte, error) {
	all := make([]byte, 0, len(text))
	octal := func(c byte) bool { return c >= '0' && c <= '7' }
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch {
		case rest[0] != '\\':
			all = append(all, rest[0])
		case len(rest) > 1 && rest[1] == '\\':
			all = append(all, '\\')
			i++
		case len(rest) > 3 && rest[1] <= '3' && octal(rest[1]) && octal(rest[2]) && octal(rest[3]):
			all = append(all, (rest[1]-'0')<<6|(rest[2]-'0')<<3|(rest[3]-'0'))
			i += 3
		default:
			return nil, fmt.Errorf("postgres: bytes of the database have a backslash at %d that stands for nothing", i)
		}
	}
	return all, nil
}
