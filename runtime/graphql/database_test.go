package graphql_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestWhatADatabaseMakesOfRequests has what only a database can refuse or get wrong.
func TestWhatADatabaseMakesOfRequests(t *testing.T) {
	t.Parallel()
	config := graphql.DefaultConfig()
	config.Entities = map[string]graphql.Entity{
		"public.pairs": {Key: []string{"left_id"}},
		"public.refs":  {References: []graphql.Reference{{Columns: []string{"left_id"}, Table: "public.pairs", To: []string{"left_id"}}}},
	}
	s, pool := openWith(t, config, graphql.Deps{}, sql(t, `
		create domain price as int check (value > 0);
		create domain label as text not null;
		create table product (id int primary key, price price, label label);
		insert into product values (1, 5, 'a'), (2, 7, 'b'), (3, 9, 'c');
		create view maybe as select p.id, q.label from product p left join product q on q.id = p.id + 1;
		create view pairs as select i as left_id, j as right_id from generate_series(1, 2) i, generate_series(1, 2) j;
		create view refs as select 1 as id, 2 as left_id;
		create table counter (n int);
		create function bump() returns int language sql volatile as 'insert into counter values (1) returning n';
		create view writing as select bump() as n;
		create table thing (id int primary key, doc jsonb unique);
		insert into thing values (1, '"1"'), (2, '1');
		create table history (id int primary key, at timestamptz, local timestamp);
		insert into history values (1, '0044-03-15 12:00:00+00 BC', '0044-03-15 12:00:00 BC');
		create table loose (id int unique, code text not null unique);
		insert into loose values (null, 'c'), (null, 'b'), (null, 'a');`))
	for name, c := range map[string]struct{ query, data, err string }{
		"a domain's check":         {`{ products(where: {price: {gt: -1, neq: -1}}, limit: 1) { id } }`, `{"products":[{"id":1}]}`, ""},
		"not null in a view":       {`{ maybes(orderBy: {id: DESC}, limit: 1) { id label } }`, `{"maybes":[{"id":3,"label":null}]}`, ""},
		"a key that is none":       {`{ pair(leftId: 1) { rightId } }`, `{"pair":{"rightId":1}}`, ""},
		"a reference to it":        {`{ refs { left { leftId } } }`, `{"refs":[{"left":{"leftId":2}}]}`, ""},
		"writing":                  {`{ writings { n } }`, `null`, "INTERNAL_SERVER_ERROR"},
		"after a failure":          {`{ a: product(id: 1) { id } b: thing(id: 2147483647) { id } c: product(id: 2) { label } }`, `{"a":{"id":1},"b":null,"c":{"label":"b"}}`, ""},
		"a text is not its number": {`{ a: thingByDoc(doc: "1") { id } b: thingByDoc(doc: 1) { id } }`, `{"a":{"id":1},"b":{"id":2}}`, ""},
		"before our era":           {`{ histories { at local } h: history(id: 1) { at } }`, `{"histories":[{"at":"0044-03-15T12:00:00+00:00 BC","local":"0044-03-15T12:00:00 BC"}],"h":{"at":"0044-03-15T12:00:00+00:00 BC"}}`, ""},
		"a key of nulls":           {`{ looses { code } }`, `{"looses":[{"code":"a"},{"code":"b"},{"code":"c"}]}`, ""},
		"a null condition":         {`query($x: Boolean = true) { products { id @include(if: $x) } }`, "", "BAD_USER_INPUT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := transport.Request{Query: c.query}
			if strings.Contains(c.query, "$x") {
				request.Variables = map[string]any{"x": nil}
			}
			got := s.Execute(t.Context(), request)
			if string(got.Data) != c.data || c.err != "" && !strings.HasPrefix(firstError(got), c.err) || c.err == "" && len(got.Errors) > 0 {
				t.Errorf("it gave %s %s", got.Data, firstError(got))
			}
		})
	}
	t.Run("explaining", func(t *testing.T) {
		t.Parallel()
		if _, lines, _, err := s.Explain(t.Context(), transport.Request{Query: "{ writings { n } }"}, true); err == nil {
			t.Errorf("a view that writes was run: %v", lines)
		}
		_, lines, _, err := s.Explain(t.Context(), transport.Request{Query: "{ products { id } }"}, true)
		if err != nil || !strings.Contains(strings.Join(lines[0], "\n"), "actual time") {
			t.Errorf("explained as %v: %v", lines, err)
		}
	})
	t.Cleanup(func() {
		var written int
		if err := pool.QueryRow(context.Background(), "select count(*) from counter").Scan(&written); err != nil || written != 0 {
			t.Errorf("reading has written %d rows: %v", written, err)
		}
	})
}

// TestWhatIsToBeLeftOutIs has marks that can be misunderstood: none of them may show what it was to hide.
func TestWhatIsToBeLeftOutIs(t *testing.T) {
	t.Parallel()
	config := graphql.DefaultConfig()
	config.Entities = map[string]graphql.Entity{
		"Person":        {Fields: map[string]graphql.EntityField{"secret": {Omit: true}}},
		"public.person": {Fields: map[string]graphql.EntityField{"name": {Name: "called"}}},
	}
	s, _ := openWith(t, config, graphql.Deps{}, sql(t, `
		create table person (id int primary key, name text, secret text, hidden text, token text);
		comment on column person.hidden is '@fraiseql{"omit":true}';
		comment on column person.token is '@fraiseql {"omit": tru}';
		create table glued (id int primary key); comment on table glued is '@fraiseql{"omit":true}';
		create table lined (id int primary key); comment on table lined is E'@fraiseql\n{"omit":true}';
		create table broken (id int primary key); comment on table broken is '@fraiseql {"omit": true';
		create table misspelt (id int primary key); comment on table misspelt is '@fraiseql {"ommit": true}';
		create table bare (id int primary key); comment on table bare is '@fraiseql';
		create table other (id int primary key); comment on table other is '@fraiseqlish is a word of its own';`))
	got := s.Execute(t.Context(), transport.Request{Query: `{ __schema { queryType { fields { name } } } __type(name: "Person") { fields { name } } other: __type(name: "Other") { description } }`})
	want := `{"__schema":{"queryType":{"fields":[{"name":"other"},{"name":"others"},{"name":"othersAggregate"},{"name":"othersGroupBy"},{"name":"othersConnection"},{"name":"person"},{"name":"people"},{"name":"peopleAggregate"},{"name":"peopleGroupBy"},{"name":"peopleConnection"}]}},"__type":{"fields":[{"name":"id"},{"name":"called"}]},"other":{"description":"@fraiseqlish is a word of its own"}}`
	if string(got.Data) != want {
		t.Errorf("it shows\n%s, want\n%s", got.Data, want)
	}
	var told []string
	for _, w := range s.Schema("").Warnings {
		told = append(told, w.Subject)
	}
	if got := strings.Join(told, " "); got != "public.bare public.broken public.misspelt public.person.token" {
		t.Errorf("warnings tell of %s", got)
	}
}

// TestAChangeThatHasNoSchema gives two tables one name: the schema before stays, that is said once, and the
// server goes on being ready; what puts it right is seen.
func TestAChangeThatHasNoSchema(t *testing.T) {
	t.Parallel()
	var lock sync.Mutex
	var log bytes.Buffer
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Interval: 10 * time.Millisecond, Log: slog.New(slog.NewTextHandler(locked{&lock, &log}, nil))}, sql(t, `
		create table apple (id int primary key); create table pear (id int primary key);`))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	logged := func() string { lock.Lock(); defer lock.Unlock(); return log.String() }
	exec(t, pool, `comment on table pear is '@fraiseql {"name": "Fruit"}'; comment on table apple is '@fraiseql {"name": "Fruit"}'`)
	wait(t, func() bool { return strings.Contains(logged(), "no API can be made") })
	for range 20 { // some twenty looks later it has still been said once
		if err := s.Check(t.Context()); err != nil {
			t.Fatalf("the server is not ready: %v", err)
		}
		if got := s.Execute(t.Context(), transport.Request{Query: "{ apples { id } pears { id } }"}); len(got.Errors) > 0 {
			t.Fatalf("the schema before is not served: %v", got.Errors)
		}
		<-time.After(10 * time.Millisecond)
	}
	if n := strings.Count(logged(), "no API can be made"); n != 1 {
		t.Errorf("it was said %d times", n)
	}
	exec(t, pool, `comment on table pear is null`)
	wait(t, func() bool {
		return len(s.Execute(t.Context(), transport.Request{Query: "{ fruits { id } }"}).Errors) == 0
	})
}

// wait waits until something holds.
func wait(t *testing.T, holds func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !holds(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it never came")
		}
	}
}

// locked lets a log be read while it is written.
type locked struct {
	lock *sync.Mutex
	to   *bytes.Buffer
}

func (l locked) Write(b []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.to.Write(b)
}
