package commands

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

func newJobsCommand(env *Env) *cobra.Command {
	c := &cobra.Command{
		Use: "jobs", Short: "Work that is done later, elsewhere, or again and again",
		Example: "  fraiseql jobs list --state running\n  fraiseql jobs enqueue report --args '{\"month\": 7}' --wait\n  fraiseql jobs dead\n  fraiseql jobs retry --all-dead --kind report\n  fraiseql jobs pause mail",
	}
	c.AddCommand(newJobsList(env), newJobsShow(env), newJobsEnqueue(env), newJobsRetry(env),
		newJobsOne(env, "cancel", "End jobs; those that run are told to stop", (*jobs.Service).Cancel),
		newJobsOne(env, "delete", "Forget jobs that do not run", (*jobs.Service).Delete),
		newJobsTurn(env, "pause", "Have no server begin jobs of a queue", (*jobs.Service).Pause, true), newJobsTurn(env, "resume", "Let servers begin jobs of a queue again", (*jobs.Service).Resume, false),
		newJobsQueues(env), newJobsSchedules(env), newJobsRun(env), newJobsDead(env))
	return c
}

// withJobs opens the program for its jobs.
func (e *Env) withJobs(ctx context.Context, work func(s *jobs.Service) error) error {
	a, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	s, err := a.JobsFor()
	if err == nil {
		err = work(s)
	}
	return orMigrate(ctx, err)
}

// listed is how jobs stand in a table.
func listed(all []jobs.Job) listing {
	l := listing{head: []string{"ID", "KIND", "QUEUE", "STATE", "TRIES", "WHEN", "ERROR"}, value: all}
	for _, j := range all {
		when, trouble := j.RunAt, ""
		if j.FinishedAt != nil {
			when = *j.FinishedAt
		}
		if n := len(j.Failures); n > 0 && (j.State == jobs.Retryable || j.State == jobs.Dead || j.State == jobs.Cancelled) {
			trouble = oneLine(j.Failures[n-1].Error)
		}
		l.rows = append(l.rows, []string{j.ID, j.Kind, j.Queue, string(j.State), fmt.Sprintf("%d/%d", j.Attempt, j.MaxAttempts), when.UTC().Format(time.RFC3339), trouble})
	}
	return l
}

func newJobsList(env *Env) *cobra.Command {
	var f jobs.Filter
	c := newJobsOf(env, &f)
	c.Use, c.Short = "list", "List jobs, the newest first"
	c.Flags().StringVar((*string)(&f.State), "state", "", "only scheduled, available, running, retryable, completed, cancelled or dead")
	return c
}

func newJobsDead(env *Env) *cobra.Command {
	c := newJobsOf(env, &jobs.Filter{State: jobs.Dead})
	c.Use, c.Short = "dead", "List jobs that failed for the last time, the newest first"
	return c
}

// newJobsOf lists the jobs that f and the flags leave.
func newJobsOf(env *Env, f *jobs.Filter) *cobra.Command {
	c := &cobra.Command{
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.withJobs(cmd.Context(), func(s *jobs.Service) error {
				all, err := s.List(cmd.Context(), *f)
				if err != nil {
					return err
				}
				return env.print(listed(all))
			})
		},
	}
	c.Flags().StringVar(&f.Kind, "kind", "", "only of this kind")
	c.Flags().StringVar(&f.Queue, "queue", "", "only of this queue")
	c.Flags().StringVar(&f.Before, "before", "", "those before this id")
	c.Flags().IntVar(&f.Limit, "limit", 50, "at most so many")
	return c
}

func newJobsShow(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show all that is known of a job", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.withJobs(cmd.Context(), func(s *jobs.Service) error {
				j, err := s.Get(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return env.print(shown(j))
			})
		},
	}
}

// shown is a job in lines of its own.
func shown(j jobs.Job) listing {
	l := listing{head: []string{"ID", j.ID}, value: j, name: 1}
	add := func(name, value string) {
		if value != "" {
			l.rows = append(l.rows, []string{name, value})
		}
	}
	moment := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	add("KIND", j.Kind)
	add("QUEUE", j.Queue)
	add("STATE", string(j.State))
	add("TRIES", fmt.Sprintf("%d of %d", j.Attempt, j.MaxAttempts))
	add("PRIORITY", strconv.Itoa(j.Priority))
	add("ARGS", string(j.Args))
	add("UNIQUE KEY", j.UniqueKey)
	add("CREATED", moment(&j.CreatedAt))
	add("DUE", moment(&j.RunAt))
	add("STARTED", moment(j.StartedAt))
	add("FINISHED", moment(j.FinishedAt))
	add("SERVERS", strings.Join(j.Servers, " "))
	if c := j.Cause; c != nil {
		add("EVENT", c.Event)
		add("OBSERVER", c.Observer)
		add("SCHEDULE", c.Schedule)
		add("REQUEST", c.Request)
		add("LOGIN", c.Login)
	}
	if p := j.Progress; p != nil {
		add("PROGRESS", strings.TrimSpace(fmt.Sprintf("%.0f%% %s", p.Done*100, p.Message)))
	}
	for _, f := range j.Failures {
		add(fmt.Sprintf("FAILURE %d", f.Attempt), f.At.UTC().Format(time.RFC3339)+" "+strings.Join(strings.Fields(f.Error), " "))
	}
	for _, e := range j.Log {
		for line := range strings.Lines(strings.TrimSpace(e.Text)) {
			add(fmt.Sprintf("LOG %d", e.Attempt), strings.TrimSpace(line))
		}
	}
	add("RESULT", string(j.Result))
	return l
}

// newJobsOne makes a verb that does one thing to jobs by their ids.
func newJobsOne(env *Env, verb, short string, do func(s *jobs.Service, ctx context.Context, id string) (jobs.Job, error)) *cobra.Command {
	return &cobra.Command{
		Use: verb + " ID...", Short: short, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return env.withJobs(cmd.Context(), func(s *jobs.Service) error { return env.eachJob(cmd.Context(), s, ids, do) })
		},
	}
}

func (e *Env) eachJob(ctx context.Context, s *jobs.Service, ids []string, do func(s *jobs.Service, ctx context.Context, id string) (jobs.Job, error)) error {
	var done []jobs.Job
	var failed error
	for _, id := range ids {
		j, err := do(s, ctx, id)
		if err != nil {
			failed = err
			break
		}
		done = append(done, j)
	}
	if len(done) > 0 || failed == nil {
		if err := e.print(listed(done)); err != nil {
			return err
		}
	}
	return failed
}

func newJobsRetry(env *Env) *cobra.Command {
	var kind string
	var all bool
	c := &cobra.Command{
		Use: "retry [ID...]", Short: "Have jobs begin now", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if all == (len(ids) > 0) {
				return fault.New(fault.Usage, "usage", "retry takes ids, or --all-dead").WithHint("fraiseql jobs retry --help")
			}
			return env.withJobs(cmd.Context(), func(s *jobs.Service) error {
				if !all {
					return env.eachJob(cmd.Context(), s, ids, (*jobs.Service).Retry)
				}
				count, left, err := s.RetryDead(cmd.Context(), kind)
				if err != nil {
					return err
				}
				return env.print(listing{head: []string{"RETRIED", "LEFT"}, value: map[string]int{"retried": count, "left": left}, rows: [][]string{{strconv.Itoa(count), strconv.Itoa(left)}}})
			})
		},
	}
	c.Flags().BoolVar(&all, "all-dead", false, "all that failed for the last time")
	c.Flags().StringVar(&kind, "kind", "", "with --all-dead: only of this kind")
	return c
}

func newJobsTurn(env *Env, verb, short string, do func(s *jobs.Service, ctx context.Context, queue string) error, paused bool) *cobra.Command {
	return &cobra.Command{
		Use: verb + " QUEUE", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.withJobs(cmd.Context(), func(s *jobs.Service) error {
				if err := do(s, cmd.Context(), args[0]); err != nil {
					return err
				}
				return env.print(listing{head: []string{"QUEUE", "PAUSED"}, value: map[string]any{"name": args[0], "paused": paused}, rows: [][]string{{args[0], strconv.FormatBool(paused)}}})
			})
		},
	}
}

func newJobsQueues(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "queues", Short: "List queues, and what each has to do", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.withJobs(cmd.Context(), func(s *jobs.Service) error {
				all, err := s.Queues(cmd.Context())
				if err != nil {
					return err
				}
				l := listing{head: []string{"QUEUE", "PAUSED", "AVAILABLE", "RUNNING", "SCHEDULED", "RETRYABLE", "DEAD", "OLDEST"}, value: all}
				for _, q := range all {
					oldest := ""
					if q.Oldest != nil {
						oldest = time.Since(*q.Oldest).Round(time.Second).String()
					}
					row := []string{q.Name, strconv.FormatBool(q.Paused)}
					for _, n := range []int64{q.Available, q.Running, q.Scheduled, q.Retryable, q.Dead} {
						row = append(row, strconv.FormatInt(n, 10))
					}
					l.rows = append(l.rows, append(row, oldest))
				}
				return env.print(l)
			})
		},
	}
}

func newJobsSchedules(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "schedules", Short: "List what is enqueued again and again", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.withJobs(cmd.Context(), func(s *jobs.Service) error {
				all, err := s.Schedules(cmd.Context())
				if err != nil {
					return err
				}
				l := listing{head: []string{"NAME", "WHEN", "ZONE", "KIND", "NEXT", "LAST", "RUNS"}, value: all}
				for _, p := range all {
					last := ""
					if p.LastAt != nil {
						last = p.LastAt.UTC().Format(time.RFC3339)
					}
					l.rows = append(l.rows, []string{p.Name, p.When, p.Timezone, p.Kind, p.NextAt.UTC().Format(time.RFC3339), last, strconv.FormatInt(p.Runs, 10)})
				}
				return env.print(l)
			})
		},
	}
}

func newJobsRun(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "run SCHEDULE", Short: "Enqueue the job of a schedule now, beside its times", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.withJobs(cmd.Context(), func(s *jobs.Service) error {
				r, err := s.RunSchedule(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return env.print(listing{head: []string{"ID", "STATE"}, value: r, rows: [][]string{{r.ID, string(r.State)}}})
			})
		},
	}
}
