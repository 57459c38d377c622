package commands

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/jobs"
)

func newJobsEnqueue(env *Env) *cobra.Command {
	var n jobs.Spec
	var args, lines, at, delay string
	var wait bool
	c := &cobra.Command{
		Use: "enqueue KIND", Short: "Enqueue a job", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, words []string) error {
			n.Kind = words[0]
			if delay != "" {
				var err error
				if n.Delay, err = config.ParseSpan(delay); err != nil {
					return fault.New(fault.Usage, "usage", "--delay is a time span such as 30s, 12h or 1d")
				}
			}
			if at != "" {
				var err error
				if n.RunAt, err = time.Parse(time.RFC3339, at); err != nil || n.Delay != 0 {
					return fault.New(fault.Usage, "usage", "--at is a time such as 2026-01-31T12:00:00Z, and goes without --delay")
				}
			}
			return env.withJobs(cmd.Context(), func(s *jobs.Service) error {
				if lines != "" {
					return env.enqueueLines(cmd.Context(), s, n, lines)
				}
				text, err := env.argument(args)
				if err != nil {
					return err
				}
				n.Args = text
				receipts, err := s.Enqueue(cmd.Context(), n)
				if err != nil {
					return err
				}
				r := receipts[0]
				if wait {
					return env.awaitJob(cmd.Context(), s, r.ID)
				}
				state := string(r.State)
				if r.Duplicate {
					state += " (it has the key already)"
				}
				return env.print(listing{head: []string{"ID", "STATE"}, value: r, rows: [][]string{{r.ID, state}}})
			})
		},
	}
	c.Flags().StringVar(&args, "args", "{}", "its arguments: JSON, @FILE, or @- for standard input")
	c.Flags().StringVar(&lines, "lines", "", "many jobs: a file with the arguments of one in each line, or - for standard input")
	c.Flags().StringVar(&n.Queue, "queue", "", "its queue (default: that of the kind)")
	c.Flags().StringVar(&delay, "delay", "", "how long from now it is due")
	c.Flags().StringVar(&at, "at", "", "when it is due, such as 2026-01-31T12:00:00Z")
	c.Flags().IntVar(&n.Priority, "priority", 0, "1 goes first, 4 last (default 2)")
	c.Flags().IntVar(&n.MaxAttempts, "max-attempts", 0, "tries until it is dead (default: as the kind says)")
	c.Flags().StringVar(&n.UniqueKey, "unique-key", "", "while a job of the kind has this key, no other is made")
	c.Flags().StringVar((*string)(&n.UniqueUntil), "unique-until", "", "how long that is: finished (default) or forgotten")
	c.Flags().BoolVar(&wait, "wait", false, "wait until it is over; exit code 1 unless it was completed")
	return c
}

// argument reads JSON that stands in the command line or in a file.
func (e *Env) argument(text string) (json.RawMessage, error) {
	path, isFile := strings.CutPrefix(text, "@")
	if !isFile {
		return json.RawMessage(text), nil
	}
	if path == "-" {
		return io.ReadAll(e.In)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "jobs/no-file", "the arguments cannot be read", err)
	}
	return content, nil
}

// enqueueLines makes a job of each line, in parts that are all there or not at all.
func (e *Env) enqueueLines(ctx context.Context, s *jobs.Service, n jobs.Spec, path string) error {
	in := e.In
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return fault.Wrap(fault.Invalid, "jobs/no-file", "the arguments cannot be read", err)
		}
		defer func() { _ = file.Close() }() // it was read
		in = file
	}
	const part = 10_000
	var specs []jobs.Spec
	count, number := 0, 0
	load := func() error {
		made, err := s.Load(ctx, specs)
		count += made
		specs = specs[:0]
		if err != nil && count > 0 {
			fmt.Fprintf(e.Err, "%d jobs of the lines before are there\n", count)
		}
		return err
	}
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, 2<<20)
	for scanner.Scan() {
		number++
		line := bytes.TrimSpace(scanner.Bytes())
		if len(line) == 0 {
			continue
		}
		if line[0] != '{' || !json.Valid(line) {
			return fault.New(fault.Invalid, "jobs/bad-args", fmt.Sprintf("line %d is no JSON object", number)).WithHint("%d jobs of the lines before are there", count)
		}
		one := n
		one.Args = bytes.Clone(line)
		if specs = append(specs, one); len(specs) == part {
			if err := load(); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(scanner.Err(), load()); err != nil {
		return err
	}
	return e.print(listing{head: []string{"ENQUEUED"}, value: map[string]int{"enqueued": count}, rows: [][]string{{strconv.Itoa(count)}}})
}

// awaitJob waits for the end of a job, and shows it. A queue that is away for a while is asked again.
func (e *Env) awaitJob(ctx context.Context, s *jobs.Service, id string) error {
	patience := time.Now().Add(5 * time.Second)
	for said, away := false, false; ; {
		j, err := s.Get(ctx, id)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && fault.KindOf(orMigrate(ctx, err)) == fault.Unavailable:
			if !away {
				fmt.Fprintf(e.Err, "job %s: its state is not known for now, trying again: %v\n", id, err)
			}
			away = true
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			continue
		case err != nil:
			return err
		}
		away = false
		if !said && j.State == jobs.Available && time.Now().After(patience) {
			said = true
			fmt.Fprintf(e.Err, "job %s waits: no server has begun it yet (fraiseql serve works jobs; fraiseql jobs queues tells of queues)\n", id)
		}
		if j.State.Over() {
			if err := e.print(shown(j)); err != nil {
				return err
			}
			if j.State != jobs.Completed {
				return fault.New(fault.Internal, "jobs/not-completed", "the job is "+string(j.State)).WithHint("fraiseql jobs show %s", id)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
