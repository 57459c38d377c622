package conditions

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// moment is a point in time, or an infinity.
type moment struct {
	infinite int // -1 and 1 are the infinities
	seconds  int64
	nanos    int
}

func (m moment) compare(o moment) int {
	return cmp.Or(cmp.Compare(m.infinite, o.infinite), cmp.Compare(m.seconds, o.seconds), cmp.Compare(m.nanos, o.nanos))
}

// momentOf reads a date, a timestamp or a timestamptz in the ISO form that PostgreSQL writes into JSON, with a T or a
// space: 2024-05-01, 2024-05-01T12:30, 2024-05-01 12:30:00.5+02, 0044-03-15 BC, infinity. A time without an offset is one
// of UTC, and a date is its midnight in UTC.
func momentOf(text string) (moment, bool) {
	switch text {
	case "infinity":
		return moment{infinite: 1}, true
	case "-infinity":
		return moment{infinite: -1}, true
	}
	text, before := strings.CutSuffix(text, " BC")
	date, clock := text, ""
	if i := strings.IndexAny(text, "T "); i >= 0 {
		date, clock = text[:i], text[i+1:]
		if clock == "" {
			return moment{}, false
		}
	}
	year, month, day, ok := calendar(date)
	if !ok {
		return moment{}, false
	}
	if before {
		year = 1 - year
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Month() != time.Month(month) || t.Day() != day {
		return moment{}, false
	}
	m := moment{seconds: t.Unix()}
	if clock == "" {
		return m, true
	}
	seconds, nanos, ok := timeOfDay(clock)
	m.seconds, m.nanos = m.seconds+int64(seconds), nanos
	return m, ok
}

func calendar(date string) (year, month, day int, ok bool) {
	parts := strings.Split(date, "-")
	if len(parts) != 3 || len(parts[0]) < 4 || len(parts[0]) > 6 {
		return 0, 0, 0, false
	}
	year, okYear := digits(parts[0], len(parts[0]), 294276)
	month, okMonth := digits(parts[1], 2, 12)
	day, okDay := digits(parts[2], 2, 31)
	return year, month, day, okYear && okMonth && okDay && month > 0 && day > 0
}

// timeOfDay gives the seconds since the midnight of UTC, which are outside of the day where the offset makes them so.
func timeOfDay(clock string) (seconds, nanos int, ok bool) {
	offset := 0
	if i := strings.IndexAny(clock, "Z+-"); i >= 0 {
		if offset, ok = zone(clock[i:]); !ok {
			return 0, 0, false
		}
		clock = clock[:i]
	}
	clock, fraction, fractional := strings.Cut(clock, ".")
	if fractional {
		if len(fraction) == 0 || len(fraction) > 9 {
			return 0, 0, false
		}
		if nanos, ok = digits(fraction+"000000000"[len(fraction):], 9, 999_999_999); !ok {
			return 0, 0, false
		}
	}
	seconds, fields, ok := sexagesimal(clock, 24)
	if !ok || fields < 2 || fractional && fields < 3 {
		return 0, 0, false
	}
	return seconds - offset, nanos, true
}

// zone reads Z, +02, -05:30 and +00:19:32, east being positive.
func zone(text string) (seconds int, ok bool) {
	if text == "Z" {
		return 0, true
	}
	seconds, _, ok = sexagesimal(text[1:], 15)
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, ok && text[0] != 'Z'
}

// sexagesimal reads hours, minutes and seconds, of which the last may be absent.
func sexagesimal(text string, hours int) (seconds, fields int, ok bool) {
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return 0, 0, false
	}
	for i, part := range parts {
		most := 59
		if i == 0 {
			most = hours
		}
		n, ok := digits(part, 2, most)
		if !ok {
			return 0, 0, false
		}
		seconds += n * [...]int{3600, 60, 1}[i]
	}
	return seconds, len(parts), seconds <= 24*3600
}

func digits(text string, width, most int) (int, bool) {
	if len(text) != width || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n <= most
}

// hasZone tells whether a text is a timestamp with an offset, which only a point in time is written as.
func hasZone(text string) bool {
	_, ok := momentOf(text)
	return ok && len(text) > len("2024-05-01T") && strings.ContainsAny(text[len("2024-05-01T"):], "Z+-")
}
