package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/app"
	"github.com/fraiseql/fraiseql/runtime/auth"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/graphql/watch"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

type queryOptions struct {
	file      string
	variables string
	operation string
	analyze   bool
	role      string
	claims    string
}

func (o *queryOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.role, "role", "", "ask as a role of [graphql.roles]")
	c.Flags().StringVar(&o.claims, "claims", "", "who asks, as a token would say it: a JSON object")
	c.Flags().StringVarP(&o.file, "file", "f", "", "read the document from a file; - is standard input")
	c.Flags().StringVar(&o.variables, "variables", "", "variables as JSON, or @FILE")
	c.Flags().StringVar(&o.operation, "operation", "", "which operation of the document to run")
}

func newQueryCommand(env *Env) *cobra.Command {
	var o queryOptions
	c := &cobra.Command{
		Use:     "query DOC",
		Short:   "Run a GraphQL document in this process",
		Example: "  fraiseql query '{ products(limit: 3) { name } }'\n  fraiseql query -f top.graphql --variables '{\"n\": 3}'",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.query(cmd.Context(), env, args) },
	}
	o.flags(c)
	return c
}

func newExplainCommand(env *Env) *cobra.Command {
	var o queryOptions
	c := &cobra.Command{
		Use:     "explain DOC",
		Short:   "Show the SQL of a GraphQL document and PostgreSQL's plan for it",
		Example: "  fraiseql explain '{ products(limit: 3) { name } }' --analyze",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.explain(cmd.Context(), env, args) },
	}
	o.flags(c)
	c.Flags().BoolVar(&o.analyze, "analyze", false, "run the statements and show real times")
	return c
}

// request puts a request together from the words of the command line.
func (o queryOptions) request(env *Env, args []string) (transport.Request, error) {
	r := transport.Request{OperationName: o.operation}
	switch {
	case o.file == "-":
		text, err := io.ReadAll(env.In)
		if err != nil {
			return r, fmt.Errorf("read standard input: %w", err)
		}
		r.Query = string(text)
	case o.file != "":
		text, err := os.ReadFile(o.file)
		if err != nil {
			return r, fault.Wrap(fault.NotFound, "query/no-file", "the document cannot be read", err)
		}
		r.Query = string(text)
	case len(args) == 1:
		r.Query = args[0]
	default:
		return r, fault.New(fault.Usage, "usage", "there is no document").WithHint("fraiseql query '{ __typename }'")
	}
	text := []byte(o.variables)
	if name, ok := strings.CutPrefix(o.variables, "@"); ok {
		var err error
		if text, err = os.ReadFile(name); err != nil {
			return r, fault.Wrap(fault.NotFound, "query/no-file", "the variables cannot be read", err)
		}
	}
	if len(text) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&r.Variables); err != nil {
			return r, fault.Wrap(fault.Invalid, "query/bad-variables", "the variables are not a JSON object", err)
		}
	}
	return r, nil
}

// principal is who the flags say that asks, with the role that a server would give it; nil is the login.
func (o queryOptions) principal(a *app.App) (*httpapi.Principal, error) {
	who, err := auth.Claimed(a.Config.Auth, o.claims, o.role)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, "query/bad-claims", "the claims cannot be taken", err)
	}
	return who, nil
}

// loaded opens the program with the schema read.
func (e *Env) loaded(ctx context.Context) (*app.App, error) {
	a, err := e.open(ctx)
	if err != nil {
		return nil, err
	}
	if a.GraphQL == nil {
		a.Close(ctx)
		return nil, fault.New(fault.ActionNeeded, "graphql/off", "the GraphQL API is off").WithHint("[graphql] enabled = true")
	}
	if err := a.GraphQL.Load(ctx); err != nil {
		a.Close(ctx)
		if _, told := fault.As(err); told {
			return nil, err
		}
		return nil, postgres.Explain(err)
	}
	return a, nil
}

func (o queryOptions) query(ctx context.Context, env *Env, args []string) error {
	request, err := o.request(env, args)
	if err != nil {
		return err
	}
	a, err := env.loaded(ctx)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	if request.Principal, err = o.principal(a); err != nil {
		return err
	}
	response := a.GraphQL.Execute(ctx, request)
	body := map[string]any{}
	if len(response.Errors) > 0 {
		body["errors"] = response.Errors
	}
	if response.Data != nil {
		body["data"] = json.RawMessage(response.Data)
	}
	text := env.printJSON
	if env.output == "yaml" {
		text = env.printYAML
	}
	if err := text(body); err != nil {
		return err
	}
	if len(response.Errors) > 0 {
		return silentError{kindOfAnswer(response)}
	}
	return nil
}

// kindOfAnswer tells by the code of the first error who can mend it.
func kindOfAnswer(response transport.Response) fault.Kind {
	code, _ := response.Errors[0].Extensions["code"].(string)
	switch {
	case response.Unavailable:
		return fault.Unavailable
	case slices.Contains([]string{plan.ParseFailed, plan.ValidationFailed, plan.BadUserInput, plan.OperationUnclear, plan.TooComplex, plan.Violation}, code):
		return fault.Invalid
	case code == plan.Forbidden, code == plan.Unauthenticated:
		return fault.Forbidden
	case code == plan.NotFound:
		return fault.NotFound
	case code == plan.Conflict:
		return fault.Conflict
	}
	return fault.Internal
}

// explained is what becomes of one root field.
type explained struct {
	Field string   `json:"field"`
	SQL   string   `json:"sql"`
	Args  []string `json:"args"` // $1, $2, … in PostgreSQL's text form
	Plan  []string `json:"plan"`

	Findings []watch.Finding `json:"findings,omitempty"` // what looks slow
}

func (e *Env) printExplained(all []explained) error {
	switch e.output {
	case "json":
		return e.printJSON(all)
	case "yaml":
		return e.printYAML(all)
	}
	for _, f := range all {
		fmt.Fprintf(e.Out, "-- %s\n%s;\n", f.Field, f.SQL)
		for i, arg := range f.Args {
			fmt.Fprintf(e.Out, "-- $%d = %s\n", i+1, arg)
		}
		fmt.Fprintf(e.Out, "%s\n", strings.Join(f.Plan, "\n"))
		for _, slow := range f.Findings {
			fmt.Fprintf(e.Out, "-- slow: %s\n", slow.Message)
			if slow.Fix != "" {
				fmt.Fprintf(e.Out, "--   fix: %s\n", slow.Fix)
			}
		}
		fmt.Fprintln(e.Out)
	}
	return nil
}

func (o queryOptions) explain(ctx context.Context, env *Env, args []string) error {
	request, err := o.request(env, args)
	if err != nil {
		return err
	}
	a, err := env.loaded(ctx)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	if request.Principal, err = o.principal(a); err != nil {
		return err
	}
	bound, lines, found, err := a.GraphQL.Explain(ctx, request, o.analyze)
	var list gqlerror.List
	if errors.As(err, &list) {
		return fault.Wrap(fault.Invalid, "query/invalid", "the document cannot be run", errors.New(strings.TrimSpace(err.Error())))
	}
	if err != nil {
		return postgres.Explain(err)
	}
	return env.printExplained(explainedOf(bound, lines, found))
}

// explainedOf puts the plans of statements beside the root fields that these are for.
func explainedOf(bound plan.Bound, lines [][]string, found [][]watch.Finding) []explained {
	all := []explained{}
	add := func(field string, call plan.Call) {
		args := make([]string, len(call.Args))
		for i, arg := range call.Args {
			args[i] = string(arg)
		}
		all = append(all, explained{Field: field, SQL: call.SQL, Args: args, Plan: lines[len(all)], Findings: found[len(all)]})
	}
	var together []string
	for i := range bound.Fields {
		f := &bound.Fields[i]
		if f.Statement != nil {
			together = append(together, f.Key)
		}
		for range len(f.Steps) {
			if bound.Together == nil {
				add(f.Key, bound.Calls[len(all)])
			}
		}
		if f.Statement != nil && bound.Together == nil {
			add(f.Key, bound.Calls[len(all)])
		}
	}
	if bound.Together != nil {
		add(strings.Join(together, ", "), *bound.Together)
	}
	return all
}
