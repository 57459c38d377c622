package cron

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Schedule is an expression that was understood. Its zero value never happens.
type Schedule struct {
	minutes, hours, days, months, weekdays uint64

	anyDay, anyWeekday bool // with both given, a day that is one of them counts: crontab(5)
	everyHour          bool // the hour begins with a star: it is real time that is meant, not what clocks show
}

// field is one of the five fields of an expression.
type field struct {
	name      string
	low, high int
	words     []string // names for low, low+1, …
}

var fields = []field{
	{name: "minute", high: 59},
	{name: "hour", high: 23},
	{name: "day", low: 1, high: 31},
	{name: "month", low: 1, high: 12, words: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
	{name: "weekday", high: 7, words: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
}

var names = map[string]string{
	"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}

// Parse reads the five fields of crontab(5), or @hourly, @daily, @weekly, @monthly or @yearly. An expression that never
// comes true, such as the 30th of February, is an error.
func Parse(text string) (Schedule, error) {
	if long, known := names[text]; known {
		text = long
	}
	parts := strings.Fields(text)
	if len(parts) != len(fields) {
		return Schedule{}, fmt.Errorf("`%s` has %d fields, not %d", text, len(parts), len(fields))
	}
	var sets [5]uint64
	for i, f := range fields {
		for _, part := range strings.Split(parts[i], ",") {
			set, err := f.parse(part)
			if err != nil {
				return Schedule{}, err
			}
			sets[i] |= set
		}
	}
	s := Schedule{
		minutes: sets[0], hours: sets[1], days: sets[2], months: sets[3], weekdays: sets[4] | sets[4]>>7&1,
		anyDay: strings.HasPrefix(parts[2], "*"), anyWeekday: strings.HasPrefix(parts[4], "*"), everyHour: strings.HasPrefix(parts[1], "*"),
	}
	if s.anyWeekday && !s.possible() {
		return Schedule{}, fmt.Errorf("`%s` names days that none of its months has", text)
	}
	return s, nil
}

// possible tells whether one of the months has one of the days.
func (s Schedule) possible() bool {
	for month, length := range []int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31} {
		if s.months>>(month+1)&1 == 1 && bits.TrailingZeros64(s.days) <= length {
			return true
		}
	}
	return false
}

// parse reads one of *, 5, 1-5, */15, 1-30/2.
func (f field) parse(part string) (uint64, error) {
	span, step, stepped := strings.Cut(part, "/")
	every := 1
	if stepped {
		n, err := strconv.Atoi(step)
		if err != nil || n < 1 {
			return 0, fmt.Errorf("the %s has the step `%s`", f.name, step)
		}
		every = n
	}
	low, high := f.low, f.high
	if span != "*" {
		from, to, ranged := strings.Cut(span, "-")
		var err error
		if low, err = f.number(from); err != nil {
			return 0, err
		}
		switch {
		case ranged:
			if high, err = f.number(to); err != nil {
				return 0, err
			}
			if high < low {
				return 0, fmt.Errorf("the %s `%s` runs backwards", f.name, span)
			}
		case !stepped:
			high = low
		}
	}
	var set uint64
	for n := low; n <= high; n += every {
		set |= 1 << n
	}
	return set, nil
}

func (f field) number(text string) (int, error) {
	for i, word := range f.words {
		if strings.EqualFold(word, text) {
			return f.low + i, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.low || n > f.high {
		return 0, fmt.Errorf("the %s `%s` is not in %d-%d", f.name, text, f.low, f.high)
	}
	return n, nil
}
