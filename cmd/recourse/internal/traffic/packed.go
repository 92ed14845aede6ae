package traffic

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// unpack undoes what Content-Encoding says of bodies that a tool kept as they were sent. Most tools keep the header though they
// have unpacked the body: a body that is plain stays as it is.
func (c *Call) unpack() {
	c.Body, _ = unpacked(c.Body, c.Header)
	c.Reply, c.ReplyIn = unpacked(c.Reply, c.ReplyHeader)
}

// unpacked is a body that can be read; not says why it cannot.
func unpacked(body []byte, header http.Header) (plain []byte, not string) {
	encoding := strings.ToLower(strings.Join(header.Values("Content-Encoding"), ","))
	var r io.Reader
	var err error
	switch {
	case bytes.HasPrefix(body, []byte{0x1f, 0x8b}):
		r, err = gzip.NewReader(bytes.NewReader(body))
	case len(body) == 0, utf8.Valid(body):
		return body, ""
	case strings.Contains(encoding, "deflate") && body[0]&0x0f == 8 && len(body) > 1 && (int(body[0])<<8+int(body[1]))%31 == 0:
		r, err = zlib.NewReader(bytes.NewReader(body))
	case strings.Contains(encoding, "deflate"): // without the header that the standard asks for
		r = flate.NewReader(bytes.NewReader(body))
	case strings.Contains(encoding, "br"), strings.Contains(encoding, "zstd"), strings.Contains(encoding, "compress"):
		return body, "it is packed (" + shortened(encoding) + "), which is not read"
	default:
		return body, ""
	}
	if err == nil {
		plain, err = io.ReadAll(io.LimitReader(r, maxEntry+1))
	}
	switch {
	case err != nil:
		return body, "it is packed, and cannot be unpacked: " + err.Error()
	case len(plain) > maxEntry:
		return body, "it is packed, and " + errTooLong.Error()
	}
	return plain, ""
}
