package templates

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones are the same on every machine
)

// dateParts are what a layout is made of, longest first; the names are those of moment.js and day.js. What is not in here
// is written as it is, but letters have to be in [brackets].
var dateParts = []struct {
	name   string
	format func(t time.Time) string
}{
	{"YYYY", func(t time.Time) string { return fmt.Sprintf("%04d", t.Year()) }},
	{"YY", layout("06")},
	{"MMMM", layout("January")},
	{"MMM", layout("Jan")},
	{"MM", layout("01")},
	{"M", layout("1")},
	{"DD", layout("02")},
	{"D", layout("2")},
	{"dddd", layout("Monday")},
	{"ddd", layout("Mon")},
	{"HH", layout("15")},
	{"H", func(t time.Time) string { return strconv.Itoa(t.Hour()) }},
	{"hh", layout("03")},
	{"h", layout("3")},
	{"mm", layout("04")},
	{"m", layout("4")},
	{"SSS", func(t time.Time) string { return fmt.Sprintf("%03d", t.Nanosecond()/1e6) }},
	{"ss", layout("05")},
	{"s", layout("5")},
	{"A", layout("PM")},
	{"a", layout("pm")},
	{"ZZ", layout("-0700")},
	{"Z", layout("-07:00")},
}

func layout(goLayout string) func(time.Time) string {
	return func(t time.Time) string { return t.Format(goLayout) }
}

// formatted writes a time by a layout; ok is false where the layout has letters that are no part of one.
func formatted(t time.Time, layout string) (made string, ok bool) {
	var b strings.Builder
	for layout != "" {
		if inner, rest, closed := strings.Cut(layout[1:], "]"); layout[0] == '[' && closed {
			b.WriteString(inner)
			layout = rest
			continue
		}
		i := slices.IndexFunc(dateParts, func(p struct {
			name   string
			format func(time.Time) string
		},
		) bool {
			return strings.HasPrefix(layout, p.name)
		})
		switch c := layout[0]; {
		case i >= 0:
			b.WriteString(dateParts[i].format(t))
			layout = layout[len(dateParts[i].name):]
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			return "", false
		default:
			b.WriteByte(c)
			layout = layout[1:]
		}
	}
	return b.String(), true
}

const layoutHint = "it is made of YYYY YY MMMM MMM MM M DD D dddd ddd HH H hh h mm m ss s SSS A a Z ZZ; other letters go in [brackets]"

// judgeDate refuses layouts and zones that stand in the template and are none.
func judgeDate(p *parser, c *call) error {
	if written, ok := c.params[1].literal.(string); ok {
		if _, ok := formatted(time.Time{}, written); !ok {
			return p.problem(c.params[1].at, "arguments", "this is no layout of dates").try("%s", layoutHint)
		}
	}
	for _, pair := range c.hash {
		if name, ok := pair.value.literal.(string); ok && zoneOf(name) == nil {
			return p.problem(pair.value.at, "arguments", "there is no time zone %q", name).try("write one as Europe/Paris")
		}
	}
	return nil
}

var zones sync.Map // what has been loaded, by its name

func zoneOf(name string) *time.Location {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location)
	}
	z, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil
	}
	zones.Store(name, z)
	return z
}

// timeLayouts are how JSON of PostgreSQL has times, with a space in place of the T as well. What has no offset is of the
// zone that is asked for: a date stays the day that it is.
var timeLayouts = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z07", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02",
}

func date(r *renderer, c *call, given []any, hash map[string]any) (any, error) {
	written := textOf(given[0])
	if written == "" {
		return "", nil
	}
	zone := r.options.Zone
	if name, ok := hash["zone"]; ok {
		if zone = zoneOf(textOf(name)); zone == nil {
			return nil, r.problem(c.at, "arguments", "there is no time zone %q", textOf(name))
		}
	}
	if len(written) > 10 && written[10] == ' ' {
		written = written[:10] + "T" + written[11:]
	}
	for _, known := range timeLayouts {
		t, err := time.ParseInLocation(known, written, zone)
		if err != nil {
			continue
		}
		made, ok := formatted(t.In(zone), textOf(given[1]))
		if !ok {
			return nil, r.problem(c.params[1].at, "arguments", "%q is no layout of dates", textOf(given[1])).try("%s", layoutHint)
		}
		return made, nil
	}
	return nil, r.problem(c.params[0].at, "data", "%q is no date", textOf(given[0]))
}
