package access

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/recourse-pay/recourse/internal/source"
)

// LeastToken is how many characters a token has at least.
const LeastToken = 16

// Read reads a file of callers. All mistakes are one error, each with FILE:LINE:COLUMN.
func Read(path string) (*List, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat() // of the file that is read
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, source.MaxSize+1))
	if err != nil {
		return nil, err
	}
	return parse(path, text, func(plain bool) error { return guarded(info, plain) })
}

// reader reads the callers of a file.
type reader struct {
	list  *List
	errs  source.List
	names map[string]bool
	plain bool // a token stands in the file as it is
}

// parse reads callers. Guarded checks who else may read or write the file.
func parse(file string, data []byte, guarded func(plain bool) error) (*List, error) {
	doc, err := source.Parse(file, data)
	if err != nil {
		return nil, err
	}
	r := reader{list: newList(), names: map[string]bool{}}
	root := doc.Root()
	callers := root.Tables(&r.errs, "caller")
	for _, t := range callers {
		r.caller(t)
		t.Done(&r.errs)
	}
	root.Done(&r.errs)
	if len(callers) == 0 && len(r.errs.Mistakes) == 0 {
		r.errs.Add(source.Pos{File: file, Line: 1, Column: 1}, "there is no [[caller]], so that every call would be refused")
	}
	if err := guarded(r.plain); err != nil {
		r.errs.Add(source.Pos{File: file}, "%s", err)
	}
	if err := r.errs.Err(); err != nil {
		return nil, err
	}
	r.list.named = true
	return r.list, nil
}

func (r *reader) caller(t source.Table) {
	c := &Caller{name: t.String(&r.errs, "name"), merchants: map[string]bool{}}
	switch {
	case c.name == "":
		r.errs.Add(t.ValuePos("name"), "name is missing; the log names the caller by it")
	case r.names[c.name]:
		r.errs.Add(t.ValuePos("name"), "there are two callers %q", c.name)
	}
	r.names[c.name] = true
	r.may(t, c)
	r.merchants(t, c)
	hasToken := r.token(t, c)
	r.certificates(t, c, hasToken)
	if !hasToken && !t.Has("certificate") {
		r.errs.Add(t.Pos(), "the caller has neither token_sha256, nor token, nor certificate; it must have one")
	}
}

// may reads what a caller may do.
func (r *reader) may(t source.Table, c *Caller) {
	if !t.Has("may") {
		r.errs.Add(t.Pos(), "may is missing; it lists some of %s", strings.Join(verbNames, ", "))
	}
	t.Each(&r.errs, "may", func(pos source.Pos, word string) {
		i := slices.Index(verbNames, word)
		if i < 0 {
			r.errs.Add(pos, "%q is nothing that a caller may do%s", word, source.Suggest(word, slices.Clone(verbNames)))
			return
		}
		c.verbs |= 1 << i
	})
}

// merchants reads for whom a caller may act.
func (r *reader) merchants(t source.Table, c *Caller) {
	if !t.Has("merchants") {
		r.errs.Add(t.Pos(), `merchants is missing; it lists names, "" for payments without a merchant, or "*" alone for all`)
	}
	items := 0
	t.Each(&r.errs, "merchants", func(pos source.Pos, name string) {
		items++
		switch {
		case name == "*":
			c.every = true
		case strings.ContainsRune(name, '*'):
			r.errs.Add(pos, `%q: names are compared byte for byte; "*" alone stands for all merchants`, name)
		case strings.TrimSpace(name) != name || strings.ContainsFunc(name, unicode.IsControl) || strings.ContainsRune(name, utf8.RuneError):
			r.errs.Add(pos, "%q begins or ends with a space, or holds what a merchant's name cannot", name)
		case c.merchants[name]:
			r.errs.Add(pos, "%q is there twice", name)
		}
		c.merchants[name] = true
	})
	switch {
	case c.every && items > 1:
		r.errs.Add(t.ValuePos("merchants"), `"*" stands for all merchants; it must be alone`)
	case items == 0 && t.Has("merchants"):
		r.errs.Add(t.ValuePos("merchants"), "merchants names none")
	case c.verbs&Metrics != 0 && !c.every:
		r.errs.Add(t.ValuePos("may"), `the metrics are of all merchants, so that metrics needs merchants = ["*"]`)
	}
}

// token reads a caller's token, or its digest. No error repeats it.
func (r *reader) token(t source.Table, c *Caller) (has bool) {
	hashed, plain := t.Has("token_sha256"), t.Has("token")
	switch {
	case hashed && plain:
		r.errs.Add(t.KeyPos("token"), "a caller has token_sha256 or token, not both")
		_, _ = t.String(&r.errs, "token"), t.String(&r.errs, "token_sha256")
		return true
	case hashed:
		text := t.String(&r.errs, "token_sha256")
		raw, err := hex.DecodeString(text)
		if err != nil || len(raw) != sha256.Size {
			r.errs.Add(t.ValuePos("token_sha256"), "token_sha256 must be the SHA-256 of the token, 64 hexadecimal digits")
			return true
		}
		copy(c.digest[:], raw)
	case plain:
		r.plain = true
		text := t.String(&r.errs, "token")
		if why := unfit(text); why != "" {
			r.errs.Add(t.ValuePos("token"), "%s", why)
			return true
		}
		c.digest = sha256.Sum256([]byte(text))
	default:
		return false
	}
	if c.digest == sha256.Sum256(nil) { // of a variable that was empty
		r.errs.Add(t.ValuePos("token_sha256"), "token_sha256 is the digest of an empty text")
		return true
	}
	if other := r.list.add(c); other != nil {
		r.errs.Add(t.Pos(), "callers %q and %q have the same token", other.name, c.name)
	}
	return true
}

// unfit says why a text is no token; empty: it is one.
func unfit(token string) string {
	switch {
	case len(token) < LeastToken:
		return fmt.Sprintf("a token has at least %d characters", LeastToken)
	case strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }):
		return "a token is of printable ASCII without spaces, as a header can hold it"
	}
	return ""
}

// certificates reads by which names of certificates a caller is known.
func (r *reader) certificates(t source.Table, c *Caller, hasToken bool) {
	t.Each(&r.errs, "certificate", func(pos source.Pos, name string) {
		kind, rest, _ := strings.Cut(name, ":")
		switch kind {
		case "dns":
			name = strings.ToLower(name)
		case "uri":
			if u, err := url.Parse(rest); err != nil || u.Scheme == "" || u.String() != rest {
				r.errs.Add(pos, "%q is no URI as certificates have them, such as uri:spiffe://example.org/shop", name)
				return
			}
		case "cn":
		default:
			r.errs.Add(pos, "%q: a name of a certificate is dns:NAME, uri:URI, or cn:NAME of one that has no alternative names", name)
			return
		}
		if rest == "" {
			r.errs.Add(pos, "%q names nothing", name)
			return
		}
		r.list.certified = true
		c.certified = append(c.certified, name)
		if hasToken {
			return
		}
		if other := r.list.certificates[name]; other != nil {
			r.errs.Add(pos, "%q is the certificate of caller %q already", name, other.name)
			return
		}
		r.list.certificates[name] = c
	})
	if t.Has("certificate") && len(c.certified) == 0 && len(r.errs.Mistakes) == 0 {
		r.errs.Add(t.ValuePos("certificate"), "certificate names none")
	}
}

// modes that others must not have.
const (
	othersRead  fs.FileMode = 0o044
	othersWrite fs.FileMode = 0o022
)

// guarded refuses a file that others can write, or read where a token stands in it as it is.
func guarded(info fs.FileInfo, plain bool) error {
	switch mode := info.Mode().Perm(); {
	case !info.Mode().IsRegular():
		return fmt.Errorf("it is no regular file")
	case !permissioned:
		return nil
	case mode&othersWrite != 0:
		return fmt.Errorf("its permissions are %04o: others than its owner can write it; chmod go-w", mode)
	case plain && mode&othersRead != 0:
		return fmt.Errorf("its permissions are %04o and a token stands in it as it is: others than its owner can read it; chmod 600, or write token_sha256", mode)
	}
	return nil
}
