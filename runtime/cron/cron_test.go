package cron_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/cron"
)

const form = "2006-01-02T15:04:05Z07:00"

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestNext has what a calendar and the changes of clocks say, written by hand.
func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression, zone, after string
		want                    string // the next ones, by spaces
	}{
		{"0 3 * * *", "UTC", "2026-01-31T03:00:00Z", "2026-02-01T03:00:00Z 2026-02-02T03:00:00Z"},
		{"*/15 9-10 * * 1-5", "UTC", "2026-01-30T10:45:00Z", "2026-02-02T09:00:00Z 2026-02-02T09:15:00Z"},
		{"0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z"},
		{"0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"0 0 13 * 5", "UTC", "2026-02-01T00:00:00Z", "2026-02-06T00:00:00Z 2026-02-13T00:00:00Z 2026-02-20T00:00:00Z 2026-02-27T00:00:00Z 2026-03-06T00:00:00Z"}, // either
		{"0 0 */2 * 5", "UTC", "2026-02-01T00:00:00Z", "2026-02-13T00:00:00Z 2026-02-27T00:00:00Z"},                                                               // both: the day begins with a star
		{"0 12 * * 7", "UTC", "2026-02-01T12:00:00Z", "2026-02-08T12:00:00Z"},
		{"0 12 * * SUN", "UTC", "2026-02-01T12:00:00Z", "2026-02-08T12:00:00Z"},
		{"30 5/6 * JAN,dec *", "UTC", "2026-01-31T17:30:00Z", "2026-01-31T23:30:00Z 2026-12-01T05:30:00Z"},
		{"@yearly", "Asia/Kolkata", "2026-06-01T00:00:00Z", "2027-01-01T00:00:00+05:30"},
		// Paris puts clocks forward on 2026-03-29: 02:00 is 03:00.
		{"30 2 * * *", "Europe/Paris", "2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00 2026-03-30T02:30:00+02:00"},
		{"0,30 2 * * *", "Europe/Paris", "2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00 2026-03-30T02:00:00+02:00"},
		{"0 2,3 * * *", "Europe/Paris", "2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00 2026-03-30T02:00:00+02:00"},
		{"30 * * * *", "Europe/Paris", "2026-03-29T01:00:00+01:00", "2026-03-29T01:30:00+01:00 2026-03-29T03:30:00+02:00 2026-03-29T04:30:00+02:00"},
		// and back on 2026-10-25: 03:00 is 02:00.
		{"30 2 * * *", "Europe/Paris", "2026-10-24T03:00:00+02:00", "2026-10-25T02:30:00+02:00 2026-10-26T02:30:00+01:00"},
		{"30 2 * * *", "Europe/Paris", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		{"30 */1 * * *", "Europe/Paris", "2026-10-25T01:30:00+02:00", "2026-10-25T02:30:00+02:00 2026-10-25T02:30:00+01:00 2026-10-25T03:30:00+01:00"},
		{"*/30 * * * *", "Europe/Paris", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00 2026-10-25T02:30:00+01:00 2026-10-25T03:00:00+01:00"},
		// New York forward on 2026-03-08, back on 2026-11-01.
		{"0 2 * * *", "America/New_York", "2026-03-07T02:00:00-05:00", "2026-03-08T03:00:00-04:00 2026-03-09T02:00:00-04:00"},
		{"15 1 * * *", "America/New_York", "2026-10-31T02:00:00-04:00", "2026-11-01T01:15:00-04:00 2026-11-02T01:15:00-05:00"},
		// Lord Howe's change is half an hour: forward on 2026-10-04 at 02:00, back on 2026-04-05 at 02:00 to 01:30.
		{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T02:15:00+10:30", "2026-10-04T02:30:00+11:00 2026-10-05T02:15:00+11:00"},
		{"45 1 * * *", "Australia/Lord_Howe", "2026-04-04T02:00:00+11:00", "2026-04-05T01:45:00+11:00 2026-04-06T01:45:00+10:30"},
		// Sao Paulo left midnight out on 2018-11-04, and had it twice on 2018-02-18 (00:00 became 23:00 of the day before).
		{"0 0 * * *", "America/Sao_Paulo", "2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00 2018-11-05T00:00:00-02:00"},
		{"30 23 * * 6", "America/Sao_Paulo", "2018-02-17T12:00:00-02:00", "2018-02-17T23:30:00-02:00 2018-02-24T23:30:00-03:00"},
		{"30 * * * 6", "America/Sao_Paulo", "2018-02-17T23:30:00-02:00", "2018-02-17T23:30:00-03:00 2018-02-24T00:30:00-03:00"},
		// Samoa left out the whole of 2011-12-30.
		{"0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00 2011-12-31T12:00:00+14:00"},
	} {
		s, err := cron.Parse(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		at, err := time.Parse(form, c.after)
		if err != nil {
			t.Fatal(err)
		}
		z := zone(t, c.zone)
		var got []string
		for range strings.Fields(c.want) {
			at = s.Next(at, z)
			got = append(got, at.In(z).Format(form))
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s in %s after %s:\n%s, want\n%s", c.expression, c.zone, c.after, text, c.want)
		}
	}
}

// TestEachDayOnce goes through thirty years of a zone: what is meant once a day happens once a day.
func TestEachDayOnce(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran"} {
		z := zone(t, name)
		for _, expression := range []string{"30 2 * * *", "0 0 * * *", "59 23 * * *"} {
			s, err := cron.Parse(expression)
			if err != nil {
				t.Fatal(err)
			}
			at := time.Date(1999, 12, 31, 23, 59, 0, 0, z)
			days := 0
			for end := time.Date(2029, 12, 31, 23, 59, 30, 0, z); ; days++ {
				next := s.Next(at, z)
				if gap := next.Sub(at); gap < 22*time.Hour && days > 0 || gap > 26*time.Hour {
					t.Fatalf("%s in %s: %s after %s", expression, name, next.In(z), at.In(z))
				}
				if next.After(end) {
					break
				}
				at = next
			}
			if days < 10957 || days > 10958 { // thirty years, and perhaps the evening that it began in
				t.Errorf("%s in %s: %d times in thirty years", expression, name, days)
			}
		}
	}
}

func TestBadExpressions(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"* * * *":        "`* * * *` has 4 fields, not 5",
		"60 * * * *":     "the minute `60` is not in 0-59",
		"*/0 * * * *":    "the minute has the step `0`",
		"0 5-3 * * *":    "the hour `5-3` runs backwards",
		"0 0 30 2 *":     "`0 0 30 2 *` names days that none of its months has",
		"0 0 31 4,6 *":   "`0 0 31 4,6 *` names days that none of its months has",
		"0 0 * FOO *":    "the month `FOO` is not in 1-12",
		"0 0 * * 8":      "the weekday `8` is not in 0-7",
		"@never":         "`@never` has 1 fields, not 5",
		"0 0 1,32 * *":   "the day `32` is not in 1-31",
		"0 0 -1 * *":     "the day `` is not in 1-31",
		"1.5 * * * *":    "the minute `1.5` is not in 0-59",
		"0 0 1 1 * 2026": "`0 0 1 1 * 2026` has 6 fields, not 5",
	} {
		if _, err := cron.Parse(expression); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", expression, err, want)
		}
	}
}
