package access

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
	"time"
)

// Verb is a kind of calls. Several are joined by |.
type Verb uint8

// The verbs.
const (
	Decide   Verb = 1 << iota // ask for decisions, explanations and codes
	Flows                     // begin payments, take their steps, report, withdraw
	Webhooks                  // hand in webhooks
	Look                      // see flows by the admin handler
	Settle                    // resolve and withdraw them
	Metrics                   // read the metrics, which are of all merchants
)

// verbNames are the verbs in the order of their bits.
var verbNames = []string{"decide", "flows", "webhooks", "look", "settle", "metrics"}

// String lists the verbs.
func (v Verb) String() string {
	var all []string
	for i, name := range verbNames {
		if v&(1<<i) != 0 {
			all = append(all, name)
		}
	}
	return strings.Join(all, ", ")
}

const (
	programs = Decide | Flows | Webhooks | Metrics // what a token of programs opens
	people   = Look | Settle
)

// Caller is one that may call. It does not change.
type Caller struct {
	name      string
	verbs     Verb
	every     bool            // merchant
	merchants map[string]bool // where it is not every one
	digest    [sha256.Size]byte
	certified []string // names of certificates: one of them must be shown; none: no certificate counts
	unknown   bool     // it has shown nothing that is listed
}

// Name is for the log.
func (c *Caller) Name() string { return c.name }

// May reports whether the caller may make calls of a verb.
func (c *Caller) May(v Verb) bool { return c.verbs&v == v }

// Verbs are all that it may.
func (c *Caller) Verbs() Verb { return c.verbs }

// Of reports whether the caller may act for a merchant. Names are compared byte for byte, as the journal compares them.
func (c *Caller) Of(merchant string) bool { return c.every || c.merchants[merchant] }

// OfAll reports whether the caller may act for every merchant.
func (c *Caller) OfAll() bool { return c.every }

// Unknown reports whether the caller has shown nothing that is listed, and is let in nevertheless.
func (c *Caller) Unknown() bool { return c.unknown }

// List is who may call. It does not change.
type List struct {
	salt         [16]byte
	tokens       map[[sha256.Size]byte]*Caller // by salted digest
	certificates map[string]*Caller            // without a token
	rest         *Caller                       // who shows nothing that is listed; nil: it is refused
	certified    bool                          // a caller is known by a certificate
	named        bool                          // it was read from a file, which names each
}

func newList() *List {
	l := &List{tokens: map[[sha256.Size]byte]*Caller{}, certificates: map[string]*Caller{}}
	_, _ = rand.Read(l.salt[:]) // it cannot fail
	return l
}

// Simple is the list of one token for programs and one for people; empty: there is none. Each opens every merchant. Without a token for
// programs whoever reaches the service may do what programs may.
func Simple(token, admin string) *List {
	l := newList()
	if token != "" {
		l.add(&Caller{name: "the token of programs", verbs: programs, every: true, digest: sha256.Sum256([]byte(token))})
	} else {
		l.rest = &Caller{name: "whoever reaches the service", verbs: programs, every: true, unknown: true}
	}
	if admin != "" {
		l.add(&Caller{name: "the token of people", verbs: people, every: true, digest: sha256.Sum256([]byte(admin))})
	}
	return l
}

// add adds a caller that has a token. It returns the one that has the same.
func (l *List) add(c *Caller) (other *Caller) {
	at := l.salted(c.digest)
	if other := l.tokens[at]; other != nil {
		return other
	}
	l.tokens[at] = c
	return nil
}

// salted is by what a token is found: the time of a look into a map says nothing about the digests of the file then.
func (l *List) salted(digest [sha256.Size]byte) [sha256.Size]byte {
	var text [len(l.salt) + sha256.Size]byte
	copy(text[:], l.salt[:])
	copy(text[len(l.salt):], digest[:])
	return sha256.Sum256(text[:])
}

// Open reports whether callers that show nothing are let in.
func (l *List) Open() bool { return l.rest != nil }

// Certified reports whether a caller of the list is known by a certificate.
func (l *List) Certified() bool { return l.certified }

// Named reports whether each caller has a name of its own.
func (l *List) Named() bool { return l.named }

// Any reports whether a caller may make calls of one of the verbs.
func (l *List) Any(v Verb) bool {
	for _, c := range l.tokens {
		if c.verbs&v != 0 {
			return true
		}
	}
	for _, c := range l.certificates {
		if c.verbs&v != 0 {
			return true
		}
	}
	return false
}

// Find is the caller of a request with a header Authorization and a verified certificate, which may be nil. A token that is given decides; a
// caller with names of certificates must show one of them as well. Nil: the request is refused.
func (l *List) Find(authorization string, leaf *x509.Certificate) *Caller {
	if leaf != nil && time.Now().After(leaf.NotAfter) { // a connection outlives it
		leaf = nil
	}
	if token, ok := strings.CutPrefix(authorization, "Bearer "); ok {
		digest := sha256.Sum256([]byte(token))
		c := l.tokens[l.salted(digest)]
		if c == nil || subtle.ConstantTimeCompare(c.digest[:], digest[:]) != 1 || len(c.certified) > 0 && !c.shows(leaf) {
			return l.rest
		}
		return c
	}
	if c := l.byCertificate(leaf); c != nil {
		return c
	}
	return l.rest
}

// byCertificate is the one caller that has a name of a certificate. One that has the names of two callers is neither's.
func (l *List) byCertificate(leaf *x509.Certificate) (found *Caller) {
	if len(l.certificates) == 0 {
		return nil
	}
	for _, name := range namesOf(leaf) {
		c := l.certificates[name]
		if c != nil && found != nil && c != found {
			return nil
		}
		if c != nil {
			found = c
		}
	}
	return found
}

func (c *Caller) shows(leaf *x509.Certificate) bool {
	for _, name := range namesOf(leaf) {
		for _, own := range c.certified {
			if own == name {
				return true
			}
		}
	}
	return false
}

// alternativeNames is the extension of a certificate that holds them.
var alternativeNames = asn1.ObjectIdentifier{2, 5, 29, 17}

// commonName is the attribute of a subject.
var commonName = asn1.ObjectIdentifier{2, 5, 4, 3}

// namesOf are the names of a certificate, as the file writes them. The subject's common name counts only where there is no other, also none of
// a kind that is not read, as a user's principal name: who signs certificates by their alternative names may let the subject be anything.
func namesOf(leaf *x509.Certificate) (all []string) {
	if leaf == nil {
		return nil
	}
	for _, name := range leaf.DNSNames {
		all = append(all, "dns:"+strings.ToLower(name))
	}
	for _, name := range leaf.URIs {
		all = append(all, "uri:"+name.String())
	}
	if slices.ContainsFunc(leaf.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(alternativeNames) }) {
		return all
	}
	var subject []string
	for _, a := range leaf.Subject.Names {
		if a.Type.Equal(commonName) {
			name, _ := a.Value.(string)
			subject = append(subject, name)
		}
	}
	if len(subject) == 1 && subject[0] != "" { // of several each reader takes another
		all = append(all, "cn:"+subject[0])
	}
	return all
}
