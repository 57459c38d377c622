package redis

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/jobs"
)

// envelope is the payload of a task.
type envelope struct {
	V         int             `json:"v"` // of this form: 1
	Args      json.RawMessage `json:"args"`
	RunAt     time.Time       `json:"run_at,omitzero"`
	UniqueKey string          `json:"unique_key,omitempty"`
	Cause     *jobs.Cause     `json:"cause,omitempty"`
}

// payload takes it out of asynq's message, which is a protobuf message with the payload as its second field.
func payload(message string) []byte {
	b := []byte(message)
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return nil
		}
		b = b[n:]
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return nil
		}
		b = b[n:]
		if tag&7 == 0 { // a number
			continue
		}
		if tag&7 != 2 || v > uint64(len(b)) {
			return nil
		}
		if tag>>3 == 2 {
			return b[:v]
		}
		b = b[v:]
	}
	return nil
}

// asynq's names of states, as far as they are ours at once.
var states = map[string]jobs.State{
	"pending": jobs.Available, "active": jobs.Running, "scheduled": jobs.Scheduled, "retry": jobs.Retryable, "archived": jobs.Dead, "completed": jobs.Completed,
}

// failure and entry are lines of the fields failures and log.
type failure struct {
	Attempt int    `json:"attempt"`
	At      int64  `json:"at"` // microseconds
	Error   string `json:"error"`
}

type entry struct {
	Attempt int    `json:"attempt"`
	Text    string `json:"text"`
}

// lines reads a field of JSON values, each on a line.
func lines[T any](field string) []T {
	var all []T
	for line := range strings.Lines(field) {
		var one T
		if json.Unmarshal([]byte(line), &one) == nil { // another program may have put anything there
			all = append(all, one)
		}
	}
	return all
}

// line makes one more.
func line(v any) string {
	text, _ := json.Marshal(v) // of structs of texts and numbers
	return string(text) + "\n"
}

// jobOf reads a task's hash.
func jobOf(id, queue string, fields map[string]string) jobs.Job {
	var e envelope
	_ = json.Unmarshal(payload(fields["msg"]), &e) // another program may have put anything there
	name, priority, _ := strings.Cut(queue, ":")
	j := jobs.Job{
		ID: id, Kind: fields["kind"], Queue: name, State: states[fields["state"]], Args: e.Args, Priority: number(priority),
		Attempt: number(fields["attempt"]), MaxAttempts: number(fields["max"]), StartedAt: at(fields["started"]), FinishedAt: at(fields["finished"]),
		Servers: strings.Fields(fields["servers"]), UniqueKey: e.UniqueKey, Cause: e.Cause,
	}
	if created := at(fields["created"]); created != nil {
		j.CreatedAt, j.RunAt = *created, *created
	}
	switch {
	case fields["due"] != "":
		seconds, _ := strconv.ParseFloat(fields["due"], 64)
		j.RunAt = time.UnixMicro(int64(seconds * 1e6))
	case !e.RunAt.IsZero():
		j.RunAt = e.RunAt
	}
	switch {
	case j.State == jobs.Retryable && fields["snoozed"] != "":
		j.State = jobs.Scheduled
	case j.State == jobs.Completed && fields["cancelled"] != "":
		j.State = jobs.Cancelled
	}
	if text := fields["result"]; text != "" {
		j.Result = json.RawMessage(text)
	}
	if text := fields["progress"]; text != "" {
		j.Progress = new(jobs.Progress)
		_ = json.Unmarshal([]byte(text), j.Progress) // written by report
	}
	for _, f := range lines[failure](fields["failures"]) {
		j.Failures = append(j.Failures, jobs.Failure{Attempt: f.Attempt, At: time.UnixMicro(f.At), Error: f.Error})
	}
	for _, l := range lines[entry](fields["log"]) {
		j.Log = append(j.Log, jobs.Entry{Attempt: l.Attempt, Text: l.Text})
	}
	return j
}

func number(text string) int {
	n, _ := strconv.Atoi(cmp.Or(text, "0"))
	return n
}

// at reads microseconds.
func at(text string) *time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil
	}
	t := time.UnixMicro(n)
	return &t
}
