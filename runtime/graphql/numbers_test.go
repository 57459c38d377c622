package graphql_test

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// asNumbers is a configuration in which exact numbers are JSON numbers.
func asNumbers(bigint, decimal string) graphql.Config {
	c := graphql.DefaultConfig()
	c.BigInt, c.Decimal = bigint, decimal
	return c
}

// TestNumbersAreExact has the same digits in numbers as in strings.
func TestNumbersAreExact(t *testing.T) {
	t.Parallel()
	bigs := map[string][2]string{
		"big":     {`9223372036854775807`, `0`},
		"numbers": {`[1,null,-9223372036854775808]`, `[]`},
	}
	decimals := map[string][2]string{
		"exact":                {`12345678901234567890123456789.123456789`, `"NaN"`},
		"wide":                 {`0.0000000001`, `null`},
		"cash":                 {`-1234.56`, `0.00`},
		"amounts":              {`[1.50,null]`, `[]`},
		"place { x y label }":  {`{"x":1.5,"y":2.50,"label":"x"}`, `{"x":null,"y":null,"label":null}`},
		"places { x y label }": {`[{"x":1,"y":2,"label":"y"},null]`, `[]`},
	}
	for _, c := range []struct {
		bigint, decimal string
		changed         []map[string][2]string
	}{
		{"number", "number", []map[string][2]string{bigs, decimals}},
		{"number", "string", []map[string][2]string{bigs}},
		{"string", "number", []map[string][2]string{decimals}},
	} {
		want := maps.Clone(scalars)
		for _, changed := range c.changed {
			maps.Copy(want, changed)
		}
		s, _ := open(t, asNumbers(c.bigint, c.decimal), filepath.Join(testdata, "scalars", "values.sql"))
		areExact(t, s, want)
	}
}

const ledger = `
	create domain price as numeric(12,2);
	create table account (id bigint primary key, name text not null, balance numeric, plain price, cash money, object oid, tx xid8, counts bigint[], sums numeric[], objects oid[], age int);
	create table entry (id bigint primary key, account_id bigint not null references account, amount numeric not null, n bigint);
	create table note (id bigint primary key, account_id bigint not null references account, said text);
	insert into account values
		(9007199254740993, 'a', 0.10, 12.5, 3, 4294967295, '18446744073709551615', '{9007199254740993,null}', '{0.10,NaN}', '{1,4294967295}', 3),
		(2, 'b', 'Infinity', null, null, null, null, null, null, null, null);
	insert into entry values (1, 9007199254740993, 0.1, 9223372036854775807), (2, 9007199254740993, 0.2, 9223372036854775807), (3, 2, 'NaN', 1);
	insert into note values (1, 9007199254740993, 'x');
	create function total(of bigint) returns numeric language sql stable as $$ select sum(amount) from entry where account_id = of $$;
	create function biggest() returns setof bigint language sql stable as $$ select 9007199254740993::bigint $$;
	create function account_double(a account) returns numeric language sql stable as $$ select a.balance * 2 $$;
	create function summed(out n bigint, out amount numeric) language sql stable as $$ select 9007199254740993, 1.50 $$;`

// TestNumbersOfAllKinds has them in lists, objects, aggregates, groups, functions and mutations, as Go and PostgreSQL write
// them. Inputs are taken as both.
func TestNumbersOfAllKinds(t *testing.T) {
	t.Parallel()
	file := sql(t, ledger)
	c := asNumbers("number", "number")
	c.Relay, c.NodeID = true, "gid"
	s, _ := open(t, c, file)
	texts := asNumbers("string", "string")
	texts.Relay, texts.NodeID = true, "gid"
	texted, _ := open(t, texts, file)
	for _, c := range [][2]string{
		{
			`{ accounts(orderBy: [{id: DESC}]) { id balance plain cash object tx counts sums objects double } }`,
			`{"accounts":[{"id":9007199254740993,"balance":0.10,"plain":12.50,"cash":3.00,"object":4294967295,"tx":18446744073709551615,"counts":[9007199254740993,null],"sums":[0.10,"NaN"],"objects":[1,4294967295],"double":0.20},` +
				`{"id":2,"balance":"Infinity","plain":null,"cash":null,"object":null,"tx":null,"counts":null,"sums":null,"objects":null,"double":"Infinity"}]}`,
		},
		{
			`{ accounts(orderBy: [{id: DESC}], limit: 1) { notes { account { id balance plain cash object tx counts sums objects double } } entries(orderBy: [{id: ASC}]) { id amount n } } }`,
			`{"accounts":[{"notes":[{"account":{"id":9007199254740993,"balance":0.10,"plain":12.50,"cash":3.00,"object":4294967295,"tx":18446744073709551615,"counts":[9007199254740993,null],"sums":[0.10,"NaN"],"objects":[1,4294967295],"double":0.20}}],` +
				`"entries":[{"id":1,"amount":0.1,"n":9223372036854775807},{"id":2,"amount":0.2,"n":9223372036854775807}]}]}`,
		},
		{
			`{ entriesAggregate { count sum { n amount } avg { n } min { amount id } max { n } } accountsAggregate { sum { age cash } avg { age } } }`,
			`{"entriesAggregate":{"count":3,"sum":{"n":18446744073709551615,"amount":"NaN"},"avg":{"n":6148914691236517205},"min":{"amount":0.1,"id":1},"max":{"n":9223372036854775807}},"accountsAggregate":{"sum":{"age":3,"cash":3.00},"avg":{"age":3.0000000000000000}}}`,
		},
		{
			`{ entriesGroupBy(by: [accountId], orderBy: [{key: {accountId: DESC}}]) { key { accountId } sum { amount } } accounts(orderBy: [{id: DESC}]) { entriesAggregate { sum { amount n } } } }`,
			`{"entriesGroupBy":[{"key":{"accountId":9007199254740993},"sum":{"amount":0.3}},{"key":{"accountId":2},"sum":{"amount":"NaN"}}],"accounts":[{"entriesAggregate":{"sum":{"amount":0.3,"n":18446744073709551614}}},{"entriesAggregate":{"sum":{"amount":"NaN","n":1}}}]}`,
		},
		{
			`{ total(of: 9007199254740993) biggest summed { n amount } account(id: "9007199254740993") { id } accounts(where: {balance: {eq: 0.1}, counts: {array_contains: [9007199254740993]}}) { id } }`,
			`{"total":0.3,"biggest":[9007199254740993],"summed":{"n":9007199254740993,"amount":1.50},"account":{"id":9007199254740993},"accounts":[{"id":9007199254740993}]}`,
		},
		{
			`mutation { createAccount(input: {id: 9007199254740995, name: "c", balance: 12345678901234567890.10, plain: "7.5", cash: 8, tx: 5, counts: [1, "2"]}) { id balance plain cash tx counts }
				updateAccount(id: 2, set: {balance: "0.30", sums: [1.10, "2.20"]}) { id balance sums entries { amount } } createEntries(input: [{id: 9, accountId: 2, amount: 1}, {id: "10", accountId: "2", amount: "1.5"}]) { id amount } }`,
			`{"createAccount":{"id":9007199254740995,"balance":12345678901234567890.10,"plain":7.50,"cash":8.00,"tx":5,"counts":[1,2]},"updateAccount":{"id":2,"balance":0.30,"sums":[1.10,2.20],"entries":[{"amount":"NaN"}]},"createEntries":[{"id":9,"amount":1},{"id":10,"amount":1.5}]}`,
		},
	} {
		got := s.Execute(t.Context(), transport.Request{Query: c[0]})
		if len(got.Errors) > 0 || compact(t, got.Data) != c[1] {
			t.Errorf("%s\n got %s %s\nwant %s", c[0], got.Data, firstError(got), c[1])
		}
	}
	variables := map[string]any{"id": json.Number("9007199254740995"), "b": "12345678901234567890.1"}
	got := s.Execute(t.Context(), transport.Request{Query: `query($id: BigInt!, $b: Decimal) { accounts(where: {id: {eq: $id}, balance: {eq: $b}}) { name } }`, Variables: variables})
	if string(got.Data) != `{"accounts":[{"name":"c"}]}` {
		t.Errorf("by variables: %s %s", got.Data, firstError(got))
	}
	// Cursors and global ids are the same in both.
	const pages = `{ entriesConnection(first: 5, orderBy: [{amount: ASC}]) { edges { cursor node { gid } } } }`
	first, second := s.Execute(t.Context(), transport.Request{Query: strings.Replace(pages, "first: 5", "first: 2", 1)}), texted.Execute(t.Context(), transport.Request{Query: strings.Replace(pages, "first: 5", "first: 2", 1)})
	if len(first.Errors) > 0 || string(first.Data) != string(second.Data) {
		t.Fatalf("cursors are\n%s %s\n%s", first.Data, firstError(first), second.Data)
	}
	var page struct {
		EntriesConnection struct {
			Edges []struct {
				Cursor string
				Node   struct{ Gid string }
			}
		}
	}
	if err := json.Unmarshal(first.Data, &page); err != nil {
		t.Fatal(err)
	}
	edge := page.EntriesConnection.Edges[0]
	got = s.Execute(t.Context(), transport.Request{Query: `{ entriesConnection(first: 1, orderBy: [{amount: ASC}], after: "` + edge.Cursor + `") { edges { node { amount } } } node(gid: "` + edge.Node.Gid + `") { gid ... on Entry { amount } } }`})
	if want := `{"entriesConnection":{"edges":[{"node":{"amount":0.2}}]},"node":{"gid":"` + edge.Node.Gid + `","amount":0.1}}`; len(got.Errors) > 0 || compact(t, got.Data) != want {
		t.Errorf("after a cursor: %s %s", got.Data, firstError(got))
	}
}

// TestNumbersInJSON has values of JSON views as numbers; an id stays a text, also of a column that is a number.
func TestNumbersInJSON(t *testing.T) {
	t.Parallel()
	s, _ := jsonViewsWith(t, asNumbers("number", "number"), `
		type Thing @view(name: "v_thing") { id: ID! n: BigInt amount: Decimal part: Part parts: [Part!] column: BigInt }
		type Part { id: ID n: BigInt amount: Decimal }`, `
		create view v_thing as select 9007199254740993 as id, 9007199254740995 as column, jsonb_build_object('n', 9007199254740993, 'amount', 0.10,
			'part', '{"id": 9007199254740993, "n": "5", "amount": "NaN"}'::jsonb, 'parts', '[{"id": 7, "n": 6, "amount": 1.50}]'::jsonb) as data;`)
	const part = `{"id":"9007199254740993","n":5,"amount":"NaN"},"parts":[{"id":"7","n":6,"amount":1.50}]`
	const want = `{"things":[{"id":"9007199254740993","n":9007199254740993,"amount":0.10,"column":9007199254740995,"part":` + part + `}],"thingsAggregate":{"sum":{"n":9007199254740993,"amount":0.10}}}`
	got := s.Execute(t.Context(), transport.Request{Query: `{ things(where: {n: {eq: 9007199254740993}, amount: {eq: "0.1"}}) { id n amount column part { id n amount } parts { id n amount } } thingsAggregate { sum { n amount } } }`})
	if len(got.Errors) > 0 || compact(t, got.Data) != want {
		t.Errorf("got %s %s\nwant %s", got.Data, firstError(got), want)
	}
}
