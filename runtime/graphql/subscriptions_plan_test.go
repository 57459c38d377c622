package graphql_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestRowsAreSoughtByTheirKeys has tables under row security: an index is asked before the policy, where PostgreSQL lets it, and
// a policy is never judged for each row and each key.
func TestRowsAreSoughtByTheirKeys(t *testing.T) {
	t.Parallel()
	var script strings.Builder
	kinds := map[string]string{"int": "i", "bigint": "i", "uuid": "md5(i::text)::uuid", "text": "i::text", "numeric": "i"}
	script.WriteString(`grant usage on schema public to member_DB;`)
	for kind, value := range kinds {
		script.WriteString(strings.NewReplacer("KIND", kind, "VALUE", value).Replace(`
			create table of_KIND (id KIND, part int, owner text, note text, hidden text, primary key (id, part));
			insert into of_KIND select VALUE, 1, 'ann' from generate_series(1, 5000) i;
			alter table of_KIND enable row level security;
			create policy own on of_KIND to member_DB using (owner = current_setting('request.jwt.claims', true)::json ->> 'sub');
			grant select (id, part, owner, note) on of_KIND to member_DB;`))
	}
	l := lively(t, graphql.DefaultConfig(), script.String()+"analyze;")
	for kind := range kinds {
		name := "of" + strings.ToUpper(kind[:1]) + kind[1:]
		for _, selection := range []string{"{ op }", "{ " + name + " { note } }"} {
			bound, err := l.service.Statements(transport.Request{Principal: as("member", "ann"), Query: "subscription { " + name + `Changed(where: {_or: [{note: {eq: "a"}}, {note: {isnull: true}}]}) ` + selection + " }"})
			if err != nil {
				t.Fatal(err)
			}
			call := bound.For([]byte(`[{"id": "00000000-0000-0000-0000-000000000007", "part": 1}]`)).Calls[0]
			arguments := []any{pgx.QueryExecModeSimpleProtocol}
			for _, a := range call.Args {
				arguments = append(arguments, string(a))
			}
			tx, err := l.owner.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), l.in(`set local role member_DB`)); err != nil {
				t.Fatal(err)
			}
			rows, err := tx.Query(t.Context(), "explain "+call.SQL, arguments...)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			_ = tx.Rollback(t.Context())
			text := strings.Join(lines, "\n")
			if indexed := strings.Contains(text, "Index Cond: ((id = "); indexed != (kind != "numeric") || !indexed && strings.Contains(text, "Nested Loop") {
				t.Errorf("%s of %s runs as\n%s", selection, kind, text)
			}
		}
	}
}
