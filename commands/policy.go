package commands

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/deployment/policy"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

func newPolicyCommand(env *Env) *cobra.Command {
	c := &cobra.Command{Use: "policy", Short: "Grants and row security"}
	var q policy.Question
	explain := &cobra.Command{
		Use:   "explain",
		Short: "Say which grant or policy shows or hides a row, and each of its columns",
		Long: "Say which grant or policy shows or hides a row, and each of its columns: what a role may do with a table, which policies\n" +
			"there are, and what each of them says of the row, for the claims of a request. It looks as the tables' owner\n" +
			"([migrations] url_env), computes the policies as the role, and changes nothing.",
		Example: "  fraiseql policy explain --role member --table orders --key 42 --claims '{\"sub\": \"7\"}'\n  fraiseql policy explain --role guest --table shop.products",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return env.explainPolicy(cmd.Context(), q) },
	}
	explain.Flags().StringVar(&q.Role, "role", "", "a role of [graphql.roles], or of the database")
	explain.Flags().StringVar(&q.Table, "table", "", "a table, by its name in the database")
	explain.Flags().StringSliceVar(&q.Key, "key", nil, "the primary key of a row: its value, or COLUMN=VALUE for each of its columns")
	explain.Flags().StringVar(&q.Claims, "claims", "", "who asks, as a token would say it: a JSON object")
	c.AddCommand(explain)
	return c
}

func (e *Env) explainPolicy(ctx context.Context, q policy.Question) error {
	if q.Role == "" || q.Table == "" {
		return fault.New(fault.Usage, "usage", "a role and a table must be named").WithHint("fraiseql policy explain --role member --table orders --key 42")
	}
	a, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	lines, err := a.ExplainPolicy(ctx, q)
	if err != nil {
		return err
	}
	rows := make([][]string, len(lines))
	for i, l := range lines {
		rows[i] = []string{l.What, l.Subject, l.Answer, l.Why}
	}
	return e.print(listing{head: []string{"WHAT", "OF", "ANSWER", "WHY"}, rows: rows, name: 1, value: lines})
}
