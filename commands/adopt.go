package commands

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

func newAdoptCommand(env *Env) *cobra.Command {
	var keep, drop bool
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
				made, err := a.Adopt(cmd.Context(), drop, !keep && !drop)
				if err != nil {
					return err
				}
				return env.print(listing{head: []string{"COPY", "DELIVERIES", "JOBS", "DROPPED"}, value: made, rows: [][]string{{
					strconv.FormatBool(made.Copy), strconv.FormatInt(made.Deliveries, 10), strconv.FormatInt(made.Jobs, 10), strconv.FormatBool(made.Dropped),
				}}})
			})
		},
	}
	c.Flags().BoolVar(&keep, "keep", false, "what was still to do is done")
	c.Flags().BoolVar(&drop, "drop", false, "what was still to do is forgotten")
	return c
}
