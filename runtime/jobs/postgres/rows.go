package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

var states = map[rivertype.JobState]jobs.State{
	rivertype.JobStateScheduled: jobs.Scheduled, rivertype.JobStatePending: jobs.Scheduled, rivertype.JobStateAvailable: jobs.Available, rivertype.JobStateRunning: jobs.Running,
	rivertype.JobStateRetryable: jobs.Retryable, rivertype.JobStateCompleted: jobs.Completed, rivertype.JobStateCancelled: jobs.Cancelled, rivertype.JobStateDiscarded: jobs.Dead,
}

// stateOf is what River calls a state.
func stateOf(s jobs.State) rivertype.JobState {
	if s == jobs.Dead {
		return rivertype.JobStateDiscarded
	}
	return rivertype.JobState(s)
}

// metadata is what a row knows of a job that River has no column for.
type metadata struct {
	UniqueKey   string          `json:"unique_key,omitempty"`
	UniqueUntil jobs.Until      `json:"unique_until,omitempty"`
	Cause       *jobs.Cause     `json:"cause,omitempty"`
	Progress    *jobs.Progress  `json:"progress,omitempty"`
	Output      json.RawMessage `json:"output,omitempty"`    // River's: RecordOutput
	Log         []entry         `json:"river:log,omitempty"` // River's: riverlog
}

type entry struct {
	Attempt int    `json:"attempt"`
	Log     string `json:"log"`
}

func idOf(id int64) string { return strconv.FormatInt(id, 10) }

func jobOf(row *rivertype.JobRow) jobs.Job {
	j := jobs.Job{
		ID: idOf(row.ID), Kind: row.Kind, Queue: row.Queue, State: states[row.State], Args: row.EncodedArgs, Priority: row.Priority,
		Attempt: row.Attempt, MaxAttempts: row.MaxAttempts, CreatedAt: row.CreatedAt, RunAt: row.ScheduledAt, StartedAt: row.AttemptedAt, FinishedAt: row.FinalizedAt,
	}
	for _, who := range row.AttemptedBy {
		j.Servers = append(j.Servers, strings.TrimPrefix(who, clientPrefix))
	}
	for _, e := range row.Errors {
		j.Failures = append(j.Failures, jobs.Failure{Attempt: e.Attempt, At: e.At, Error: e.Error})
	}
	var m metadata
	if json.Unmarshal(row.Metadata, &m) == nil { // another program may have put anything there
		j.UniqueKey, j.Progress, j.Result, j.Cause = m.UniqueKey, m.Progress, m.Output, m.Cause
		for _, e := range m.Log {
			j.Log = append(j.Log, jobs.Entry{Attempt: e.Attempt, Text: e.Log})
		}
	}
	if j.Cause != nil && *j.Cause == (jobs.Cause{}) {
		j.Cause = nil
	}
	return j
}

// keyOf names a job for good: its number alone may come again in a database that was restored.
func keyOf(row *rivertype.JobRow) string {
	return "job_" + idOf(row.ID) + "_" + strconv.FormatInt(row.CreatedAt.UnixMicro(), 36)
}

// missing says which queue there is not.
func missing(err error, queue string) error {
	if errors.Is(err, rivertype.ErrNotFound) {
		return fault.New(fault.NotFound, "jobs/no-queue", "there is no queue "+queue).WithHint("fraiseql jobs queues")
	}
	return err
}

// quiet gives River a logger that says less: what it calls information happens with each job.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(lower{log.Handler()}) }

type lower struct{ slog.Handler }

func (h lower) level(l slog.Level) slog.Level {
	if l == slog.LevelInfo {
		return slog.LevelDebug
	}
	return l
}

func (h lower) Enabled(ctx context.Context, l slog.Level) bool {
	return h.Handler.Enabled(ctx, h.level(l))
}

func (h lower) Handle(ctx context.Context, r slog.Record) error {
	r.Level = h.level(r.Level)
	return h.Handler.Handle(ctx, r)
}

func (h lower) WithAttrs(a []slog.Attr) slog.Handler { return lower{h.Handler.WithAttrs(a)} }
func (h lower) WithGroup(name string) slog.Handler   { return lower{h.Handler.WithGroup(name)} }

// near is how far ahead a job may be due and be available at once: River's leader looks for scheduled ones every 5 seconds.
const near = 10 * time.Second
