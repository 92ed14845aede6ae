package verify

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/policy"
)

// Time is explored, not sampled. What a flow does depends on how old its sends are compared
// with a few fixed ages. The model keeps for each send the region between two of these ages,
// and the adversary lets any send pass into the next region. Waits are left out: an event may
// arrive at once or after any time. A proof therefore holds for every schedule, every jitter
// and every late process.

// ageClass is the index of the greatest age of clock.cuts that has been reached.
type ageClass uint8

// The roles in which the age of a send matters, as bits.
const (
	roleFirst = 1 << iota // the first send of an identity: may it be repeated?
	roleLast              // the last one: has it arrived, is a "not found" a proof?
	roleStart             // the flow's first send: limits and elapsed
	roleCopy              // a request on its way
)

// clock holds the ages that matter.
type clock struct {
	cuts  []time.Duration // sorted; the first is 0
	roles []uint8         // by cut: the roles that it matters for

	arrivalOver   ageClass // a request of this age no longer arrives; 0: none
	absenceProved ageClass // a "not found" is a proof from this age on; 0: never
}

func newClock(t *policy.Terms, elapsed []int64, coarse bool) *clock {
	c := &t.Contract
	of := map[time.Duration]uint8{0: roleFirst | roleLast | roleStart | roleCopy}
	add := func(d time.Duration, role uint8) {
		if d > 0 {
			of[d] |= role
		}
	}
	if !coarse { // the coarse model lets any event arrive after the flow's time
		add(t.Limits.MaxElapsed, roleStart)
		for _, e := range elapsed {
			add(time.Duration(e), roleStart)
		}
	}
	if c.DedupeWindow > 0 && !coarse { // the coarse model lets the window end at any event
		add(repeatWindow(c), roleFirst)
	}
	add(c.NotFoundAfter, roleLast)
	if c.ArrivalGrace > 0 && c.NotFoundAfter > 0 { // without the one the other proves no absence
		add(c.CallTimeout()+c.ArrivalGrace, roleLast|roleCopy)
	}
	k := &clock{}
	for d := range of {
		k.cuts = append(k.cuts, d)
	}
	slices.Sort(k.cuts)
	for i, d := range k.cuts {
		k.roles = append(k.roles, of[d])
		if c.ArrivalGrace > 0 && c.NotFoundAfter > 0 && d == c.CallTimeout()+c.ArrivalGrace {
			k.arrivalOver = ageClass(i)
		}
		if d == c.NotFoundAfter && d > 0 {
			k.absenceProved = ageClass(i)
		}
	}
	return k
}

// repeatWindow is the age up to which a request in doubt may be repeated.
func repeatWindow(c *policy.Contract) time.Duration {
	return c.DedupeWindow - c.CallTimeout() - c.ArrivalGrace
}

// next returns the next age that matters for any of the roles. The result ok is false after the
// last.
func (k *clock) next(r ageClass, roles uint8) (ageClass, bool) {
	for i := int(r) + 1; i < len(k.cuts); i++ {
		if k.roles[i]&roles != 0 {
			return ageClass(i), true
		}
	}
	return r, false
}

// round lowers a region to the last age that matters for any of the roles.
func (k *clock) round(r ageClass, roles uint8) ageClass {
	for r > 0 && k.roles[r]&roles == 0 {
		r--
	}
	return r
}

// age returns the age at which a region begins.
func (k *clock) age(r ageClass) time.Duration { return k.cuts[r] }

// upper returns the age at which a region ends, and the longest duration for the last region.
func (k *clock) upper(r ageClass, roles uint8) time.Duration {
	if n, ok := k.next(r, roles); ok {
		return k.cuts[n]
	}
	return 1<<63 - 1
}
