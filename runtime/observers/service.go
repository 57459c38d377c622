package observers

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/conditions"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/templates"
)

// Deps is what a Service works with.
type Deps struct {
	Pool     *pgxpool.Pool
	Log      *slog.Logger
	Dir      string // of the project: relative files begin there
	Outbound *outbound.Client
	Jobs     Jobs // nil where there are none

	Templates *templates.Config // of mails; nil: the defaults
	Mailer    Mailer            // nil: there is no [notifications.email]

	// Know is told which consumers the configuration has, for other servers to see.
	Know func(consumers []string)
	// Relation finds the table that people call by a name of the API; false when nothing is called so.
	Relation func(entity string) (events.Relation, bool)
	// Judge tells what the database has not of what a rule names; nil: nobody asks.
	Judge func(ctx context.Context, rule Rule) ([]Mistake, error)
	// Listen is called when what is heard has changed. names are the consumers that all says everything of.
	Listen func(ctx context.Context, names []string, all []events.Interest, consumers []dispatch.Consumer) error
}

// Service has the observers. It is safe for use by many goroutines.
type Service struct {
	config Config
	deps   Deps
	store  store
	events *events.Store

	listening sync.Mutex    // one at a time: each says what it has read
	look      chan struct{} // what observers there are has changed here

	mu    sync.Mutex
	stamp string // of what the database said when it was last listened to
}

// New makes a service that nothing is delivered to yet: see Reload and Run.
func New(c Config, d Deps) *Service {
	return &Service{config: c, deps: d, store: store{d.Pool}, events: &events.Store{Pool: d.Pool}, look: make(chan struct{}, 1)}
}

// on gives the observers of the file that are not switched off there.
func (s *Service) on() map[string]Rule {
	all := maps.Clone(s.config.Named)
	maps.DeleteFunc(all, func(_ string, r Rule) bool { return !r.On() })
	return all
}

// Reload brings the observers of the file into the database, and has all that are enabled listen.
func (s *Service) Reload(ctx context.Context) error {
	on := s.on()
	names := make([]string, 0, len(on))
	for name := range on {
		names = append(names, consumerOf(name))
	}
	s.deps.Know(names)
	if err := s.taken(ctx, slices.Collect(maps.Keys(on))); err != nil {
		return err
	}
	if err := s.store.save(ctx, on); err != nil {
		return err
	}
	return s.Listen(ctx)
}

// Listen has all that the database says is enabled listen, as tables are now. What is switched meanwhile, here or elsewhere, is
// not undone by what was read before.
func (s *Service) Listen(ctx context.Context) error {
	s.listening.Lock()
	defer s.listening.Unlock()
	before, err := s.stampNow(ctx)
	for err == nil {
		if err = s.listen(ctx); err != nil {
			return err
		}
		var after string
		if after, err = s.stampNow(ctx); err == nil && after == before {
			s.mu.Lock()
			s.stamp = after
			s.mu.Unlock()
			return nil
		}
		before = after
	}
	return err
}

// stampNow is what changes with every change of an observer.
func (s *Service) stampNow(ctx context.Context) (stamp string, err error) {
	err = s.deps.Pool.QueryRow(ctx, stampSQL).Scan(&stamp)
	return stamp, err
}

func (s *Service) listen(ctx context.Context) error {
	stored, err := s.store.all(ctx)
	if err != nil {
		return err
	}
	if err := s.reassert(ctx, stored); err != nil {
		return err
	}
	var names []string
	var interests []events.Interest
	var consumers []dispatch.Consumer
	for _, one := range stored {
		rule, known := s.ruleOf(one)
		if !one.Enabled {
			names = append(names, consumerOf(one.Name))
		}
		if !known {
			continue // a server that has another file knows more of it
		}
		o, err := s.build(one.Name, rule)
		if err != nil && one.Origin == "database" { // it was well when it was made: others go on
			s.deps.Log.Error("an observer of the database cannot be served, and hears nothing on this server", slog.String("observer", one.Name), slog.Any("error", err))
			continue
		}
		if err != nil {
			return err
		}
		o.id = one.ID
		if o.unfit, err = s.unfit(ctx, o, one.Enabled); err != nil {
			return err
		}
		if one.Enabled {
			interests = append(interests, o.interest())
		}
		consumers = append(consumers, o.consumer(s))
	}
	if err := s.deps.Listen(ctx, names, interests, consumers); err != nil {
		return err
	}
	if err := s.forgetOrphans(ctx); err != nil {
		return err
	}
	for _, one := range stored { // what it had heard before it was switched off waits
		if err := s.events.Pause(ctx, consumerOf(one.Name), !one.Enabled); err != nil {
			return err
		}
	}
	return nil
}

// forgetOrphans removes what hears in the name of observers that are no more: one may be deleted while a server that has read of
// it just says what it hears.
func (s *Service) forgetOrphans(ctx context.Context) error {
	orphans, err := s.store.orphans(ctx)
	for _, consumer := range orphans {
		if err := s.events.Forget(ctx, consumer); err != nil {
			return err
		}
	}
	return err
}

// reassert switches observers on again that a server with another file has taken for lost, when it had not heard of this one.
func (s *Service) reassert(ctx context.Context, stored []Stored) error {
	on := s.on()
	for i, one := range stored {
		if _, known := on[one.Name]; !known || one.Enabled || one.Reason != absent {
			continue
		}
		if _, err := s.deps.Pool.Exec(ctx, switchSQL, one.Name, true, ""); err != nil {
			return err
		}
		stored[i].Enabled = true
		s.deps.Log.Info("an observer is on again that a server had taken for lost whose configuration lacks it", slog.String("observer", one.Name))
	}
	return nil
}

// build makes an observer of a rule.
func (s *Service) build(name string, rule Rule) (*observer, error) {
	o := &observer{name: name, rule: rule}
	var known bool
	if o.on, known = s.relation(rule); !known {
		return nil, fault.New(fault.Invalid, "observers/no-entity", fmt.Sprintf("observer %s hears of %s, and nothing is called so", name, rule.Entity)).
			WithHint(`name a type of the API (fraiseql schema print), or a table as "schema.table"`)
	}
	if rule.When != "" {
		var err error
		if o.when, err = conditions.Compile(rule.When, nil); err != nil {
			return nil, err
		}
		old, now := o.when.Columns()
		o.reads = [2][]quoted{quotes(old), quotes(now)}
	}
	for _, a := range rule.Actions {
		built, err := s.action(o, a)
		if err != nil {
			return nil, err
		}
		o.actions = append(o.actions, built)
	}
	return o, nil
}

// relation finds what a rule hears of.
func (s *Service) relation(rule Rule) (events.Relation, bool) {
	if slices.Contains(rule.Event, string(events.Custom)) {
		return events.Relation{Table: rule.Entity}, true
	}
	return s.deps.Relation(rule.Entity)
}

// Run follows what is switched on and off, on whichever server that was said, and forgets old logs, until ctx ends.
func (s *Service) Run(ctx context.Context, keep time.Duration) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	forgot := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.look:
		}
		if err := s.follow(ctx); err != nil && ctx.Err() == nil {
			s.deps.Log.Warn("it was not seen whether observers have changed; trying again", slog.Any("error", err))
		}
		if time.Since(forgot) > time.Minute {
			forgot = time.Now()
			if _, err := s.deps.Pool.Exec(ctx, forgetSQL, time.Now().Add(-keep)); err != nil && ctx.Err() == nil {
				s.deps.Log.Warn("old logs of observers were not removed; trying again", slog.Any("error", err))
			}
		}
	}
}

func (s *Service) follow(ctx context.Context) error {
	names := slices.Collect(maps.Keys(s.on()))
	if _, err := s.deps.Pool.Exec(ctx, goneSQL, append(names, ""), cluster.Term, cluster.Term); err != nil {
		return err
	}
	stamp, err := s.stampNow(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	same := stamp == s.stamp
	s.mu.Unlock()
	if same {
		return nil
	}
	return s.Listen(ctx)
}

// List gives all observers, those of the file and those of the database.
func (s *Service) List(ctx context.Context) ([]Stored, error) { return s.store.all(ctx) }

// State is an observer and what it still has to do.
type State struct {
	Stored
	Open    int64      `json:"open"`
	Oldest  *time.Time `json:"oldest,omitempty"`
	Failing int64      `json:"failing"`
	Dead    int64      `json:"dead"`
}

// States gives all observers with what each still has to do.
func (s *Service) States(ctx context.Context) ([]State, error) {
	all, err := s.store.all(ctx)
	if err != nil {
		return nil, err
	}
	backlogs, err := s.events.Backlogs(ctx)
	if err != nil {
		return nil, err
	}
	states := make([]State, len(all))
	for i, o := range all {
		states[i].Stored = o
		for _, b := range backlogs {
			if b.Consumer == consumerOf(o.Name) {
				states[i].Open, states[i].Oldest, states[i].Failing, states[i].Dead = b.Open, b.Oldest, b.Failing, b.Dead
			}
		}
	}
	return states, nil
}

// Show gives one.
func (s *Service) Show(ctx context.Context, name string) (Stored, error) {
	all, err := s.store.all(ctx)
	if err != nil {
		return Stored{}, err
	}
	if i := slices.IndexFunc(all, func(o Stored) bool { return o.Name == name }); i >= 0 {
		return all[i], nil
	}
	return Stored{}, fault.New(fault.NotFound, "observers/not-found", "there is no observer "+name).WithHint("fraiseql observers list")
}

// Switch enables or disables an observer: what is changed from now on it hears, or does not hear. What it had heard before
// waits while it is disabled; other servers notice within seconds.
func (s *Service) Switch(ctx context.Context, name string, enabled bool) error {
	if _, err := s.Show(ctx, name); err != nil {
		return err
	}
	if _, err := s.deps.Pool.Exec(ctx, switchSQL, name, enabled, ""); err != nil {
		return err
	}
	return s.Listen(ctx)
}

// Delete forgets an observer that the configuration file has no more, with its log and all that it had still to do.
func (s *Service) Delete(ctx context.Context, name string) error {
	if _, err := s.Show(ctx, name); err != nil {
		return err
	}
	if _, known := s.on()[name]; known {
		return fault.New(fault.Conflict, "observers/in-file", "the configuration file has the observer "+name+": it would be back with the next start").WithHint("remove [observers.%s] from the file, and start anew", name)
	}
	var runs bool
	if err := s.deps.Pool.QueryRow(ctx, knownSQL, name, cluster.Term).Scan(&runs); err != nil {
		return err
	}
	if runs {
		return fault.New(fault.Conflict, "observers/in-use", "a server that runs has the observer "+name+" in its configuration").WithHint("start that server anew without [observers.%s]", name)
	}
	if _, err := s.deps.Pool.Exec(ctx, deleteSQL, name); err != nil {
		return err
	}
	return s.forgetOrphans(ctx) // servers that still listen do so, too
}

// switchOff disables an observer whose receiver wants no more.
func (s *Service) switchOff(ctx context.Context, o *observer, reason string) {
	s.deps.Log.Error("an observer is switched off", slog.String("observer", o.name), slog.String("reason", reason),
		slog.String("hint", "fraiseql observers enable "+o.name))
	_, err := s.deps.Pool.Exec(ctx, switchSQL, o.name, false, reason)
	if err == nil { // what is to be done already waits; what it hears ends with the next look, which is at once here
		err = s.events.Pause(ctx, consumerOf(o.name), true)
	}
	if err != nil {
		s.deps.Log.Warn("the observer could not be switched off", slog.String("observer", o.name), slog.Any("error", err))
	}
	select {
	case s.look <- struct{}{}:
	default:
	}
}

// known wants an observer of that name, unless it is empty: what is asked of nobody must not look as if there were nothing.
func (s *Service) known(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	_, err := s.Show(ctx, name)
	return err
}

// statuses are those of a Log.
var statuses = []string{"pending", "success", "failed"}

// Logs gives what observers did, the newest first. Empty name and status are all.
func (s *Service) Logs(ctx context.Context, name, status string, before time.Time, limit int) ([]Log, error) {
	if status != "" && !slices.Contains(statuses, status) {
		return nil, fault.New(fault.Invalid, "observers/no-status", "there is no status `"+status+"`").WithHint("one of: %s", strings.Join(statuses, ", "))
	}
	name = nameOf(name)
	if err := s.known(ctx, name); err != nil {
		return nil, err
	}
	return s.store.logs(ctx, name, status, before, limit)
}

// LogsOf gives what observers did about an event.
func (s *Service) LogsOf(ctx context.Context, event int64) ([]Log, error) {
	return s.store.logsOf(ctx, event)
}

// Dead gives the dead letters of observers, the newest first.
func (s *Service) Dead(ctx context.Context, name string, before int64, limit int) ([]events.DeadLetter, error) {
	name = nameOf(name)
	if err := s.known(ctx, name); err != nil {
		return nil, err
	}
	if name != "" {
		name = consumerOf(name)
	}
	return s.events.Dead(ctx, name, before, limit)
}

// Retry has dead letters tried again: one by its id, all of an observer, or all (0 and empty). It tells how many.
func (s *Service) Retry(ctx context.Context, id int64, name string) (int64, error) {
	name = nameOf(name)
	if err := s.known(ctx, name); err != nil {
		return 0, err
	}
	if name != "" {
		name = consumerOf(name)
	}
	count, err := s.events.Revive(ctx, id, name)
	if err == nil && count == 0 && id != 0 {
		return 0, fault.New(fault.NotFound, "observers/no-dead-letter", fmt.Sprintf("there is no dead letter %d", id)).WithHint("fraiseql observers dead")
	}
	return count, err
}

// lookup reads the environment for secrets.
func lookup(name string) (string, bool) { return os.LookupEnv(name) }
