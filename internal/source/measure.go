package source

import "bytes"

// skipBlank returns the first byte from i on that is no white space, comma or comment.
func skipBlank(data []byte, i int) int {
	for i < len(data) {
		switch data[i] {
		case ' ', '\t', '\r', '\n', ',':
			i++
		case '#':
			i = lineEnd(data, i)
		default:
			return i
		}
	}
	return len(data)
}

func lineEnd(data []byte, i int) int {
	if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(data)
}

// valueEnd returns the byte after the plain value that begins at i, in a file whose syntax is
// known to be sound.
func valueEnd(data []byte, i int) int {
	if n := bytes.IndexAny(data[i:], ",]}#\r\n"); n >= 0 {
		return i + len(bytes.TrimRight(data[i:i+n], " \t"))
	}
	return len(data)
}
