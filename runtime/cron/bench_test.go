package cron_test

import (
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/cron"
)

func BenchmarkNext(b *testing.B) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		b.Fatal(err)
	}
	for name, expression := range map[string]string{"each minute": "* * * * *", "each night": "30 2 * * *", "a leap day": "0 0 29 2 *"} {
		b.Run(name, func(b *testing.B) {
			s, err := cron.Parse(expression)
			if err != nil {
				b.Fatal(err)
			}
			at := time.Date(2026, 3, 1, 0, 0, 0, 0, zone)
			for b.Loop() {
				at = s.Next(at, zone)
			}
		})
	}
}
