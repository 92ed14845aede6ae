package providers

import (
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/recourse-pay/recourse/policy"
)

// message is an answer or a notice that the one reader has read.
type message struct {
	v      *fastjson.Value // the body
	query  *fastjson.Value // the query string; nil: there is none
	header map[string]string
	status int
	inside *fastjson.Type // the body is what stands within the whole one, in a value of this type; nil: the whole
}

// open reads a message in the way in which an operation's bodies are written. v is the body where it
// was parsed already. The release has to be called when the message is no longer used.
func (d *decoder) open(m *policy.Message, v *fastjson.Value) (read message, release func(), err error) {
	read = message{v: v, header: m.Header, status: m.HTTPStatus}
	done := func() {}
	switch {
	case d.written == bodyForm || d.written == bodyQuery:
		text := m.Query
		if text == "" || d.written == bodyForm {
			text = string(m.Body)
			if v != nil {
				text = string(v.GetStringBytes())
			}
		}
		read.v, done, err = parseForm(text)
	case d.written == bodyXML && (v != nil || len(m.Body) > 0 || !d.beside):
		text := string(m.Body)
		if v != nil {
			text = string(v.GetStringBytes()) // empty where it is JSON, which is no XML
		}
		read.v, done, err = parseXML(text, &d.keys)
	case v != nil && v.Type() == fastjson.TypeString: // a raw body within a JSON string
		read.v, done, err = parse(v.GetStringBytes())
	case v != nil:
	case d.beside && len(m.Body) == 0: // all that is read may stand elsewhere
		read.v, done, err = parse([]byte("{}"))
	default:
		read.v, done, err = parse(m.Body)
	}
	if err != nil {
		return message{}, nil, err
	}
	if read.v, done, err = d.unquoted(read.v, done); err != nil {
		return message{}, nil, err
	}
	if read.v.Type() != fastjson.TypeObject {
		done()
		return message{}, nil, ErrUnreadable
	}
	if err := d.keys.check(read.v); err != nil {
		done()
		return message{}, nil, err
	}
	if done, err = d.enter(&read, done); err != nil {
		return message{}, nil, err
	}
	if len(d.queryKeys.below) == 0 {
		return read, done, nil
	}
	query, queryDone, err := parseForm(m.Query)
	if err == nil {
		if err = d.queryKeys.check(query); err != nil {
			queryDone()
		}
	}
	if err != nil {
		done()
		return message{}, nil, err
	}
	read.query = query
	return read, func() { queryDone(); done() }, nil
}

// unquoted is a body that was quoted more than once. It takes the release of what was read, and returns the
// one of all.
func (d *decoder) unquoted(v *fastjson.Value, done func()) (*fastjson.Value, func(), error) {
	for v.Type() == fastjson.TypeString && d.written == "" {
		outer := done
		inner, release, err := parse(v.GetStringBytes())
		if err != nil {
			outer()
			return nil, nil, err
		}
		v, done = inner, func() { release(); outer() }
	}
	return v, done, nil
}

// enter goes into the object in which alone the fields are, where that stands. It takes the release of what
// was read, and returns the one of both.
func (d *decoder) enter(read *message, outer func()) (release func(), err error) {
	if d.within == nil || !read.v.Exists(d.within...) {
		return outer, nil
	}
	at := read.v.Get(d.within...)
	kind := at.Type()
	inner, done, err := object(at)
	if err != nil {
		outer()
		return nil, err
	}
	read.v, read.inside = inner, &kind
	return func() { done(); outer() }, nil
}

// scalar is the value at a place of a message.
func (l *locator) scalar(m *message, orderID string) scalar {
	switch l.part {
	case inHeader:
		return scalar{text: headerOf(m.header, l.name)}
	case inQuery:
		return path{l.name}.scalar(m.query, orderID)
	case inStatus:
		if m.status > 0 {
			return scalar{text: strconv.Itoa(m.status)}
		}
	case inBody:
		return l.path.scalar(m.v, orderID)
	case inPath: // of requests only
	}
	return scalar{}
}

// headerOf looks a header up: names know no case.
func headerOf(header map[string]string, name string) string {
	if text, ok := header[name]; ok {
		return text
	}
	for known, text := range header {
		if strings.EqualFold(known, name) {
			return text
		}
	}
	return ""
}

// Headers returns those of an answer's headers that the catalogue reads, under the names that it gives
// them. It is nil where it reads none. Only they belong in a recording.
func (c *Catalog) Headers(op policy.Operation, ph policy.Phase, header map[string]string) map[string]string {
	var read map[string]string
	for _, places := range c.decoders[op][ph].at {
		for _, l := range places {
			if l.part != inHeader {
				continue
			}
			if text := headerOf(header, l.name); text != "" {
				if read == nil {
					read = map[string]string{}
				}
				read[l.name] = text
			}
		}
	}
	return read
}
