package redact

import (
	"strings"
	"unicode"
)

// neverNamed are the names of what may not be stored after a payment, whoever asks for it: the verification
// code of a card, its PIN, its magnetic stripe. A name that holds one of them counts.
var (
	neverNamed = strings.Fields("cvv cvc cvn csc securitycode verificationcode verificationvalue pinblock track1 track2 trackdata magstripe password passwd secret privatekey")
	neverExact = strings.Fields("pin cid pan otp")
)

// plainName is a field's name as names are compared: letters and digits, in lower case.
func plainName(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, name)
}

// nameSet is the names of the fields that stay or are cut whatever the catalogue reads.
type nameSet struct{ keep, cut map[string]bool }

func newNameSet(cut, keep []string) *nameSet {
	s := &nameSet{keep: map[string]bool{}, cut: map[string]bool{}}
	for _, n := range cut {
		s.cut[plainName(n)] = true
	}
	for _, n := range keep {
		if plain := plainName(n); !never(plain) {
			s.keep[plain] = true
		}
	}
	return s
}

// may reports whether a field stays. Field is the catalogue's word for what it reads there.
func (s *nameSet) may(field, name string) bool {
	plain := plainName(name)
	return !s.cut[plain] && (field != "" || s.keep[plain])
}

func never(plain string) bool {
	for _, n := range neverExact {
		if plain == n {
			return true
		}
	}
	for _, n := range neverNamed {
		if strings.Contains(plain, n) {
			return true
		}
	}
	return false
}
