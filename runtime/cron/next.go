package cron

import (
	"slices"
	"time"
)

// horizon is how far is looked: each day of the calendar has each weekday within it, also the 29th of February, which may
// be missing for eight years.
const horizon = 41 * 366

// Next gives the first time after another, by the clocks of a zone; the zero time when there is none.
func (s Schedule) Next(after time.Time, zone *time.Location) time.Time {
	local := after.In(zone)
	year, month, day := local.Date()
	// A day before, as times of a day can lie behind its end where clocks are put back at midnight.
	for i := -1; i < horizon; i++ {
		date := time.Date(year, month, day+i, 0, 0, 0, 0, time.UTC)
		if !s.on(date) {
			continue
		}
		from := 0
		switch i { // what lies before cannot come after
		case -1:
			from = 24 - turn
		case 0:
			from = max(0, local.Hour()-turn)
		}
		if at := s.first(date, from, after, zone); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// turn is more hours than clocks are put forward or back at once, but for days that are left out.
const turn = 4

// on tells whether something happens on a day at all.
func (s Schedule) on(date time.Time) bool {
	if s.months>>int(date.Month())&1 == 0 {
		return false
	}
	day, weekday := s.days>>date.Day()&1 == 1, s.weekdays>>int(date.Weekday())&1 == 1
	if s.anyDay || s.anyWeekday {
		return day && weekday
	}
	return day || weekday
}

// first gives the first time of a day after another, from an hour on; the zero time when there is none.
func (s Schedule) first(date time.Time, from int, after time.Time, zone *time.Location) (best time.Time) {
	found := -1
	for hour := from; hour < 24 && (found < 0 || hour <= found+turn); hour++ { // clocks that are put back show later times earlier
		if s.hours>>hour&1 == 0 {
			continue
		}
		for minute := range 60 {
			if s.minutes>>minute&1 == 0 {
				continue
			}
			for _, at := range s.moments(date.Add(time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute), zone) {
				if at.After(after) && (best.IsZero() || at.Before(best)) {
					best = at
					if found < 0 {
						found = hour
					}
				}
			}
		}
	}
	return best
}

// moments gives when clocks of a zone show a time, which is written here as if it were one of UTC.
func (s Schedule) moments(shown time.Time, zone *time.Location) []time.Time {
	// The offsets that hold before and after any change near that time.
	_, before := shown.Add(-26 * time.Hour).In(zone).Zone()
	_, after := shown.Add(26 * time.Hour).In(zone).Zone()
	var found []time.Time
	for _, offset := range []int{before, after} {
		at := shown.Add(-time.Duration(offset) * time.Second).In(zone)
		if _, real := at.Zone(); real == offset && !slices.ContainsFunc(found, at.Equal) {
			found = append(found, at)
		}
	}
	slices.SortFunc(found, time.Time.Compare)
	switch {
	case s.everyHour:
		return found
	case len(found) > 0:
		return found[:1]
	}
	// Clocks leave this time out: it is the moment at which they do.
	change, _ := shown.Add(-time.Duration(before) * time.Second).In(zone).ZoneBounds()
	return []time.Time{change}
}
