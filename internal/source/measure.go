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

// valueEnd returns the byte after the value that begins at i, in a file whose syntax is
// known to be sound.
func valueEnd(data []byte, i int) int {
	depth := 0
	for i < len(data) {
		switch data[i] {
		case '"', '\'':
			i = stringEnd(data, i)
		case '#':
			i = lineEnd(data, i)
			continue
		case '[', '{':
			depth++
			i++
		case ']', '}':
			if depth == 0 {
				return i
			}
			depth--
			i++
		case ',', '\n', ' ', '\t', '\r':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			continue
		}
		if depth == 0 {
			return i
		}
	}
	return len(data)
}

// stringEnd returns the byte after the string that begins at i.
func stringEnd(data []byte, i int) int {
	quote := data[i : i+1]
	if triple := bytes.Repeat(quote, 3); bytes.HasPrefix(data[i:], triple) {
		quote = triple
	}
	for j := i + len(quote); j < len(data); j++ {
		switch {
		case data[j] == '\\' && quote[0] == '"':
			j++
		case bytes.HasPrefix(data[j:], quote):
			j += len(quote)
			for len(quote) == 3 && j < len(data) && data[j] == quote[0] {
				j++ // up to two quotes may stand before the closing three
			}
			return j
		}
	}
	return len(data)
}
