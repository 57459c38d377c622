package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

func newEventsCommand(env *Env) *cobra.Command {
	c := &cobra.Command{
		Use: "events", Short: "What has changed in the database, and who was told",
		Long: "What has changed in the database: each change of a table that somebody hears of, by whichever program it was made.\n" +
			"They are kept for [events] retention.",
		Example: "  fraiseql events tail\n  fraiseql events list --entity Order --op UPDATE --since 1h\n  fraiseql events replay --since 1h --observer order_paid --dry-run",
	}
	c.AddCommand(newEventsTail(env), newEventsList(env), newEventsReplay(env), newEventsEmit(env), newEventsRelease(env))
	return c
}

// eventFilter are the flags by which events are chosen.
type eventFilter struct {
	ids          []int64
	entity, op   string
	since, until string
	observer     string
	limit        int
}

func (f *eventFilter) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.entity, "entity", "", "only of this type of the API, table (schema.table) or name of a CUSTOM event")
	c.Flags().StringVar(&f.op, "op", "", "only INSERT, UPDATE, DELETE, TRUNCATE or CUSTOM")
}

func (f *eventFilter) filter() (events.Filter, error) {
	op := events.Op(strings.ToUpper(f.op))
	if f.op != "" && events.SetOf(op) == 0 {
		return events.Filter{}, fault.New(fault.Usage, "usage", "there is no op `"+f.op+"`").WithHint("--op with one of: INSERT, UPDATE, DELETE, TRUNCATE, CUSTOM")
	}
	filter := events.Filter{IDs: f.ids, Entity: f.entity, Op: op, Limit: f.limit}
	if f.observer != "" {
		filter.Consumer = "observer:" + strings.TrimPrefix(f.observer, "observer:") // as consumers are listed
	}
	var err error
	if filter.Since, err = before("--since", f.since); err == nil {
		filter.Until, err = before("--until", f.until)
	}
	return filter, err
}

// before reads a flag that is a time: in RFC 3339, or so long ago. The zero time when it is empty.
func before(flag, text string) (time.Time, error) {
	at, err := config.ParseMoment(text)
	if err != nil {
		return time.Time{}, fault.New(fault.Usage, "usage", flag+" is a time span such as 30m, 24h or 7d, or a time such as 2026-01-31T12:00:00Z")
	}
	return at, nil
}

// withEvents opens the program for its events.
func (e *Env) withEvents(ctx context.Context, work func(a *app.App, s *events.Store) error) error {
	a, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	return orMigrate(ctx, work(a, &events.Store{Pool: a.Pool}))
}

// orMigrate says what to do about an error of the database, most of all where our own tables are not there yet.
func orMigrate(ctx context.Context, err error) error {
	if _, told := fault.As(err); err == nil || told || ctx.Err() != nil {
		return err
	}
	if postgres.IsMissing(err) {
		return fault.Wrap(fault.ActionNeeded, "migrations/pending", "the database lacks what fraiseql keeps of events and observers", err).WithHint("fraiseql migrate up")
	}
	return postgres.Explain(err)
}

func newEventsTail(env *Env) *cobra.Command {
	var f eventFilter
	c := &cobra.Command{
		Use: "tail", Short: "Show events as they become visible, until interrupted", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := f.filter()
			if err != nil {
				return err
			}
			return env.withEvents(cmd.Context(), func(_ *app.App, s *events.Store) error { return env.tail(cmd.Context(), s, filter) })
		},
	}
	f.flags(c)
	return c
}

// tail prints a line for each event that becomes visible from now on. Being interrupted is its ordinary end.
func (e *Env) tail(ctx context.Context, s *events.Store, f events.Filter) error {
	if err := s.Captured(ctx, f.Entity); err != nil {
		return err
	}
	at, err := events.Now(ctx, s.Pool)
	if err != nil {
		return err
	}
	if !e.quiet {
		fmt.Fprintln(e.Err, "waiting for events; Ctrl-C ends this")
	}
	r := &events.Reader{Pool: s.Pool, At: at}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		page, err := r.Next(ctx, 500)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		for _, one := range page {
			if f.Entity != "" && f.Entity != one.Entity && f.Entity != one.Schema+"."+one.Table || f.Op != "" && f.Op != one.Op {
				continue
			}
			if err := e.printEvent(one); err != nil {
				return err
			}
		}
		if len(page) == 500 {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// printEvent prints one event in one line.
func (e *Env) printEvent(one *events.Event) error {
	var line string
	switch e.output {
	case "table":
		line = strings.Join(eventRow(one), "  ")
	case "name":
		line = strconv.FormatInt(one.ID, 10)
	default:
		text, err := json.Marshal(one)
		if err != nil {
			return err
		}
		line = string(text)
	}
	_, err := fmt.Fprintln(e.Out, strings.TrimRight(line, " "))
	return err
}

func eventRow(e *events.Event) []string {
	return []string{strconv.FormatInt(e.ID, 10), e.At.UTC().Format("2006-01-02T15:04:05.000Z"), string(e.Op), e.Entity, string(e.Key), strings.Join(e.Changed, ",")}
}

func newEventsList(env *Env) *cobra.Command {
	var f eventFilter
	c := &cobra.Command{
		Use: "list", Short: "List events, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := f.filter()
			if err != nil {
				return err
			}
			return env.withEvents(cmd.Context(), func(_ *app.App, s *events.Store) error {
				if err := s.Captured(cmd.Context(), filter.Entity); err != nil {
					return err
				}
				all, err := s.List(cmd.Context(), filter)
				if err != nil {
					return err
				}
				l := listing{head: []string{"ID", "AT", "OP", "ENTITY", "KEY", "CHANGED"}, value: all}
				for _, one := range all {
					l.rows = append(l.rows, eventRow(one))
				}
				return env.print(l)
			})
		},
	}
	f.flags(c)
	c.Flags().StringVar(&f.since, "since", "", "only of the last 30m, 1h, 2d, …, or since a time")
	c.Flags().IntVar(&f.limit, "limit", 100, "how many at most")
	return c
}

func newEventsReplay(env *Env) *cobra.Command {
	var f eventFilter
	var dry bool
	c := &cobra.Command{
		Use: "replay", Short: "Deliver events again to who hears them now",
		Long: "Deliver events again to who hears them now: each delivery is a new one, with the same event. Receivers of webhooks see another\nwebhook-id than the first time.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := f.filter()
			if err != nil {
				return err
			}
			return env.withEvents(cmd.Context(), func(_ *app.App, s *events.Store) error {
				if err := s.Captured(cmd.Context(), filter.Entity); err != nil {
					return err
				}
				count, err := s.Replay(cmd.Context(), filter, dry)
				if err != nil {
					return err
				}
				return env.print(listing{head: []string{"DELIVERIES"}, rows: [][]string{{strconv.FormatInt(count, 10)}}, value: map[string]any{"deliveries": count, "dry_run": dry}})
			})
		},
	}
	f.flags(c)
	c.Flags().Int64SliceVar(&f.ids, "id", nil, "only these events")
	c.Flags().StringVar(&f.since, "since", "", "only of the last 30m, 1h, 2d, …, or since a time")
	c.Flags().StringVar(&f.until, "until", "", "not of the last 10m, 1d, …, or since a time")
	c.Flags().StringVar(&f.observer, "observer", "", "only to this observer")
	c.Flags().BoolVar(&dry, "dry-run", false, "count, and deliver nothing")
	return c
}

func newEventsEmit(env *Env) *cobra.Command {
	var data, key string
	c := &cobra.Command{
		Use: "emit NAME", Short: "Tell of a CUSTOM event", Args: cobra.ExactArgs(1),
		Long: "Tell of a CUSTOM event. Programs do so by `select _system.emit_event('NAME', '{…}', '{…}')` in a transaction of theirs: it is heard when that commits.",
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := jsonOf("--data", data)
			if err != nil {
				return err
			}
			k, err := jsonOf("--key", key)
			if err != nil {
				return err
			}
			return env.withEvents(cmd.Context(), func(_ *app.App, s *events.Store) error {
				id, err := s.Emit(cmd.Context(), args[0], d, k)
				if err != nil {
					return err
				}
				text := strconv.FormatInt(id, 10)
				return env.print(listing{head: []string{"ID"}, rows: [][]string{{text}}, value: map[string]string{"id": text}})
			})
		},
	}
	c.Flags().StringVar(&data, "data", "", "what is told, as JSON")
	c.Flags().StringVar(&key, "key", "", "what it is about, as a JSON object: events with one key are heard in order")
	return c
}

// jsonOf reads a flag that holds JSON; nil when it is empty.
func jsonOf(flag, text string) (json.RawMessage, error) {
	if text == "" {
		return nil, nil
	}
	if !json.Valid([]byte(text)) {
		return nil, fault.New(fault.Usage, "usage", flag+" is no JSON").WithHint(`%s '{"order_id": 1}'`, flag)
	}
	return json.RawMessage(text), nil
}
