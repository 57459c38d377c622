package graphql

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/subscribe"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Subscriptions is the table [graphql.subscriptions].
type Subscriptions struct {
	config.Switch
	Entities         []string      `toml:"entities" doc:"Types, or \"schema.table\", whose changes can be subscribed to; \"*\" is all that have a primary key. Capturing costs whoever writes."`
	MaxConnections   int           `toml:"max_connections" default:"5000" min:"1" doc:"Clients at a time, by WebSocket and server-sent events."`
	MaxPerConnection int           `toml:"max_per_connection" default:"50" min:"1" doc:"Operations of one WebSocket at a time."`
	Buffer           config.Bytes  `toml:"buffer" default:"1MB" min:"16KB" max:"64MB" doc:"What may wait for one client; one that is slower than that loses its connection."`
	KnownRowsTotal   int           `toml:"known_rows_total" default:"2000000" min:"100" doc:"Rows that are remembered of all subscriptions together: each takes about 40 bytes."`
	KnownRows        int           `toml:"known_rows" default:"10000" min:"100" max:"1000000" doc:"Rows that are remembered of a subscription with a condition, or under row security, to tell when they go."`
	KeepAlive        time.Duration `toml:"keep_alive" default:"12s" min:"1s" max:"5m" doc:"Between two signs of life on a connection."`
	InitTimeout      time.Duration `toml:"init_timeout" default:"10s" min:"100ms" max:"5m" doc:"How long a WebSocket may take to send connection_init."`
}

// Check wants to know of what.
func (s *Subscriptions) Check(r *config.Report) {
	if s.On() && len(s.Entities) == 0 && !r.Reported("entities") {
		r.Warn("", "config/missing-key", "without `entities` there is nothing to subscribe to", `entities = ["Album"]`)
	}
}

// Subscribed are the entities of [graphql.subscriptions]; none when it is off.
func (c Config) Subscribed() []string {
	if c.Subscriptions == nil || !c.Subscriptions.On() {
		return nil
	}
	return c.Subscriptions.Entities
}

func (c Config) knownRows() int {
	if c.Subscriptions == nil {
		return 0
	}
	return c.Subscriptions.KnownRows
}

// Feed is where subscriptions get what they tell of.
type Feed struct {
	Pool    *pgxpool.Pool
	IdleMax time.Duration // longest wait between two looks
	Kept    time.Duration // how long events are kept

	Verify  func(ctx context.Context, token string) (*httpapi.Principal, error) // nil: no tokens are taken
	Origins []string                                                            // whose pages may open a WebSocket, beside our own
	Cookies bool                                                                // whether those that are named may do so as whom cookies and other headers say
	Nobody  *httpapi.Principal                                                  // who asks where nobody says it; nil where that is not asked
}

// openFeed makes the hub and the connections to clients, where there is a feed and something to subscribe to.
func (s *Service) openFeed() {
	c, feed := s.config.Subscriptions, s.deps.Feed
	if feed == nil || len(s.config.Subscribed()) == 0 {
		return
	}
	s.hub = subscribe.New(subscribe.Options{Pool: feed.Pool, Log: s.deps.Log, IdleMax: feed.IdleMax, Kept: feed.Kept, Known: c.KnownRows, All: int64(c.KnownRowsTotal)})
	s.streams = &transport.Streams{
		Subscribe: s.subscribe, Ready: func() bool { return s.pictures.Load() != nil && s.hub.Running() }, Verify: feed.Verify, Origins: feed.Origins, Cookies: feed.Cookies, Nobody: feed.Nobody,
		Most: c.MaxConnections, PerSocket: c.MaxPerConnection, Buffer: int(c.Buffer), KeepAlive: c.KeepAlive, Patience: c.InitTimeout,
	}
}

// Wake says that something was committed: subscriptions look for it at once.
func (s *Service) Wake() {
	if s.hub != nil {
		s.hub.Wake()
	}
}

// Subscribers tells how many connections of subscriptions are open.
func (s *Service) Subscribers() int {
	if s.streams == nil {
		return 0
	}
	return s.streams.Open()
}

// Leave ends the connections of subscriptions, and takes no more.
func (s *Service) Leave() {
	if s.streams != nil {
		s.streams.Leave()
	}
}

// Interests are the tables whose changes can be subscribed to, by what is configured and what the roles see. What is named and
// cannot be, is told by its name.
func (s *Service) Interests() (tables []*catalog.Table, strange []string) {
	now := s.pictures.Load()
	if now == nil {
		return nil, nil
	}
	named := map[string]bool{}
	seen := map[string]bool{}
	for _, p := range now.sorted() {
		for _, f := range p.schema.Feeds {
			t := f.Object.Table
			named[f.Object.Name], named[t.Schema+"."+t.Name] = true, true
			if !seen[t.SQL()] {
				seen[t.SQL()] = true
				tables = append(tables, t)
			}
		}
	}
	for _, name := range s.config.Subscribed() {
		if name != "*" && !named[name] {
			strange = append(strange, name)
		}
	}
	return tables, strange
}

// NoEntity says why an entity of [graphql.subscriptions] cannot be subscribed to.
func NoEntity(name string) *fault.Error {
	return fault.New(fault.Invalid, "subscriptions/no-entity", "[graphql.subscriptions]: changes of "+strconv.Quote(name)+" cannot be subscribed to").
		WithHint(`name a type of the API that shows a table with a primary key that some role may read (fraiseql schema print), or the table as "schema.table"`)
}

// subscribe answers a request of a client that may be a subscription.
func (s *Service) subscribe(ctx context.Context, r transport.Request, f transport.Feed) (func(), *transport.Response) {
	working, done, err := httpapi.Work(ctx)
	if err != nil {
		return nil, &transport.Response{Result: execute.Result{Errors: gqlerror.List{plan.Problem(plan.RateLimited, err.Error(), nil)}, Unavailable: true}}
	}
	defer done()
	a, refused := s.admit(r.Principal)
	if refused == nil {
		refused = s.known.find(working, a.name, &r)
	}
	if refused != nil {
		return nil, refused
	}
	d, op, list := s.operation(a, r)
	if list == nil && op.Operation != ast.Subscription {
		response := s.execute(working, a, r)
		return nil, &response
	}
	var bound plan.Bound
	if list == nil {
		bound, list = s.prepare(a.picture, d, op, r)
	}
	if list != nil {
		return nil, &transport.Response{Result: execute.Result{Errors: list}}
	}
	src, list := s.sourceOf(a, op, bound, r)
	if list != nil {
		return nil, &transport.Response{Result: execute.Result{Errors: list}}
	}
	done() // the hub lets so many read at a time as it can, and it goes on at the pace of the client
	leave, err := s.hub.Subscribe(ctx, subscribe.Request{Group: src.name(d.text, op.Name, r), Source: src, Out: f.Out, Of: f.Of, Token: f.Token, Ended: f.Ended}, f.Begun)
	if err != nil {
		unavailable := fault.KindOf(err) == fault.Unavailable
		return nil, &transport.Response{Result: execute.Result{Errors: src.problems(err), Unavailable: unavailable}}
	}
	return leave, nil
}

// sourceOf makes what a subscription reads by.
func (s *Service) sourceOf(a admitted, op *plan.Operation, bound plan.Bound, r transport.Request) (*source, gqlerror.List) {
	src := &source{service: s, admitted: a, bound: bound, ops: events.SetOf(events.Insert, events.Update, events.Delete, events.Truncate)}
	if ops := bound.Changed.Ops; ops != nil {
		src.ops = 0
		for _, op := range ops {
			src.ops |= events.SetOf(events.Op(op))
		}
	}
	src.atOnce = mostAtOnce
	if most := s.config.Limits.Rows; most > 0 && bound.Cost.Rows > 1 {
		src.atOnce = max(1, min(mostAtOnce, int(float64(most)/bound.Cost.Rows)))
	}
	if bound.Changed.Keys != nil {
		variables, list := plan.Variables(a.schema.AST, op.OperationDefinition, r.Variables)
		if list != nil {
			return nil, list
		}
		keys, problem := bound.Changed.Keys.Bind(variables, 0)
		if problem != nil {
			return nil, gqlerror.List{problem}
		}
		src.keys = keys
	}
	return src, nil
}

// name is that of the group: of subscriptions that read alike. Where no policy or function is asked, claims make no difference.
func (s *source) name(text, operation string, r transport.Request) string {
	var claims []byte
	if s.session != nil && s.bound.Changed.Personal {
		claims = s.session.Claims
	}
	return string(digest(fmt.Sprintf("%p", s.picture), text, operation, r.Variables, claims))
}

// fieldsOf gives the names of fields for columns that are shown.
func fieldsOf(o *schema.Object, columns []string) []string {
	names := []string{}
	for _, c := range columns {
		if f := o.FieldOf(c); f != nil {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}
