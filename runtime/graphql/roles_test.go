package graphql_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// tenants has rows of several owners, and roles of which each sees something else. Roles are of the whole cluster, so
// that their names have the database's in them.
const tenants = `
	create table account (id int primary key, name text not null, secret text);
	create table item (id serial primary key, owner text not null default current_setting('request.jwt.claims', true)::json ->> 'sub', title text not null, price int);
	create table log (at timestamptz default now(), said text);
	create table hidden_thing (item_id int references item);
	insert into account values (1, 'a', 's');
	insert into item (owner, title) values ('ann', 'A'), ('bob', 'B');
	alter table item enable row level security;
	create policy own on item to member_DB using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
	create policy look on item for select to guest_DB using (price > 10);
	grant usage on schema public to member_DB, guest_DB;
	grant select (id, name), update (name) on account to member_DB;
	grant select, insert (title, price), update (title), delete on item to member_DB;
	grant usage on sequence item_id_seq to member_DB;
	grant select (id, title) on item to guest_DB;
	grant insert on log to member_DB;`

// roled gives a service whose login owns nothing and takes on roles.
func roled(t testing.TB, c graphql.Config, size int, script string) (*graphql.Service, *pgxpool.Pool) {
	t.Helper()
	return roledWith(t, c, graphql.Deps{Connections: size}, script)
}

// roledWith is roled with some of the service's surroundings chosen.
func roledWith(t testing.TB, c graphql.Config, deps graphql.Deps, script string) (*graphql.Service, *pgxpool.Pool) {
	t.Helper()
	address := pgtest.Database(t)
	owner, err := postgres.Connect(t.Context(), address, postgres.PoolOptions{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(owner.Close)
	name := owner.Config().ConnConfig.Database
	in := func(text string) string { return strings.ReplaceAll(text, "_DB", "_"+name) }
	exec(t, owner, in(`create role member_DB nologin; create role guest_DB nologin; create role api_DB login noinherit password 'api'; grant member_DB, guest_DB to api_DB`))
	t.Cleanup(func() {
		_, err := owner.Exec(context.Background(), in(`drop owned by member_DB, guest_DB, api_DB; drop role member_DB, guest_DB, api_DB`))
		if err != nil {
			t.Error(err)
		}
	})
	exec(t, owner, in(script))
	config := owner.Config().ConnConfig
	pool, err := postgres.Connect(t.Context(), "postgres://"+in("api_DB")+":api@"+net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))+"/"+name, postgres.PoolOptions{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	c.Roles = map[string]graphql.Role{"member": {Role: in("member_DB")}, "guest": {Role: in("guest_DB")}}
	deps.Pool, deps.Schemas, deps.Dev, deps.Log = pool, []string{"public"}, true, quiet
	s := graphql.New(c, deps)
	t.Cleanup(s.Close)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, owner
}

func as(role, subject string) *httpapi.Principal {
	return &httpapi.Principal{Role: role, Subject: subject, Claims: []byte(`{"sub":"` + subject + `","role":"` + role + `"}`)}
}

// TestRolesSeeWhatTheyMay asks as several.
func TestRolesSeeWhatTheyMay(t *testing.T) {
	t.Parallel()
	s, owner := roled(t, graphql.DefaultConfig(), 0, tenants)
	for _, c := range []struct {
		who        *httpapi.Principal
		query      string
		data, code string
	}{
		{as("member", "ann"), `{ items { title owner } accounts { name } }`, `{"items":[{"title":"A","owner":"ann"}],"accounts":[{"name":"a"}]}`, ""},
		{as("member", "bob"), `{ items { title } }`, `{"items":[{"title":"B"}]}`, ""},
		{as("member", "bob"), `{ item(id: 1) { title } itemsAggregate { count } itemsConnection { totalCount } }`, `{"item":null,"itemsAggregate":{"count":1},"itemsConnection":{"totalCount":1}}`, ""},
		{as("member", "bob"), `{ accounts { secret } }`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{&httpapi.Principal{Role: "guest"}, `{ items { title } }`, `{"items":[]}`, ""},
		{&httpapi.Principal{Role: "guest"}, `{ items { owner } }`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{&httpapi.Principal{Role: "guest"}, `{ accounts { name } }`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{&httpapi.Principal{Role: "guest"}, `mutation { deleteItems(where: {}) { id } }`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{as("member", "ann"), `mutation { createItem(input: {title: "C", price: 11}) { title owner } items: updateItems(where: {}, set: {title: "D"}) { title owner } }`, `{"createItem":{"title":"C","owner":"ann"},"items":[{"title":"D","owner":"ann"},{"title":"D","owner":"ann"}]}`, ""},
		{&httpapi.Principal{Role: "guest"}, `{ items { title } }`, `{"items":[{"title":"D"}]}`, ""},
		{as("member", "ann"), `mutation { createItem(input: {title: "C", owner: "bob"}) { title } }`, ``, "GRAPHQL_VALIDATION_FAILED"},
		{as("member", "ann"), `mutation { updateItem(id: 2, set: {title: "D"}) { title } deleteItem(id: 2) { title } }`, `{"updateItem":null,"deleteItem":null}`, ""},
		{as("member", "ann"), `mutation { updateAccount(id: 1, set: {name: "x"}) { name } }`, `{"updateAccount":{"name":"x"}}`, ""},
		{as("member", ""), `mutation { createItem(input: {title: "C"}) { title } }`, `{"createItem":{"title":"C"}}`, ""},
		{&httpapi.Principal{Role: "member"}, `mutation { createItem(input: {title: "C"}) { title } }`, `null`, "FORBIDDEN"},
		{&httpapi.Principal{Role: "postgres"}, `{ items { title } }`, ``, "FORBIDDEN"},
		{&httpapi.Principal{}, `{ items { title } }`, ``, "UNAUTHENTICATED"},
		{nil, `{ items { title } }`, ``, "UNAUTHENTICATED"},
		{as("member", "ann"), `mutation { createItem(input: {title: "hid"}) { title } }`, `{"createItem":{"title":"hid"}}`, ""},
		{as("member", "ann"), `mutation { deleteItems(where: {title: {eq: "hid"}}) { id } }`, `null`, "CONSTRAINT_VIOLATION"},
	} {
		if strings.Contains(c.query, "deleteItems(where: {title") {
			exec(t, owner, `insert into hidden_thing select id from item where title = 'hid'`)
		}
		got := s.Execute(t.Context(), transport.Request{Query: c.query, Principal: c.who})
		if text := fmt.Sprint(got.Errors); strings.Contains(text, "hidden") {
			t.Errorf("it tells of what nobody may know of: %s", text)
		}
		if string(got.Data) != c.data || code(got) != c.code {
			t.Errorf("%+v asks %s and gets %s %s", c.who, c.query, got.Data, firstError(got))
		}
	}
}

// TestNothingIsLeftOnAConnection asks as two tenants at once over one connection and over several: nobody sees another's
// rows, and no connection keeps who asked last.
func TestNothingIsLeftOnAConnection(t *testing.T) {
	t.Parallel()
	for _, size := range []int{2, 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			s, owner := roled(t, graphql.DefaultConfig(), size, tenants+`
				create view who as select 1 as id, current_user::text as role, current_setting('request.jwt.claims', true) as claims, current_setting('statement_timeout') as timeout;
				grant select on who to member_DB, guest_DB;
				insert into item (owner, title) select u, u || n from generate_series(1, 50) n, unnest('{ann,bob}'::text[]) u;`)
			var asking sync.WaitGroup
			for worker := range 8 {
				asking.Go(func() {
					subject := []string{"ann", "bob"}[worker%2]
					for i := range times(40) {
						query := []string{
							`{ items { owner } whos { claims } }`, `{ items(limit: 3) { owner } }`, `mutation { updateItems(where: {id: {lt: 20}}, set: {title: "t"}) { owner } }`,
							`{ a: items(where: {title: {startswith: "a"}}) { owner } b: items(limit: 1) { owner } c: whos { role } }`,
							`mutation { createItem(input: {title: "n"}) { owner } deleteItems(where: {title: {eq: "n"}}) { owner } }`,
						}[rand.IntN(5)]
						got := s.Execute(t.Context(), transport.Request{Query: query, Principal: as("member", subject)})
						other := map[string]string{"ann": "bob", "bob": "ann"}[subject]
						if len(got.Errors) > 0 || strings.Contains(string(got.Data), other) || !strings.Contains(string(got.Data), subject) {
							t.Errorf("%s, %d: %s gave %s %s", subject, i, query, got.Data, firstError(got))
						}
					}
				})
			}
			asking.Wait()
			got := s.Execute(t.Context(), transport.Request{Query: `{ whos { claims } }`, Principal: &httpapi.Principal{Role: "guest"}})
			if data := string(got.Data); !strings.Contains(data, `guest_`) || strings.Contains(data, "ann") || strings.Contains(data, "bob") {
				t.Errorf("of nobody it says %s %s", got.Data, firstError(got))
			}
			var wrong int
			if err := owner.QueryRow(t.Context(), `select count(*) from item where title = 'n' or owner not in ('ann', 'bob')`).Scan(&wrong); err != nil || wrong > 0 {
				t.Errorf("%d rows are wrong: %v", wrong, err)
			}
		})
	}
}

// TestKeysOfRoles are of the role and the one who asks, and are kept by the login.
func TestKeysOfRoles(t *testing.T) {
	t.Parallel()
	s, owner := roled(t, graphql.DefaultConfig(), 4, tenants+keysTable(t)+`
		grant usage on schema _system to api_DB; grant select, insert, update, delete on all tables in schema _system to api_DB;`)
	ask := func(who *httpapi.Principal) transport.Response {
		return s.Execute(t.Context(), transport.Request{Query: `mutation { createItem(input: {title: "C"}) { owner } }`, Principal: who, IdempotencyKey: "k"})
	}
	for _, c := range []struct {
		who      *httpapi.Principal
		data     string
		replayed bool
	}{
		{as("member", "ann"), `{"createItem":{"owner":"ann"}}`, false},
		{as("member", "ann"), `{"createItem":{"owner":"ann"}}`, true},
		{as("member", "bob"), `{"createItem":{"owner":"bob"}}`, false},
		{as("member", "bob"), `{"createItem":{"owner":"bob"}}`, true},
	} {
		if got := ask(c.who); string(got.Data) != c.data || got.Replayed != c.replayed {
			t.Errorf("%s: %s %v %s", c.who.Subject, got.Data, got.Replayed, firstError(got))
		}
	}
	var rows int
	if err := owner.QueryRow(t.Context(), "select count(*) from item where title = 'C'").Scan(&rows); err != nil || rows != 2 {
		t.Errorf("%d rows were made: %v", rows, err)
	}
}

// TestRolesForWhichNoRuleHolds are not served.
func TestRolesForWhichNoRuleHolds(t *testing.T) {
	t.Parallel()
	load := func(pool *pgxpool.Pool, roles map[string]graphql.Role) (*graphql.Service, error) {
		c := graphql.DefaultConfig()
		c.Roles = roles
		s := graphql.New(c, graphql.Deps{Pool: pool, Schemas: []string{"public"}, Log: quiet})
		t.Cleanup(s.Close)
		return s, s.Load(t.Context())
	}
	pool, err := postgres.Connect(t.Context(), pgtest.Database(t), postgres.PoolOptions{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	exec(t, pool, `create table item (id int primary key)`)
	s, err := load(pool, nil)
	if err != nil {
		t.Fatalf("a superuser without rules to pass by is refused: %v", err)
	}
	exec(t, pool, `alter table item enable row level security`)
	if err := s.Load(t.Context()); fault.CodeOf(err) != "graphql/role-bypasses" {
		t.Errorf("a superuser passes by row security: %v", err)
	}
	if got := s.Execute(t.Context(), transport.Request{Query: "{ items { id } }"}); code(got) != "INTERNAL_SERVER_ERROR" || !got.Unavailable {
		t.Errorf("and is answered %s %s", got.Data, firstError(got))
	}
	name := pool.Config().ConnConfig.Database
	exec(t, pool, `create role over_`+name+` bypassrls; create role apart_`+name)
	t.Cleanup(func() {
		if _, err := pool.Exec(context.Background(), `drop role over_`+name+`, apart_`+name); err != nil {
			t.Error(err)
		}
	})
	for role, want := range map[string]string{"over_" + name: "graphql/role-bypasses", "none_" + name: "graphql/no-role", "apart_" + name: ""} {
		if _, err := load(pool, map[string]graphql.Role{"r": {Role: role}}); want == "" && err != nil || want != "" && fault.CodeOf(err) != want {
			t.Errorf("%s: %v", role, err)
		}
	}
}

var quiet = slog.New(slog.DiscardHandler)

// TestNamesThatOneRoleDoesNotSee has entries of tables and columns that are hidden from one role, and of some that are
// nothing to any.
func TestNamesThatOneRoleDoesNotSee(t *testing.T) {
	t.Parallel()
	c := graphql.DefaultConfig()
	described := func(columns ...string) graphql.Entity {
		e := graphql.Entity{Fields: map[string]graphql.EntityField{}}
		for _, column := range columns {
			e.Fields[column] = graphql.EntityField{Description: "d"}
		}
		return e
	}
	c.Entities = map[string]graphql.Entity{
		"Account": described("name", "nam", "secret"), // the guest sees no account, and none a secret
		"Item":    described("title", "owner", "pric"),
		"Acount":  described("name"),
	}
	s, _ := roled(t, c, 0, tenants)
	var told []string
	for _, w := range s.Warnings() {
		if strings.HasPrefix(w.Subject, "graphql.entities.") {
			told = append(told, w.Message)
		}
	}
	want := []string{
		"public.account has no column `nam` that may be read", "public.account has no column `secret` that may be read",
		"the database has no table that is `Acount` and that may be read", "public.item has no column `pric` that may be read",
	}
	if !slices.Equal(told, want) {
		t.Errorf("it warns of\n%s", strings.Join(told, "\n"))
	}
}
