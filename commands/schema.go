package commands

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

func newSchemaCommand(env *Env) *cobra.Command {
	c := &cobra.Command{Use: "schema", Short: "The GraphQL schema of the database"}
	var role string
	c.PersistentFlags().StringVar(&role, "role", "", "what a role of [graphql.roles] sees; default: the first of them, or the login")
	c.AddCommand(
		&cobra.Command{
			Use: "print", Short: "Print the schema as SDL", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				sdl, err := env.sdl(cmd.Context(), role)
				if err != nil {
					return err
				}
				_, err = env.Out.Write(sdl)
				return err
			},
		},
		&cobra.Command{
			Use: "diff FILE", Short: "Show how the schema differs from a saved one", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				diff, err := env.schemaDiff(cmd.Context(), role, args[0])
				if err == nil {
					fmt.Fprint(env.Out, diff)
				}
				return err
			},
		},
		&cobra.Command{
			Use: "check FILE", Short: "Fail with code 7 when the schema differs from a saved one", Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				diff, err := env.schemaDiff(cmd.Context(), role, args[0])
				if err != nil || diff == "" {
					return err
				}
				fmt.Fprint(env.Out, diff)
				return fault.New(fault.ActionNeeded, "schema/changed", "the schema is not the one in "+args[0]).
					WithHint("fraiseql schema print > %s", args[0])
			},
		},
	)
	return c
}

func (e *Env) sdl(ctx context.Context, role string) ([]byte, error) {
	a, err := e.loaded(ctx)
	if err != nil {
		return nil, err
	}
	defer a.Close(context.WithoutCancel(ctx))
	shown := a.GraphQL.Schema(role)
	if role == "" {
		shown = a.GraphQL.AnySchema()
	}
	if shown == nil {
		return nil, fault.New(fault.NotFound, "schema/no-role", "there is no role `"+role+"` in [graphql.roles]")
	}
	var b bytes.Buffer
	formatter.NewFormatter(&b).FormatSchema(shown.AST)
	return b.Bytes(), nil
}

func (e *Env) schemaDiff(ctx context.Context, role, path string) (string, error) {
	saved, err := os.ReadFile(path)
	if err != nil {
		return "", fault.Wrap(fault.NotFound, "schema/no-file", "the saved schema cannot be read", err).WithHint("fraiseql schema print > %s", path)
	}
	sdl, err := e.sdl(ctx, role)
	if err != nil {
		return "", err
	}
	return udiff.Unified(path, "database", string(saved), string(sdl)), nil
}
