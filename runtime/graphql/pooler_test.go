//go:build unix

package graphql_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// TestBehindAPooler reads, writes and takes on roles over connections that change with each transaction.
func TestBehindAPooler(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t, sql(t, keysTable(t)+counters+`
		create table item (id serial primary key, owner text not null default current_setting('request.jwt.claims')::json ->> 'sub', span interval, at timestamptz);
		insert into item (owner, span, at) values ('x', '1 day 2 hours', '2020-01-01 00:00+02');`))
	pool, err := postgres.Connect(t.Context(), pgtest.Pooled(t, address, 2), postgres.PoolOptions{Size: 2, Pooler: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := graphql.New(graphql.DefaultConfig(), graphql.Deps{Pool: pool, Connections: 6, Unnamed: true, Schemas: []string{"public"}, Dev: true, Log: quiet})
	t.Cleanup(s.Close)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for worker := range 6 {
		asking.Go(func() {
			subject := fmt.Sprint("s", worker)
			for i := range 20 {
				for query, want := range map[string]string{
					`{ items(limit: 1, orderBy: [{id: ASC}]) { span at } }`:                                                                 `{"items":[{"span":"P1DT2H","at":"2019-12-31T22:00:00+00:00"}]}`,
					`{ a: items(limit: 1, orderBy: [{id: ASC}]) { owner } b: counters(limit: 101, where: {id: {lte: 2}}) { id } }`:          `{"a":[{"owner":"x"}],"b":[{"id":1},{"id":2}]}`,
					`mutation { createItem(input: {}) { owner } }`:                                                                          `{"createItem":{"owner":"` + subject + `"}}`,
					`mutation { updateCounter(id: 1, set: {_inc: {n: 1}}) { id } again: updateCounter(id: 1, set: {_inc: {n: 1}}) { id } }`: `{"updateCounter":{"id":1},"again":{"id":1}}`,
				} {
					who := as("", subject)
					who.Role = ""
					got := s.Execute(t.Context(), transport.Request{Query: query, Principal: who})
					if len(got.Errors) > 0 || compact(t, got.Data) != want {
						t.Errorf("%s, %d: %s gave %s %s", subject, i, query, got.Data, firstError(got))
					}
				}
				got := s.Execute(t.Context(), transport.Request{Query: `mutation { createItem(input: {}) { owner } }`, Principal: as("", subject), IdempotencyKey: fmt.Sprint("key", i)})
				if len(got.Errors) > 0 || !strings.Contains(string(got.Data), subject) {
					t.Errorf("with a key: %s %s", got.Data, firstError(got))
				}
			}
		})
	}
	asking.Wait()
	if n := counted(t, pool, 1); n != 6*20*2 {
		t.Errorf("%d changes were made, want %d", n, 6*20*2)
	}
}

// TestSubscriptionsBehindAPooler tells of changes over connections that change with each transaction.
func TestSubscriptionsBehindAPooler(t *testing.T) {
	t.Parallel()
	l := livelyBy(t, graphql.DefaultConfig(), time.Hour, records, func(address string) *pgxpool.Pool {
		pool, err := postgres.Connect(t.Context(), pgtest.Pooled(t, address, 3), postgres.PoolOptions{Size: 6, Pooler: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		return pool
	})
	all := l.stream(t, "", `subscription { c: albumChanged { op key album { title artist { name } } } }`, "")
	some := l.stream(t, "", `subscription { c: albumChanged(where: {year: {gt: 2001}}) { op key } }`, "")
	for i := 10; i < 30; i++ {
		exec(t, l.owner, fmt.Sprintf("insert into album values (%d, 1, 'x', %d)", i, 1992+i))
		all.expect(fmt.Sprintf(`{"op":"INSERT","key":{"albumId":%d},"album":{"title":"x","artist":{"name":"A"}}}`, i))
		if 1992+i > 2001 {
			some.expect(fmt.Sprintf(`{"op":"INSERT","key":{"albumId":%d}}`, i))
		}
	}
	exec(t, l.owner, "delete from album where album_id = 29")
	some.expect(`{"op":"DELETE","key":{"albumId":29}}`)
	all.expect(`{"op":"DELETE","key":{"albumId":29},"album":null}`)
}
