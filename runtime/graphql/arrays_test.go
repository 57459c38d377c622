package graphql_test

import (
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

const arrays = `
	create domain matrix as int[][];
	create type pair as (a int, b text[][]);
	create table grid (id int primary key, flat int[], square int[][], cube text[][][], domained matrix, sums money[][], moments timestamptz[][], pairs pair[][], pair pair);
	insert into grid values
		(1, '{1,2}', '{{1,2},{3,4}}', '{{{a},{b}},{{c},{NULL}}}', '{{5}}', '{{1.5,NULL}}', '{{"2024-01-01 00:00:00Z"},{infinity}}', array[array[(1, '{{x}}')::pair, null]], (1, '{{x,y}}')),
		(2, '[0:1]={1,2}', '[5:6][-1:0]={{1,2},{3,4}}', '{}', '[2:2][3:3]={{5}}', '[0:0][0:1]={{1.5,NULL}}', null, '[0:0][3:4]={{NULL,NULL}}', null);
	create table crooked (id int primary key, flat int[], square int[][], domained matrix, sums money[][], pairs pair[], pair pair, grid_id int references grid);
	insert into crooked values (1, '{{1}}', '{1}', '{1}', '{1}', array[array[(1, null)::pair]], (1, '{x}'), 1), (2, null, '{}', null, '{}', '{}', null, 1);
	create view seen as select id, square, square as told, square::matrix as typed from grid;
	comment on column seen.told is '@fraiseql {"dimensions": 2}';`

// TestArraysAreListsAsDeep as they are declared, wherever their indexes begin.
func TestArraysAreListsAsDeep(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), sql(t, arrays))
	for query, want := range map[string]string{
		`{ grids { flat square cube } }`:                                                          `{"grids":[{"flat":[1,2],"square":[[1,2],[3,4]],"cube":[[["a"],["b"]],[["c"],[null]]]},{"flat":[1,2],"square":[[1,2],[3,4]],"cube":[]}]}`,
		`{ grids { domained sums moments } }`:                                                     `{"grids":[{"domained":[[5]],"sums":[["1.50",null]],"moments":[["2024-01-01T00:00:00+00:00"],["infinity"]]},{"domained":[[5]],"sums":[["1.50",null]],"moments":null}]}`,
		`{ grids { pairs { a b } pair { b } } }`:                                                  `{"grids":[{"pairs":[[{"a":1,"b":[["x"]]},null]],"pair":{"b":[["x","y"]]}},{"pairs":[[null,null]],"pair":null}]}`,
		`{ grids(where: {square: {eq: [[1, 2], [3, 4]]}}) { id } }`:                               `{"grids":[{"id":1},{"id":2}]}`,
		`{ grids(where: {flat: {eq: [1, 2]}}) { id } }`:                                           `{"grids":[{"id":1},{"id":2}]}`,
		`{ grids(where: {square: {len_eq: 2}, cube: {len_gt: 0}}) { id } }`:                       `{"grids":[{"id":1}]}`,
		`{ grids(where: {square: {array_contains: [4, 1]}}) { id } }`:                             `{"grids":[{"id":1},{"id":2}]}`,
		`{ seens(limit: 1) { told typed } }`:                                                      `{"seens":[{"told":[[1,2],[3,4]],"typed":[[1,2],[3,4]]}]}`,
		`{ crookeds(where: {id: {eq: 2}}) { flat square domained sums pairs { a } pair { a } } }`: `{"crookeds":[{"flat":null,"square":[],"domained":null,"sums":[],"pairs":[],"pair":null}]}`,
	} {
		got := s.Execute(t.Context(), transport.Request{Query: query})
		if len(got.Errors) > 0 || compact(t, got.Data) != want {
			t.Errorf("%s\n got %s %v\nwant %s", query, got.Data, got.Errors, want)
		}
	}
	var types []string
	for _, name := range []string{"flat", "square", "cube", "domained", "pairs"} {
		types = append(types, s.Schema("").AST.Types["Grid"].Fields.ForName(name).Type.String())
	}
	if got := strings.Join(types, " "); got != "[Int] [[Int]] [[[String]]] [[Int]] [[Pair]]" {
		t.Errorf("the types are %s", got)
	}
}

// TestAnArrayOfOtherDimensions contradicts the schema: no answer may have it.
func TestAnArrayOfOtherDimensions(t *testing.T) {
	t.Parallel()
	s, _ := open(t, graphql.DefaultConfig(), sql(t, arrays))
	for selection, want := range map[string]string{
		"flat": "an array of 2 dimensions, declared with 1", "square": "an array of 1 dimensions, declared with 2", "domained": "an array of 1 dimensions, declared with 2",
		"sums": "an array of 1 dimensions, declared with 2", "pairs { a }": "an array of 2 dimensions, declared with 1", "pair { b }": "an array of 1 dimensions, declared with 2",
	} {
		for _, query := range []string{"{ crookeds { " + selection + " } }", "{ grid(id: 1) { crookeds { " + selection + " } } }"} {
			got := s.Execute(t.Context(), transport.Request{Query: query})
			if text := firstError(got); !strings.Contains(text, want) || !strings.HasPrefix(text, "INTERNAL_SERVER_ERROR") {
				t.Errorf("%s\n got %s\nwant %s", query, text, want)
			}
		}
	}
	if text := firstError(s.Execute(t.Context(), transport.Request{Query: "{ seens { square } }"})); !strings.Contains(text, "an array of 2 dimensions, declared with 1") {
		t.Errorf("of a view's column: %s", text)
	}
}
