package graphql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
	"github.com/fraiseql/fraiseql/runtime/postgres"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

// shelves are tables of which each answer is known: whatever is about shelf 7 says so.
const shelves = `
	create table shelf (id int primary key, label text not null);
	create table item (id int primary key, shelf_id int not null references shelf, name text not null);
	insert into shelf select i, 'shelf ' || i from generate_series(1, 500) i;
	insert into item select i * 10 + j, i, 'item ' || j || ' of ' || i || repeat('.', i) from generate_series(1, 500) i, generate_series(1, 3) j;
	create index on item (shelf_id);`

const shelfFields = " { id label items(orderBy: [{id: ASC}]) { id name shelf { label } } }"

func shelf(id int) string {
	var items []string
	for j := 1; j <= 3; j++ {
		items = append(items, fmt.Sprintf(`{"id":%d,"name":"item %d of %d%s","shelf":{"label":"shelf %d"}}`, id*10+j, j, id, strings.Repeat(".", id), id))
	}
	return fmt.Sprintf(`{"id":%d,"label":"shelf %d","items":[%s]}`, id, id, strings.Join(items, ","))
}

// openShelves gives a service that reaches the database at an address.
func openShelves(t *testing.T, address string, timeout time.Duration, log io.Writer) *graphql.Service {
	t.Helper()
	pool, err := postgres.Connect(t.Context(), address, postgres.PoolOptions{Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s := graphql.New(graphql.DefaultConfig(), graphql.Deps{Pool: pool, Schemas: []string{"public"}, Timeout: timeout, Log: slog.New(slog.NewTextHandler(log, nil))})
	t.Cleanup(s.Close)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// crowd asks a service all the time, and knows each right answer.
type crowd struct {
	t       *testing.T
	service *graphql.Service
	ended   atomic.Int64
	failed  atomic.Int64
	since   atomic.Int64 // when the database became reachable: right answers to later questions count
	right   [16]atomic.Int64
	judge   func(transport.Response) error // of an answer with errors
}

// gather lets the crowd ask until stop is called.
func (c *crowd) gather() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	for i := range c.right {
		asking.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				c.ask(i, n)
			}
		})
	}
	return func() { cancel(); asking.Wait() }
}

func (c *crowd) ask(i, n int) {
	began := time.Now().UnixNano()
	a, b := 1+rand.IntN(500), 1+rand.IntN(500)
	a, b = min(a, b), max(a, b)
	if a == b {
		b++
	}
	query, want := "query($a: Int!) { shelf(id: $a)"+shelfFields+" }", `{"shelf":`+shelf(a)+`}`
	switch n % 3 {
	case 1:
		query = "query($a: Int!, $b: Int!) { shelves(where: {id: {in: [$a, $b]}}, orderBy: [{id: ASC}])" + shelfFields + " }"
		want = `{"shelves":[` + shelf(a) + `,` + shelf(b) + `]}`
	case 2:
		query = "query($a: Int!, $b: Int!) { b: shelf(id: $b)" + shelfFields + " a: shelf(id: $a)" + shelfFields + " }"
		want = `{"b":` + shelf(b) + `,"a":` + shelf(a) + `}`
	}
	if b > 500 {
		query, want = "query($a: Int!) { item(id: $a) { id } }", `{"item":null}`
	}
	variables := map[string]any{"a": json.Number(strconv.Itoa(a))}
	if strings.Contains(query, "$b") {
		variables["b"] = json.Number(strconv.Itoa(b))
	}
	got := c.service.Execute(context.Background(), transport.Request{Query: query, Variables: variables})
	c.ended.Add(1)
	if len(got.Errors) > 0 {
		c.failed.Add(1)
		if err := c.judge(got); err != nil {
			c.t.Errorf("%v: %s %v", err, got.Data, got.Errors)
		}
		return
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, got.Data); err != nil || compact.String() != want {
		c.t.Errorf("a wrong answer to %s %v\n got %s\nwant %s", query, variables, got.Data, want)
		return
	}
	if since := c.since.Load(); since > 0 && began >= since {
		c.right[i].Add(1)
	}
}

// more waits until so many requests more have ended.
func (c *crowd) more(n int64) {
	c.t.Helper()
	before := c.ended.Load()
	wait(c.t, func() bool { return c.ended.Load() >= before+n })
}

// everybody waits until everybody has a right answer to a question from now on, and gives how long that took.
func (c *crowd) everybody() time.Duration {
	c.t.Helper()
	for i := range c.right {
		c.right[i].Store(0)
	}
	began := time.Now()
	c.since.Store(began.UnixNano())
	defer c.since.Store(0)
	for i := range c.right {
		wait(c.t, func() bool { return c.right[i].Load() > 0 })
	}
	return time.Since(began)
}

// recovers requires that everybody gets a right answer in time, beginning now.
func (c *crowd) recovers() {
	c.t.Helper()
	took := c.everybody().Round(time.Millisecond)
	c.t.Logf("everybody has a right answer after %v", took)
	if took > 10*time.Second { // by itself 2 s are enough; beside other tests the machine may be late, not the service
		c.t.Errorf("that is too late")
	}
}

// TestALineThatIsCutStallsOrIsReset has a proxy between the service and PostgreSQL that spoils the line in each way
// that it can. No answer is ever wrong, no error says anything but that the database was away or too slow, and
// when the line is good again everybody is served at once. It is not parallel: that is a time, of which tests
// beside it would take their part.
func TestALineThatIsCutStallsOrIsReset(t *testing.T) {
	address, err := url.Parse(pgtest.Database(t, sql(t, shelves)))
	if err != nil {
		t.Fatal(err)
	}
	zerolog.SetGlobalLevel(zerolog.Disabled) // some of the proxy's parts write to the standard error else
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "line", "127.0.0.1:0", address.Host)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	address.Host = proxy.Listen
	c := &crowd{t: t, service: openShelves(t, address.String(), time.Second, io.Discard), judge: func(got transport.Response) error {
		switch code := code(got); {
		case code == "TIMEOUT", code == "INTERNAL_SERVER_ERROR" && got.Unavailable:
			return nil
		}
		return fmt.Errorf("an error of another kind (unavailable: %v)", got.Unavailable)
	}}
	t.Cleanup(c.gather())
	c.more(300)
	for _, spoilt := range []struct {
		toxic string
		least int64 // requests that end while it is on
		harms bool  // some of them must fail, or else nothing was tried
	}{
		{`{"type": "latency", "attributes": {"latency": 30, "jitter": 30}}`, 100, false},
		{`{"type": "latency", "attributes": {"latency": 3000}}`, 24, true},
		{`{"type": "bandwidth", "attributes": {"rate": 20}}`, 60, false},
		{`{"type": "slicer", "attributes": {"average_size": 5, "size_variation": 4, "delay": 10}}`, 200, false},
		{`{"type": "timeout", "stream": "downstream", "attributes": {"timeout": 0}}`, 24, true},
		{`{"type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`, 24, true},
		{`{"type": "timeout", "attributes": {"timeout": 100}}`, 24, true},
		{`{"type": "reset_peer", "attributes": {"timeout": 0}}`, 100, true},
		{`{"type": "reset_peer", "attributes": {"timeout": 200}}`, 100, false},
		{`{"type": "limit_data", "attributes": {"bytes": 3000}}`, 100, false},
		{`{"type": "limit_data", "stream": "upstream", "attributes": {"bytes": 1500}}`, 100, false},
	} {
		failed, ended := c.failed.Load(), c.ended.Load()
		toxic, err := proxy.Toxics.AddToxicJson(strings.NewReader(spoilt.toxic))
		if err != nil {
			t.Fatal(err)
		}
		c.more(spoilt.least)
		if err := proxy.Toxics.RemoveToxic(t.Context(), toxic.Name); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d of %d failed", spoilt.toxic, c.failed.Load()-failed, c.ended.Load()-ended)
		if spoilt.harms && c.failed.Load() == failed {
			t.Errorf("%s harmed nobody", spoilt.toxic)
		}
		c.recovers()
	}
	for range 3 {
		failed := c.failed.Load()
		proxy.Stop()
		wait(t, func() bool { return c.failed.Load() > failed+20 })
		var err error
		wait(t, func() bool { // the address has to stay, and whoever asked for some port may have it
			err = proxy.Start()
			return !errors.Is(err, syscall.EADDRINUSE)
		})
		if err != nil {
			t.Fatal(err)
		}
		c.recovers()
	}
}

// TestBackendsThatEndFailNoRequest ends backends of the service under load: reads are sent again.
func TestBackendsThatEndFailNoRequest(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t, sql(t, shelves))
	admin, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	c := &crowd{t: t, service: openShelves(t, address, 20*time.Second, t.Output()), judge: func(transport.Response) error { return fmt.Errorf("a request failed") }}
	t.Cleanup(c.gather())
	for range times(30) {
		c.everybody() // nobody's question is lost with two backends: it would be sent again once only
		_, err := admin.Exec(t.Context(), `select pg_terminate_backend(pid, 60000) from pg_stat_activity
			where datname = current_database() and application_name = 'fraiseql' order by random() limit 1`)
		if err != nil {
			t.Fatal(err)
		}
	}
	c.everybody()
}
