package graphql_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

const failing = `
	create domain even as int check (value % 2 = 0);
	create table parent (id int primary key, name text not null unique, email text, constraint email_form check (email like '%@%'));
	create unique index parent_email_folded on parent (lower(email));
	create table child (id int primary key, parent_id int not null references parent, twin int references child deferrable initially deferred, even even,
		during int4range, exclude using gist (during with &&));
	create table tree (id int primary key, up int references tree);
	create table slot (a int, b int, unique (a, b));
	create table part (id int, day date, primary key (id, day)) partition by range (day);
	create table part_2020 partition of part for values from ('2020-01-01') to ('2021-01-01');
	create table picky (id int primary key, n int);
	create table mute (id int primary key, days date[], amount numeric(4, 2));
	create function grumble() returns trigger language plpgsql as $$ begin
		if new.n = 1 then raise exception 'the hidden word in public.picky'; end if;
		if new.n = 2 then perform 1 / (new.n - 2); end if;
		if new.n = 3 then perform pg_sleep(20); end if;
		if new.n = 4 then raise exception using errcode = '40001'; end if;
		if new.n = 5 then execute 'select nothing from nowhere'; end if;
		if new.n = 7 then perform pg_terminate_backend(pg_backend_pid()); end if;
		return new; end $$;
	create trigger grumble before insert or update on picky for each row execute function grumble();
	create function silent() returns trigger language plpgsql as $$ begin return null; end $$;
	create trigger silent before insert on mute for each row execute function silent();
	create view broken as select id, 1 / (id - id) as ratio, (n::text || 'x')::int as number from picky;
	create view few as select * from parent where id < 10 with check option;
	insert into parent values (1, 'one', 'a@b'), (2, 'two', null);
	insert into child values (1, 1, null, 2, '[1,5)');
	insert into tree values (1, null), (2, 1);
	insert into slot values (1, 1);
	insert into part values (1, '2020-05-05');
	insert into picky values (10, 10);`

// TestFailures provokes them: each has its code, what is told of it, and nothing else; what is masked has an id that
// stands in the log once, beside the cause.
func TestFailures(t *testing.T) {
	t.Parallel()
	var lock sync.Mutex
	var log bytes.Buffer
	s, pool := openWith(t, graphql.DefaultConfig(), graphql.Deps{Log: slog.New(slog.NewTextHandler(locked{&lock, &log}, nil)), Timeout: 2 * time.Second}, sql(t, failing))
	for query, want := range map[string]string{
		`mutation { createParent(input: {id: 1, name: "x"}) { id } }`:                                                                     `CONFLICT parent_pkey id`,
		`mutation { createParent(input: {id: 3, name: "one"}) { id } }`:                                                                   `CONFLICT parent_name_key name`,
		`mutation { createParent(input: {id: 3, name: "x", email: "A@B"}) { id } }`:                                                       `CONFLICT parent_email_folded email`,
		`mutation { updateParent(id: 2, set: {name: "one"}) { id } }`:                                                                     `CONFLICT parent_name_key name`,
		`mutation { createSlot(input: {a: 1, b: 1}) { a } }`:                                                                              `CONFLICT slot_a_b_key a b`,
		`mutation { createPart(input: {id: 1, day: "2020-05-05"}) { id } }`:                                                               `CONFLICT part_2020_pkey id day`,
		`mutation { createPart(input: {id: 1, day: "1999-05-05"}) { id } }`:                                                               `CONSTRAINT_VIOLATION`,
		`mutation { createChild(input: {id: 2, parentId: 1, during: "[2,3)"}) { id } }`:                                                   `CONFLICT child_during_excl during`,
		`mutation { createParent(input: {id: 3, name: "x", email: "none"}) { id } }`:                                                      `CONSTRAINT_VIOLATION email_form email`,
		`mutation { updateParents(where: {}, set: {email: "none"}) { id } }`:                                                              `CONSTRAINT_VIOLATION email_form email`,
		`mutation { updateParent(id: 1, set: {name: null}) { id } }`:                                                                      `CONSTRAINT_VIOLATION name`,
		`mutation { createChild(input: {id: 2, parentId: 99}) { id } }`:                                                                   `CONSTRAINT_VIOLATION child_parent_id_fkey parentId`,
		`mutation { updateChild(id: 1, set: {parentId: 99}) { id } }`:                                                                     `CONSTRAINT_VIOLATION child_parent_id_fkey parentId`,
		`mutation { deleteParent(id: 1) { id } }`:                                                                                         `CONSTRAINT_VIOLATION child_parent_id_fkey parentId`,
		`mutation { updateParent(id: 1, set: {id: 7}) { id } }`:                                                                           `CONSTRAINT_VIOLATION child_parent_id_fkey parentId`,
		`mutation { deleteTree(id: 1) { id } }`:                                                                                           `CONSTRAINT_VIOLATION tree_up_fkey up`,
		`mutation { updateTree(id: 1, set: {up: 9}) { id } }`:                                                                             `CONSTRAINT_VIOLATION tree_up_fkey up`,
		`mutation { createChild(input: {id: 2, parentId: 1, twin: 77}) { id } }`:                                                          `CONSTRAINT_VIOLATION child_twin_fkey twin`, // at the end of the transaction
		`mutation { a: createParent(input: {id: 5, name: "5"}) { id } b: createChild(input: {id: 5, parentId: 5, twin: 77}) { id } }`:     `CONSTRAINT_VIOLATION child_twin_fkey twin`,
		`mutation { createChild(input: {id: 2, parentId: 1, even: 3}) { id } }`:                                                           `CONSTRAINT_VIOLATION even_check`,
		`mutation { createFew(input: {id: 11, name: "x"}) { id } }`:                                                                       `CONSTRAINT_VIOLATION`,
		`mutation { createMute(input: {id: 1}) { id } }`:                                                                                  `CONSTRAINT_VIOLATION`,
		`mutation { createChild(input: {id: 2, parentId: 1, during: "[5,1)"}) { id } }`:                                                   `BAD_USER_INPUT`,
		`mutation { createPart(input: {id: 1, day: "2020-13-05"}) { id } }`:                                                               `BAD_USER_INPUT`,
		`mutation { createParent(input: {id: 3, name: "a\u0000b"}) { id } }`:                                                              `BAD_USER_INPUT`,
		`mutation { updateParent(id: 1, set: {_inc: {id: 2147483647}}) { id } }`:                                                          `BAD_USER_INPUT`,
		`mutation { createPicky(input: {id: 1, n: 1}) { id } }`:                                                                           `INTERNAL_SERVER_ERROR`,
		`mutation { createPicky(input: {id: 1, n: 2}) { id } }`:                                                                           `INTERNAL_SERVER_ERROR`,
		`mutation { createPicky(input: {id: 1, n: 3}) { id } }`:                                                                           `TIMEOUT`,
		`mutation { createPicky(input: {id: 1, n: 4}) { id } }`:                                                                           `CONFLICT`,
		`mutation { createPicky(input: {id: 1, n: 5}) { id } }`:                                                                           `INTERNAL_SERVER_ERROR`,
		`mutation { createPicky(input: {id: 1, n: 7}) { id } }`:                                                                           `INTERNAL_SERVER_ERROR`,
		`mutation { createMute(input: {id: 1, amount: "100"}) { id } }`:                                                                   `BAD_USER_INPUT`,
		`mutation { createMutes(input: [{id: 1, days: ["2020-01-01"]}, {id: 2, days: ["2020-13-01"]}]) { id } }`:                          `BAD_USER_INPUT`,
		`mutation ($m: [MuteInput!]! = [{id: 1, days: ["2020-01-01"]}, {id: 2, days: ["2020-13-01"]}]) { createMutes(input: $m) { id } }`: `BAD_USER_INPUT`,
		`{ brokens { ratio } }`:                                 `INTERNAL_SERVER_ERROR`,
		`{ brokens { number } }`:                                `INTERNAL_SERVER_ERROR`,
		`{ parent(id: 99999999999) { id } }`:                    `GRAPHQL_VALIDATION_FAILED`,
		`{ childrens { id } }`:                                  `GRAPHQL_VALIDATION_FAILED`,
		`{ parents(limit: 5000) { id } }`:                       `BAD_USER_INPUT`,
		`{ parents`:                                             `GRAPHQL_PARSE_FAILED`,
		`query A { parents { id } } query B { parents { id } }`: `OPERATION_RESOLUTION_FAILURE`,
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			got := s.Execute(t.Context(), transport.Request{Query: query})
			if len(got.Errors) == 0 {
				t.Fatalf("it gave %s", got.Data)
			}
			e := got.Errors[0]
			code, rest, _ := strings.Cut(want, " ")
			constraint, fields := "", strings.Fields(rest)
			if len(fields) > 0 && strings.Contains(fields[0], "_") {
				constraint, fields = fields[0], fields[1:]
			}
			named, _ := e.Extensions["constraint"].(string)
			has, _ := e.Extensions["fields"].([]string)
			if e.Extensions["code"] != code || named != constraint || strings.Join(has, " ") != strings.Join(fields, " ") || len(fields) > 0 && e.Extensions["field"] != fields[0] {
				t.Errorf("it gave %s %v, want %s", firstError(got), e.Extensions, want)
			}
			text, err := json.Marshal(got.Errors)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"hidden", "public.", "fraiseql.", "nowhere", "insert into", "returning", "SQLSTATE", ".go:", "goroutine", "$1", "part_2020\""} {
				if strings.Contains(string(text), word) {
					t.Errorf("a client is told %q: %s", word, text)
				}
			}
			id, masked := e.Extensions["errorId"].(string)
			if masked != (code == "INTERNAL_SERVER_ERROR") {
				t.Errorf("masked: %v, %s", masked, text)
			}
			lock.Lock()
			defer lock.Unlock()
			if n := strings.Count(log.String(), id); masked && n != 1 {
				t.Errorf("the log has the id %d times", n)
			}
		})
	}
	t.Cleanup(func() {
		var rows string
		if err := pool.QueryRow(t.Context(), "select concat_ws(' ', (select count(*) from parent), (select count(*) from child), (select count(*) from picky))").Scan(&rows); err == nil && rows != "2 1 1" {
			t.Errorf("failures have left rows: %s", rows)
		}
	})
}
