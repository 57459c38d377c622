package postgres

import (
	"encoding/json"
	"time"
)

// args are a job's arguments as they are: kinds are known only when the program runs.
type args struct {
	kind string
	raw  json.RawMessage
	next *time.Time // when a try that failed is followed by another: Work tells NextRetry
}

func (a args) Kind() string { return a.kind }

func (a args) MarshalJSON() ([]byte, error) { return a.raw, nil }

func (a *args) UnmarshalJSON(b []byte) error {
	a.raw = append(json.RawMessage(nil), b...)
	a.next = new(time.Time)
	return nil
}
