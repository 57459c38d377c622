package commands

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

func newAdoptCommand(env *Env) *cobra.Command {
	var keep, drop, isCopy bool
	c := &cobra.Command{
		Use: "adopt", Short: "Let a copy of a database be acted on", Args: cobra.NoArgs,
		Long: "Let a copy of a database be acted on: a dump that was restored, or a clone. Its original may be doing what the copy has still to do,\n" +
			"so that servers refuse to until somebody has said what is to become of that. Without --keep or --drop it is only counted.",
		Example: "  fraiseql adopt\n  fraiseql adopt --drop      # a copy: mails and webhooks on the way are its original's\n  fraiseql adopt --keep      # the original is gone, and this takes its place",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if keep && drop {
				return fault.New(fault.Usage, "usage", "--keep and --drop contradict each other").WithHint("fraiseql adopt --help")
			}
			return env.withApp(cmd.Context(), func(a *app.App) error {
				upTo := app.Nothing
				if drop {
					upTo = app.Everything
				}
				return env.adopt(cmd.Context(), a, upTo, !keep && !drop, isCopy)
			})
		},
	}
	c.Flags().BoolVar(&keep, "keep", false, "what was still to do is done")
	c.Flags().BoolVar(&drop, "drop", false, "what was still to do is forgotten")
	copyFlag(c, &isCopy)
	return c
}

func copyFlag(c *cobra.Command, isCopy *bool) {
	c.Flags().BoolVar(isCopy, "copy", false, "it is a copy, also where it does not look like one: a copy of files")
}

func (e *Env) adopt(ctx context.Context, a *app.App, upTo string, dry, isCopy bool) error {
	made, err := a.Adopt(ctx, upTo, dry, isCopy)
	if err != nil {
		return err
	}
	row := []string{strconv.FormatBool(made.Copy)}
	for _, n := range []int64{made.Deliveries, made.Jobs, made.DroppedDeliveries, made.DroppedJobs} {
		row = append(row, strconv.FormatInt(n, 10))
	}
	return e.print(listing{head: []string{"COPY", "DELIVERIES", "JOBS", "DROPPED DELIVERIES", "DROPPED JOBS"}, value: made, rows: [][]string{row}})
}

func newEventsRelease(env *Env) *cobra.Command {
	var after string
	var dry, isCopy bool
	c := &cobra.Command{
		Use: "release --after TIME", Short: "Let a copy of a database be acted on, from a time on", Args: cobra.NoArgs,
		Long: "Let a copy of a database be acted on, as adopt does: what it has still to do of changes up to a time, and of jobs enqueued until then,\n" +
			"is its original's and is forgotten; what came later is done. The time is one in RFC 3339, so long ago (2h), or that of an event by its id.",
		Example: "  fraiseql events release --after 2026-11-01T12:00:00Z --dry-run\n  fraiseql events release --after 4711",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if after == "" {
				return fault.New(fault.Usage, "usage", "--after is missing: it says up to when the original has acted").WithHint("fraiseql events release --help")
			}
			return env.withEvents(cmd.Context(), func(a *app.App, s *events.Store) error {
				at, err := moment(cmd.Context(), s, after)
				if err != nil {
					return err
				}
				if at.After(time.Now()) {
					return fault.New(fault.Usage, "usage", "`"+after+"` is to come: the original has acted until now at most").WithHint("fraiseql adopt --drop forgets all")
				}
				return env.adopt(cmd.Context(), a, at.Format(time.RFC3339Nano), dry, isCopy)
			})
		},
	}
	c.Flags().StringVar(&after, "after", "", "a time, so long ago, or the id of an event")
	c.Flags().BoolVar(&dry, "dry-run", false, "only count")
	copyFlag(c, &isCopy)
	return c
}

// moment reads a time: in RFC 3339, so long ago, or that of an event.
func moment(ctx context.Context, s *events.Store, text string) (time.Time, error) {
	if at, err := before("--after", text); err == nil {
		return at, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fault.New(fault.Usage, "usage", "`"+text+"` is no time").WithHint("--after 2026-11-01T12:00:00Z, --after 2h, or the id of an event")
	}
	all, err := s.List(ctx, events.Filter{IDs: []int64{id}, Limit: 1})
	if err != nil {
		return time.Time{}, err
	}
	if len(all) == 0 {
		return time.Time{}, fault.New(fault.NotFound, "events/gone", "there is no event "+text).WithHint("fraiseql events list")
	}
	return all[0].At, nil
}
