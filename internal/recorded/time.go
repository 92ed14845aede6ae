package recorded

import (
	"fmt"
	"time"
)

const (
	timeForm  = "2006-01-02T15:04:05.000Z"
	microForm = "2006-01-02T15:04:05.000000Z"
)

// appendTime appends a time, to the millisecond where that is all it has.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	form := timeForm
	if t = t.UTC().Truncate(time.Microsecond); t.Nanosecond()%1e6 != 0 {
		form = microForm
	}
	return append(t.AppendFormat(append(dst, '"'), form), '"')
}

// parseTime reads RFC 3339. The common form, 2026-01-02T03:04:05.123Z, is read without the
// general parser, which costs a tenth of the time of reading a line.
func parseTime(b []byte) (time.Time, error) {
	if t, ok := parseCommonTime(b); ok {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339Nano, string(b))
	if err != nil {
		return time.Time{}, fmt.Errorf(`at is %q; it must be a time such as "2026-01-02T03:04:05.123Z"`, b)
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

func parseCommonTime(b []byte) (time.Time, bool) {
	micros, ok := Micros(b)
	if !ok {
		return time.Time{}, false
	}
	return time.UnixMicro(micros).UTC(), true
}

// Micros reads the common form of a time, in microseconds since 1970.
func Micros(b []byte) (since1970 int64, ok bool) {
	n := len(b)
	if n < 20 || n > 27 || b[n-1] != 'Z' || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	year, ok1 := digits(b[0:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	hour, ok4 := digits(b[11:13])
	minute, ok5 := digits(b[14:16])
	second, ok6 := digits(b[17:19])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || !isDate(year, month, day) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	micros, ok := fraction(b[19 : n-1])
	if !ok {
		return 0, false
	}
	seconds := ((int64(daysSince1970(year, month, day))*24+int64(hour))*60+int64(minute))*60 + int64(second)
	return seconds*1e6 + int64(micros), true
}

// fraction reads a dot and up to six digits, or nothing, as microseconds.
func fraction(b []byte) (micros int, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	if len(b) < 2 || len(b) > 7 || b[0] != '.' {
		return 0, false
	}
	if micros, ok = digits(b[1:]); !ok {
		return 0, false
	}
	for i := len(b) - 1; i < 6; i++ {
		micros *= 10
	}
	return micros, true
}

func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func isDate(year, month, day int) bool {
	if year < 1 || month < 1 || month > 12 || day < 1 {
		return false
	}
	return day <= 28 || day <= time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// daysSince1970 counts days of the Gregorian calendar, years beginning in March.
func daysSince1970(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	ofEra := year - era*400
	ofYear := (153*(month-3)+2)/5 + day - 1
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468
}
