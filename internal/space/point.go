package space

import (
	"slices"
	"time"

	"github.com/recourse-pay/recourse/internal/condition"
	"github.com/recourse-pay/recourse/internal/region"
	"github.com/recourse-pay/recourse/policy"
)

// monday is the first day of the weeks in which points lie.
var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// Point returns a situation of a box: the plainest that it holds. Opaque parts are left to
// chance, so whoever needs them has to look whether they came out right; n makes another
// guess at them. ok is false when no time of a week suits.
func (s *Space) Point(b region.Box, zone *time.Location, n int) (sit policy.Situation, ok bool) {
	p := &policy.Payment{Provider: s.text(b, Provider), Merchant: s.text(b, Merchant), Currency: s.text(b, Currency)}
	a := &policy.Answer{}
	sit = policy.Situation{Payment: p, Answer: a}
	a.Code, a.SubCode, a.Status, a.SubStatus = s.text(b, Code), s.text(b, SubCode), s.text(b, Status), s.text(b, SubStatus)
	a.Message = s.text(b, Message)
	p.Operation, p.Capture = pick[policy.Operation](b, Operation), pick[policy.CaptureMode](b, Capture)
	a.Phase, a.Fault = pick[policy.Phase](b, Phase), pick[policy.Fault](b, Fault)
	sit.Fact = policy.Fact{
		Effect: pick[policy.Effect](b, Effect), Class: pick[policy.Class](b, Class), Stage: pick[policy.Stage](b, Stage),
		Reach: pick[policy.Reach](b, Reach), Final: pick[policy.Finality](b, Final),
	}
	sit.InDoubt = pick[uint8](b, InDoubt) == 1
	sit.Attempt, sit.Queries = int(s.number(b, Attempt, n)), int(s.number(b, Queries, n))
	sit.Elapsed, a.RetryAfter = time.Duration(s.number(b, Elapsed, n)), time.Duration(s.number(b, RetryAfter, n))
	p.Amount, a.HTTPStatus = s.number(b, Amount, n), int(s.number(b, HTTPStatus, 0))
	for _, l := range b {
		if l.Dim < fixed {
			continue
		}
		switch d := s.dims[l.Dim]; {
		case d.name == "fired" && d.kind == Number:
			sit.Fired = append(sit.Fired, policy.Count{Name: d.rule, N: int(s.number(b, l.Dim, 0))})
		case d.kind == Text:
			if p.Tags == nil {
				p.Tags = map[string]string{}
			}
			p.Tags[d.name[len("tags."):]] = s.text(b, l.Dim)
		}
	}
	sit.Fired = slices.DeleteFunc(sit.Fired, func(c policy.Count) bool { return c.N == 0 })
	sit.At, ok = s.moment(b, zone)
	return sit, ok
}

// text is the plainest text that a box leaves of a dimension: none, else a listed one.
func (s *Space) text(b region.Box, d region.Dim) string {
	set, limited := b.Of(d).(region.Texts)
	switch {
	case !limited || set.Has(""):
		return ""
	case !set.Except:
		return set.List[0]
	}
	for _, fallback := range []string{"another", "yet-another", "VND", "USD"} {
		if set.Has(fallback) {
			return fallback
		}
	}
	return "unlike-" + set.List[len(set.List)-1]
}

func pick[W ~uint8](b region.Box, d region.Dim) W {
	set, limited := b.Of(d).(region.Words)
	for i := range 64 {
		if !limited || set.Has(i) {
			return W(i)
		}
	}
	return 0
}

// number is the least number that a box leaves, a whole millisecond where that is possible.
// A free one is the least there is, or n more.
func (s *Space) number(b region.Box, d region.Dim, n int) int64 {
	set, limited := b.Of(d).(region.Ints)
	if !limited {
		return s.Full(d).(region.Ints)[0].Lo + int64(n)
	}
	v := set[0].Lo
	if s.KindOf(d) == Duration {
		const ms = int64(time.Millisecond)
		if up := v + (ms-v%ms)%ms; up >= v && set.Has(up) {
			return up
		}
	}
	return v
}

// moment finds a time of the week at which hour and weekday are as a box has them.
func (s *Space) moment(b region.Box, zone *time.Location) (time.Time, bool) {
	hours, byHour := b.Of(Hour).(region.Ints)
	days, byDay := b.Of(Weekday).(region.Words)
	if !byHour && !byDay {
		return monday, true
	}
	for i, local := range s.localTimes(zone) {
		if (!byHour || hours.Has(int64(local.hour))) && (!byDay || days.Has(int(local.weekday))) {
			return monday.Add(time.Duration(i) * momentStep), true
		}
	}
	return monday, false
}

// momentStep is between the times of a week that are tried: no zone is apart from UTC by a part of it.
const momentStep = 15 * time.Minute

// localTime is how a zone's clock reads one of them.
type localTime struct{ hour, weekday int8 }

func (s *Space) localTimes(zone *time.Location) []localTime {
	if known, ok := s.times.Load(zone); ok {
		return known.([]localTime)
	}
	all := make([]localTime, 15*96)
	for i := range all {
		at := monday.Add(time.Duration(i) * momentStep).In(zone)
		all[i] = localTime{int8(at.Hour()), int8(at.Weekday())}
	}
	s.times.Store(zone, all)
	return all
}

// Has reports whether a situation lies in a box, opaque parts left out.
func (s *Space) Has(b region.Box, sit *policy.Situation, zone *time.Location) bool {
	for _, l := range b {
		if !s.within(l, sit, zone) {
			return false
		}
	}
	return true
}

func (s *Space) within(l region.Limit, sit *policy.Situation, zone *time.Location) bool {
	switch set := l.Set.(type) {
	case region.Texts:
		return set.Has(s.textOf(l.Dim, sit))
	case region.Ints:
		return set.Has(s.numberOf(l.Dim, sit, zone))
	case region.Words:
		if s.IsOpaque(l.Dim) {
			return true
		}
		return set.Has(wordOf(l.Dim, sit, zone))
	}
	return false
}

func (s *Space) textOf(d region.Dim, sit *policy.Situation) string {
	if d >= fixed {
		return sit.Payment.Tags[s.dims[d].name[len("tags."):]]
	}
	return condition.Text(variableOf[d], sit)
}

func (s *Space) numberOf(d region.Dim, sit *policy.Situation, zone *time.Location) int64 {
	if d >= fixed {
		return int64(sit.Fired.Of(s.dims[d].rule))
	}
	return condition.Number(variableOf[d], sit, 0, zone)
}

func wordOf(d region.Dim, sit *policy.Situation, zone *time.Location) int {
	return condition.Word(variableOf[d], sit, zone)
}

// variableOf is the variable of each dimension that every situation has.
var variableOf = func() (of [fixed]condition.Variable) {
	for d := range fixed {
		of[d], _ = condition.Named(firstDims[d].name)
	}
	return of
}()
