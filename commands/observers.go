package commands

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/observers"
)

func newObserversCommand(env *Env) *cobra.Command {
	c := &cobra.Command{
		Use: "observers", Short: "What follows changes of data",
		Example: "  fraiseql observers list\n  fraiseql observers logs order_paid --status failed\n  fraiseql observers test order_paid\n  fraiseql observers retry --observer order_paid",
	}
	c.AddCommand(newObserversList(env), newObserversShow(env), newObserversCreate(env), newObserversSwitch(env, "enable", true), newObserversSwitch(env, "disable", false),
		newObserversDelete(env), newObserversTest(env), newObserversLogs(env), newObserversDead(env), newObserversRetry(env))
	return c
}

// withObservers opens the program for its observers.
func (e *Env) withObservers(ctx context.Context, work func(s *observers.Service) error) error {
	a, err := e.open(ctx)
	if err != nil {
		return err
	}
	defer a.Close(context.WithoutCancel(ctx))
	s, err := a.ObserversFor(ctx)
	if err == nil {
		err = work(s)
	}
	return orMigrate(ctx, err)
}

func newObserversList(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List observers, and what each still has to do", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.withObservers(cmd.Context(), func(s *observers.Service) error {
				all, err := s.States(cmd.Context())
				if err != nil {
					return err
				}
				l := listing{head: []string{"NAME", "EVENT", "ENTITY", "ENABLED", "OPEN", "FAILING", "DEAD"}, value: all}
				for _, o := range all {
					l.rows = append(l.rows, []string{o.Name, o.Event, o.Entity, strconv.FormatBool(o.Enabled), strconv.FormatInt(o.Open, 10), strconv.FormatInt(o.Failing, 10), strconv.FormatInt(o.Dead, 10)})
				}
				return env.print(l)
			})
		},
	}
}

func newObserversShow(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show one observer", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.withObservers(cmd.Context(), func(s *observers.Service) error {
				o, err := s.Show(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return env.print(listing{head: []string{"NAME", "EVENT", "ENTITY", "ENABLED", "ORIGIN", "CONFIG"}, value: o, rows: [][]string{{o.Name, o.Event, o.Entity, strconv.FormatBool(o.Enabled), o.Origin, string(o.Config)}}})
			})
		},
	}
}

func newObserversCreate(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "create NAME CONFIG", Short: "Make an observer in the database", Args: cobra.ExactArgs(2),
		Long:    "Make an observer in the database. CONFIG is a JSON object with the keys of [observers.NAME], @FILE, or @- for standard input.",
		Example: `  fraiseql observers create shipped '{"event": "UPDATE", "entity": "Order", "actions": [{"type": "log"}]}'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.withObservers(cmd.Context(), func(s *observers.Service) error {
				text, err := env.argument(args[1])
				if err != nil {
					return err
				}
				o, err := s.Create(cmd.Context(), args[0], text)
				if err != nil {
					return err
				}
				return env.print(listing{head: []string{"NAME", "EVENT", "ENTITY", "CAPTURED", "HINT"}, value: o, rows: [][]string{{o.Name, o.Event, o.Entity, strconv.FormatBool(o.Captured), o.Hint}}})
			})
		},
	}
}

func newObserversSwitch(env *Env, verb string, enabled bool) *cobra.Command {
	return &cobra.Command{
		Use: verb + " NAME", Short: map[bool]string{true: "Let an observer hear again", false: "Let an observer hear nothing, until it is enabled"}[enabled], Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.withObservers(cmd.Context(), func(s *observers.Service) error {
				if err := s.Switch(cmd.Context(), args[0], enabled); err != nil {
					return err
				}
				return env.print(listing{head: []string{"NAME", "ENABLED"}, value: map[string]any{"name": args[0], "enabled": enabled}, rows: [][]string{{args[0], strconv.FormatBool(enabled)}}})
			})
		},
	}
}

func newObserversDelete(env *Env) *cobra.Command {
	return &cobra.Command{
		Use: "delete NAME", Short: "Forget an observer that the configuration has no more, with its log and what it had still to do", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.withObservers(cmd.Context(), func(s *observers.Service) error {
				if err := s.Delete(cmd.Context(), args[0]); err != nil {
					return err
				}
				return env.print(listing{head: []string{"DELETED"}, rows: [][]string{{args[0]}}, value: map[string]string{"deleted": args[0]}})
			})
		},
	}
}

func newObserversTest(env *Env) *cobra.Command {
	var event int64
	c := &cobra.Command{
		Use: "test NAME", Short: "Show what an observer would do about an event, and do nothing", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.withObservers(cmd.Context(), func(s *observers.Service) error {
				t, err := s.Test(cmd.Context(), args[0], event)
				if err != nil {
					return err
				}
				l := listing{head: []string{"ACTION", "WOULD", "WITH"}, value: t}
				if !t.Hears || !t.Matches {
					l.rows = append(l.rows, []string{"", map[bool]string{false: "not hear of it", true: "do nothing: its condition does not hold"}[t.Hears]})
				}
				for _, a := range t.Actions {
					would := a.Call + a.Message
					if a.Method != "" {
						would = a.Method + " " + a.URL
					}
					if a.To != "" {
						would = "mail to " + a.To + ": " + a.Subject
					}
					if a.Error != "" {
						would = "fail: " + a.Error
					}
					l.rows = append(l.rows, []string{a.Type, would, cmp.Or(a.Body, a.HTML)})
				}
				return env.print(l)
			})
		},
	}
	c.Flags().Int64Var(&event, "event", 0, "the event to try it with (default: the newest of its entity)")
	return c
}

func newObserversLogs(env *Env) *cobra.Command {
	var status string
	var limit int
	c := &cobra.Command{
		Use: "logs [NAME]", Short: "List what observers did, the newest first", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := append(args, "")[0]
			return env.withObservers(cmd.Context(), func(s *observers.Service) error {
				all, err := s.Logs(cmd.Context(), name, status, time.Now().Add(time.Hour), limit)
				if err != nil {
					return err
				}
				l := listing{head: []string{"AT", "OBSERVER", "EVENT", "ACTION", "STATUS", "TRIES", "MS", "RESULT"}, value: all}
				for _, one := range all {
					event := ""
					if one.EventID != nil {
						event = strconv.FormatInt(*one.EventID, 10)
					}
					result := one.Response
					if one.Error != "" {
						result = one.Error
					}
					l.rows = append(l.rows, []string{one.At.UTC().Format("2006-01-02T15:04:05.000Z"), one.Observer, event, one.Type, one.Status, strconv.Itoa(one.Attempts), strconv.FormatFloat(one.Duration, 'f', 1, 64), oneLine(result)})
				}
				return env.print(l)
			})
		},
	}
	c.Flags().StringVar(&status, "status", "", "only pending, success or failed")
	c.Flags().IntVar(&limit, "limit", 100, "how many at most")
	return c
}

func newObserversDead(env *Env) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "dead [NAME]", Short: "List what was given up, the newest first", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return env.withObservers(cmd.Context(), func(s *observers.Service) error {
				all, err := s.Dead(cmd.Context(), append(args, "")[0], 0, limit)
				if err != nil {
					return err
				}
				l := listing{head: []string{"ID", "DIED", "OBSERVER", "EVENT", "TRIES", "ERROR"}, value: all}
				for _, d := range all {
					l.rows = append(l.rows, []string{strconv.FormatInt(d.ID, 10), d.DiedAt.UTC().Format(time.RFC3339), strings.TrimPrefix(d.Consumer, "observer:"), strconv.FormatInt(d.EventID, 10), strconv.Itoa(d.Attempts), oneLine(d.Error)})
				}
				return env.print(l)
			})
		},
	}
	c.Flags().IntVar(&limit, "limit", 100, "how many at most")
	return c
}

func newObserversRetry(env *Env) *cobra.Command {
	var name string
	var all bool
	c := &cobra.Command{
		Use: "retry [ID]", Short: "Have dead letters tried again: one, those of an observer, or all", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var id int64
			if len(args) > 0 {
				var err error
				if id, err = strconv.ParseInt(args[0], 10, 64); err != nil || id < 1 {
					return fault.New(fault.Usage, "usage", "`"+args[0]+"` is no id of a dead letter").WithHint("fraiseql observers dead")
				}
			}
			if id == 0 && name == "" && !all {
				return fault.New(fault.Usage, "usage", "say which: an id, --observer NAME, or --all").WithHint("fraiseql observers dead")
			}
			return env.withObservers(cmd.Context(), func(s *observers.Service) error {
				count, err := s.Retry(cmd.Context(), id, name)
				if err != nil {
					return err
				}
				told := strconv.FormatInt(count, 10) + " dead letters" // a number alone looks like an id
				if count == 1 {
					told = "1 dead letter"
				}
				return env.print(listing{head: []string{"RETRIED"}, rows: [][]string{{told}}, value: map[string]int64{"retried": count}})
			})
		},
	}
	c.Flags().StringVar(&name, "observer", "", "those of this observer")
	c.Flags().BoolVar(&all, "all", false, "all")
	return c
}

// oneLine makes a text fit into a table.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 100 {
		return string(r[:99]) + "…"
	}
	return text
}
