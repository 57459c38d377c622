package config

import (
	"fmt"
	"strconv"
	"strings"
)

// cronField is one of the five fields of a cron expression.
type cronField struct {
	name      string
	low, high int
	words     []string // names for low, low+1, …
}

var cronFields = []cronField{
	{name: "minute", high: 59},
	{name: "hour", high: 23},
	{name: "day", low: 1, high: 31},
	{name: "month", low: 1, high: 12, words: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
	{name: "weekday", high: 7, words: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
}

// checkCron judges the five fields of crontab(5), and @hourly, @daily, @weekly, @monthly and @yearly.
func checkCron(text string) error {
	switch text {
	case "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually":
		return nil
	}
	fields := strings.Fields(text)
	if len(fields) != len(cronFields) {
		return fmt.Errorf("`%s` has %d fields, not %d", text, len(fields), len(cronFields))
	}
	for i, f := range cronFields {
		for _, part := range strings.Split(fields[i], ",") {
			if err := f.check(part); err != nil {
				return err
			}
		}
	}
	return nil
}

// check judges one of *, 5, 1-5, */15, 1-30/2.
func (f cronField) check(part string) error {
	span, step, stepped := strings.Cut(part, "/")
	if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1) {
		return fmt.Errorf("the %s has the step `%s`", f.name, step)
	}
	if span == "*" {
		return nil
	}
	from, to, ranged := strings.Cut(span, "-")
	low, err := f.number(from)
	if err != nil || !ranged {
		return err
	}
	high, err := f.number(to)
	if err == nil && high < low {
		err = fmt.Errorf("the %s `%s` runs backwards", f.name, span)
	}
	return err
}

func (f cronField) number(text string) (int, error) {
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
