package service

import (
	"time"

	"golang.org/x/time/rate"
)

// limits bound how many flows each merchant may begin. A caller that invents merchants neither fills the memory nor frees one of its
// limit: a limit is forgotten only when it is as good as new, and what finds no place has one limit together.
type limits struct {
	perSecond rate.Limit
	burst     int
	known     map[string]*rate.Limiter // of merchants that the rules name
	others    map[string]*rate.Limiter
	shared    *rate.Limiter // of those for whom there is no place
	swept     time.Time
}

// mostLimits is how many merchants without rules of their own have a limit each.
const mostLimits = 100_000

// sweepEvery is how often limits that are as good as new are looked for: it takes milliseconds.
const sweepEvery = 10 * time.Second

func newLimits(perSecond float64, burst int) limits {
	l := limits{perSecond: rate.Limit(perSecond), burst: max(1, burst), known: map[string]*rate.Limiter{}, others: map[string]*rate.Limiter{}}
	l.shared = l.fresh()
	return l
}

func (l *limits) fresh() *rate.Limiter { return rate.NewLimiter(l.perSecond, l.burst) }

// of is the limit of a merchant. known: the rules name it.
func (l *limits) of(merchant string, known bool, now time.Time) *rate.Limiter {
	place := l.others
	if known {
		place = l.known
	}
	if own := place[merchant]; own != nil {
		return own
	}
	if !known && len(l.others) >= mostLimits && !l.sweep(now) {
		return l.shared
	}
	own := l.fresh()
	place[merchant] = own
	return own
}

// sweep forgets the limits that are as good as new, and reports whether there is a place now.
func (l *limits) sweep(now time.Time) bool {
	if now.Sub(l.swept) < sweepEvery {
		return false
	}
	l.swept = now
	for merchant, own := range l.others {
		if own.TokensAt(now) >= float64(l.burst) {
			delete(l.others, merchant)
		}
	}
	return len(l.others) < mostLimits
}
