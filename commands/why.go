package commands

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/why"
)

func newWhyCommand(env *Env) *cobra.Command {
	var since string
	c := &cobra.Command{
		Use: "why THING", Short: "Tell what a thing came from, and what came of it", Args: cobra.ExactArgs(1),
		Long: "Tell what a thing came from, and what came of it: the request or transaction, who made it, the events, what observers did, jobs\n" +
			"with their tries, and what was answered.\n\n" +
			"THING is a row of a captured table (order/42), event/ID, job/ID, request/ID, or the id that a receiver was given: mail/ID,\n" +
			"webhook/ID.",
		Example: "  fraiseql why order/42\n  fraiseql why job/17\n  fraiseql why mail/evt_12_hokv3q_order_confirmation_1",
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := before("--since", since)
			if err != nil {
				return err
			}
			return env.withApp(cmd.Context(), func(a *app.App) error {
				roots, err := a.Why(cmd.Context(), args[0], from)
				if err != nil {
					return err
				}
				if env.output == "json" || env.output == "yaml" {
					return env.print(listing{value: roots})
				}
				for _, root := range roots {
					env.printTree(root, "", "")
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&since, "since", "7d", "how far to look back, or since which time")
	return c
}

// withApp opens the program.
func (e *Env) withApp(ctx context.Context, work func(a *app.App) error) error {
	a, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	return orMigrate(ctx, work(a))
}

// printTree writes a thing and all that came of it.
func (e *Env) printTree(n *why.Node, head, below string) {
	line := []string{n.What}
	if n.State != "" {
		line = append(line, "["+n.State+"]")
	}
	if n.At != nil {
		line = append(line, n.At.UTC().Format(time.RFC3339))
	}
	if n.Asked {
		line = append(line, "<- this")
	}
	fmt.Fprintln(e.Out, head+strings.Join(line, "  "))
	for i, child := range n.Children {
		if i == len(n.Children)-1 {
			e.printTree(child, below+"└─ ", below+"   ")
		} else {
			e.printTree(child, below+"├─ ", below+"│  ")
		}
	}
}
