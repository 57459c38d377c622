package policy_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/deployment/policy"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/postgres/pgtest"
)

const tables = `
create table open (id int primary key, name text, secret text);
insert into open values (1, 'a', 's');
create table item (tenant int, id int, owner text, hidden boolean default false, primary key (tenant, id));
insert into item values (1, 1, 'ann', false), (1, 2, 'bob', false), (1, 3, 'ann', true);
alter table item enable row level security;
create policy own on item to member_DB using (owner = current_setting('request.jwt.claims')::json ->> 'sub');
create policy look on item for select to guest_DB using (true);
create policy shown on item as restrictive to public using (not hidden);
create policy odd on item for delete to guest_DB using (1 / (tenant - 1) > 0);
grant select (id, name), update (name) on open to member_DB;
grant select, update on item to member_DB;
grant select, delete on item to public;
create table keyless (n int);
create view shown_to_all as select * from item; grant select on shown_to_all to member_DB;
`

// TestAListForAReviewer explains rows of tables with and without policies to several roles.
func TestAListForAReviewer(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	name := conn.Config().Database // roles are of the whole cluster
	in := func(text string) string { return strings.ReplaceAll(text, "_DB", "_"+name) }
	exec := func(sql string) {
		if _, err := conn.Exec(context.WithoutCancel(t.Context()), in(sql)); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	t.Cleanup(func() {
		exec("drop owned by member_DB, guest_DB, owner_DB, all_DB; drop role member_DB, guest_DB, owner_DB, all_DB")
		_ = conn.Close(context.WithoutCancel(t.Context()))
	})
	exec("create role member_DB; create role guest_DB; create role owner_DB; create role all_DB bypassrls")
	exec(tables)
	for _, c := range []struct {
		question policy.Question
		want     []string // lines, or parts of the error
	}{
		{policy.Question{Role: "member_DB", Table: "open", Key: []string{"1"}}, []string{
			"schema public yes granted to PUBLIC", "select public.open no not granted on the whole table: see the columns", "insert public.open no not granted on the whole table: see the columns",
			"update public.open no not granted on the whole table: see the columns", "delete public.open no not granted to member_DB, to a role that it has the rights of, or to PUBLIC",
			"column id select select granted to member_DB", "column name select, update select granted to member_DB, update granted to member_DB", "column secret nothing no grant names the column, nor the table",
			"row security public.open off every row is seen by who may select", "row 1 seen row security is off", "update 1 yes row security is off", "delete 1 no not granted",
		}},
		{policy.Question{Role: "member_DB", Table: "public.item", Key: []string{"1", "2"}, Claims: `{"sub": "ann"}`}, []string{
			"policy own false permissive, for all, to member_DB, using (owner = ((current_setting('request.jwt.claims'::text))::json ->> 'sub'::text))",
			"policy shown true restrictive, for all, to PUBLIC, using (NOT hidden)", "row 1, 2 not seen no permissive policy for select allows it", "update 1, 2 no the row is not seen",
		}},
		{policy.Question{Role: "member_DB", Table: "item", Key: []string{"id=1", "tenant=1"}, Claims: `{"sub": "ann"}`}, []string{
			"row security public.item on", "policy look for others permissive, for select, to guest_DB, using true", "policy own true", "row id=1, tenant=1 seen the policy own allows it", "update id=1, tenant=1 yes the policy own allows it; what the row becomes has to be allowed as well",
		}},
		{policy.Question{Role: "member_DB", Table: "item", Key: []string{"1", "3"}, Claims: `{"sub": "ann"}`}, []string{"row 1, 3 not seen the restrictive policy shown forbids it"}},
		{policy.Question{Role: "member_DB", Table: "item", Key: []string{"1", "1"}}, []string{"policy own false", "row 1, 1 not seen"}},
		{policy.Question{Role: "guest_DB", Table: "item", Key: []string{"1", "2"}}, []string{
			"select public.item yes granted to PUBLIC", "policy odd fails permissive, for delete, to guest_DB, using ((1 / (tenant - 1)) > 0); an error: division by zero",
			"row 1, 2 seen the policy look allows it", "update 1, 2 no not granted", "delete 1, 2 no the policy odd fails, and every statement with it",
		}},
		{policy.Question{Role: "all_DB", Table: "item", Key: []string{"1", "3"}}, []string{"row security public.item passed by the role has BYPASSRLS", "row 1, 3 seen the role has BYPASSRLS"}},
		{policy.Question{Role: "guest_DB", Table: "item"}, []string{"policy look for the role permissive", "policy own for others"}},
		{policy.Question{Role: "member_DB", Table: "shown_to_all"}, []string{"view public.shown_to_all passes by it reads item as postgres, for whom their policies do not hold", "row security public.shown_to_all off"}},
		{policy.Question{Role: "nobody_DB", Table: "item"}, []string{"the database has no role `nobody_DB`"}},
		{policy.Question{Role: "guest_DB", Table: "item", Claims: "sub"}, []string{"the claims are no JSON"}},
		{policy.Question{Role: "guest_DB", Table: "itme"}, []string{"there is no table `itme` in public"}},
		{policy.Question{Role: "guest_DB", Table: "item", Key: []string{"1", "9"}}, []string{"there is no row with this key that "}},
		{policy.Question{Role: "guest_DB", Table: "item", Key: []string{"1"}}, []string{"the primary key of public.item is (tenant, id) --key tenant=… --key id=…"}},
		{policy.Question{Role: "guest_DB", Table: "keyless", Key: []string{"1"}}, []string{"public.keyless has no primary key to find a row by"}},
	} {
		c.question.Role, c.question.Schemas = in(c.question.Role), []string{"public"}
		lines, err := policy.Explain(t.Context(), conn, c.question)
		var got []string
		if refusal, told := fault.As(err); told {
			got = []string{refusal.Message + " " + refusal.Hint}
		} else if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			got = append(got, fmt.Sprintf("%s %s %s %s", l.What, l.Subject, l.Answer, l.Why))
		}
		text := strings.Join(got, "\n")
		for _, line := range c.want {
			if !strings.Contains("\n"+text, "\n"+in(line)) {
				t.Errorf("%+v: there is no line %q in\n%s", c.question, in(line), text)
			}
		}
	}
	var same bool
	var claims string
	if err := conn.QueryRow(t.Context(), "select current_user = session_user, coalesce(current_setting('request.jwt.claims', true), '')").Scan(&same, &claims); err != nil || !same || claims != "" {
		t.Errorf("it left a role (%t) or claims (%q) behind: %v", !same, claims, err)
	}
}
