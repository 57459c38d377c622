package graphql_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestEveryOperatorOfEveryField filters by each field with each of its operators, by a value that was just read.
// None may fail but for a value that the operator's own language does not take, and eq and in find the row again.
func TestEveryOperatorOfEveryField(t *testing.T) {
	t.Parallel()
	s, _ := hostile(t)
	types, count := s.Schema("").AST.Types, 0
	for _, o := range hostileTables(s.Schema("")) {
		rows := rowsOf(t, s, o, false)
		for _, f := range types[o.Name+"Where"].Fields {
			filter := types[f.Type.Name()]
			if strings.HasPrefix(f.Name, "_") && filter == types[o.Name+"Where"] || o.Fields[f.Name].Relation != nil {
				continue
			}
			for _, operator := range filter.Fields {
				for _, row := range rows {
					if !askable(string(row[f.Name]), o.Fields[f.Name].Codec) && operator.Name != "isnull" {
						continue
					}
					operand := operandOf(types, operator.Type, row[f.Name], o.Fields[f.Name].Codec)
					request := transport.Request{
						Query:     fmt.Sprintf("query($w: %sWhere) { %s(where: $w) { id } }", o.Name, o.Plural),
						Variables: map[string]any{"w": map[string]any{f.Name: map[string]any{operator.Name: operand}}},
					}
					got := s.Execute(t.Context(), request)
					count++
					judge(t, o.Name+"."+f.Name+" "+operator.Name, operand, got, string(row["id"]))
				}
			}
		}
	}
	if count < 2000 {
		t.Errorf("only %d conditions were tried", count)
	}
}

// askable tells whether a value can be an operand: GraphQL's Float has no NaN and no infinities, and a list of JSON
// tells JSON's null from none only as it is read.
func askable(read string, c *schema.Codec) bool {
	switch c.Innermost().GraphQL {
	case "Float":
		return !strings.Contains(read, `"`) && read != "null"
	case "JSON":
		return read != "null" && (!c.IsList() || !strings.Contains(read, "null"))
	}
	return read != "null"
}

// TestEveryOrderAndAggregate orders and groups by each field that has an order, reads each aggregate, and pages.
func TestEveryOrderAndAggregate(t *testing.T) {
	t.Parallel()
	s, _ := hostile(t)
	types, count := s.Schema("").AST.Types, 0
	for _, o := range hostileTables(s.Schema("")) {
		ask := func(query string, variables map[string]any) []byte {
			count++
			got := s.Execute(t.Context(), transport.Request{Query: query, Variables: variables})
			if len(got.Errors) > 0 {
				t.Errorf("%s %s: %s", query, show(variables), firstError(got))
			}
			return got.Data
		}
		for _, f := range types[o.Name+"OrderBy"].Fields {
			if o.Fields[f.Name].Relation != nil {
				continue
			}
			for _, direction := range []string{"ASC", "DESC"} {
				order := "orderBy: [{" + f.Name + ": " + direction + "}]"
				first := ask("{ "+o.Plural+"Connection(first: 1, "+order+") { pageInfo { endCursor } } }", nil)
				_, cursor, _ := strings.Cut(string(first), `"endCursor":"`)
				cursor, _, _ = strings.Cut(cursor, `"`)
				ask("query($c: String) { "+o.Plural+"Connection(first: 1, after: $c, "+order+") { edges { cursor } } }", map[string]any{"c": cursor})
			}
		}
		for _, label := range types[o.Name+"Column"].EnumValues {
			ask("{ "+o.Plural+"GroupBy(by: ["+label.Name+"], orderBy: [{key: {"+label.Name+": DESC}}]) { key { "+label.Name+" } count } }", nil)
		}
		for _, f := range types[o.Name+"Aggregate"].Fields {
			for _, inner := range types[f.Type.Name()].Fields {
				ask("{ "+o.Plural+"Aggregate { "+f.Name+" { "+inner.Name+" } } }", nil)
			}
		}
	}
	if count < 800 {
		t.Errorf("only %d requests were made", count)
	}
}

// languages are operators whose operand is a text of a language of its own, which a value may well not be.
var languages = []string{"like", "ilike", "regex", "iregex"}

func judge(t *testing.T, what string, operand any, got transport.Response, id string) {
	t.Helper()
	operator := what[strings.IndexByte(what, ' ')+1:]
	switch text := firstError(got); {
	case len(got.Errors) > 0 && code(got) == "BAD_USER_INPUT" && slices.Contains(languages, operator):
	case len(got.Errors) > 0:
		t.Errorf("%s %s: %s", what, show(operand), text)
	case (operator == "eq" || operator == "in") && operand != nil && !strings.Contains(string(got.Data), `{"id":`+id+`}`):
		t.Errorf("%s %s does not find row %s: %s", what, show(operand), id, got.Data)
	}
}

func show(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// operandOf makes an operand of a type from a value as it was read; where the value is none of the type, or null,
// some value of it.
func operandOf(types map[string]*ast.Definition, t *ast.Type, read json.RawMessage, codec *schema.Codec) any {
	decoder := json.NewDecoder(strings.NewReader(string(read)))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		value = nil
	}
	if t.Elem != nil {
		if list, isList := value.([]any); isList && codec.IsList() {
			return flat(list, depth(t))
		}
		return []any{operandOf(types, t.Elem, read, codec)}
	}
	if d := types[t.NamedType]; d.Kind == ast.InputObject {
		return map[string]any{"at": []any{}, "eq": filled("JSON", value), "gte": filled("JSON", value), "in": []any{filled("JSON", value)}, "contains": "x", "isnull": false}
	}
	if codec.GraphQL == t.NamedType && value != nil {
		return value
	}
	return filled(t.NamedType, value)
}

func depth(t *ast.Type) int {
	n := 0
	for ; t.Elem != nil; t = t.Elem {
		n++
	}
	return n
}

// flat makes a list of lists one with so many levels at most.
func flat(list []any, levels int) []any {
	deep := 1
	for inner := list; len(inner) > 0; deep++ {
		next, isList := inner[0].([]any)
		if !isList {
			break
		}
		inner = next
	}
	for ; deep > levels; deep-- {
		var joined []any
		for _, item := range list {
			joined = append(joined, item.([]any)...)
		}
		list = joined
	}
	return append([]any{}, list...)
}

// some gives a value of a type.
func filled(typeName string, value any) any {
	switch typeName {
	case "Boolean":
		return true
	case "Int", "Float", "BigInt", "Decimal":
		return json.Number("1")
	case "Date":
		return "2024-01-15"
	case "DateTime", "LocalDateTime":
		return "2024-01-15T12:00:00"
	case "Inet":
		return "10.1.2.3"
	case "JSON":
		if value == nil {
			return map[string]any{}
		}
		return value
	default:
		if text, isText := value.(string); isText {
			return text
		}
		return "1"
	}
}

// TestResponseNamesThatAreOurOwn has clients, and columns, take the names that statements use for themselves.
func TestResponseNamesThatAreOurOwn(t *testing.T) {
	t.Parallel()
	s, _ := hostile(t)
	for query, want := range map[string]string{
		`{ hub(id: 1) { traps { r: id p: count l4: n } } }`:                            `{"hub":{"traps":[{"r":1,"p":2,"l4":6}]}}`,
		`{ traps { hub { r: id t1: id } } }`:                                           `{"traps":[{"hub":{"r":1,"t1":1}}]}`,
		`{ made(id: 1) { pairs { n2_1: aB r r2: x } } }`:                               `{"made":{"pairs":[{"n2_1":1,"r":null,"r2":null},null]}}`,
		`{ made(id: 1) { sums e1: sums } }`:                                            `{"made":{"sums":[["1.50","2.00"]],"e1":[["1.50","2.00"]]}}`,
		`{ trapsConnection(first: 1) { nodes { p: id n k1 } } }`:                       `{"trapsConnection":{"nodes":[{"p":1,"n":6,"k1":5}]}}`,
		`{ trapsConnection(orderBy: [{k1: DESC}]) { edges { node { n } } } }`:          `{"trapsConnection":{"edges":[{"node":{"n":6}}]}}`,
		`{ trapsGroupBy(by: [key, count]) { key { count key } count sum { count } } }`: `{"trapsGroupBy":[{"key":{"count":2,"key":3},"count":1,"sum":{"count":"2"}}]}`,
	} {
		got := s.Execute(t.Context(), transport.Request{Query: query})
		if len(got.Errors) > 0 || compact(t, got.Data) != want {
			t.Errorf("%s\n got %s %v\nwant %s", query, got.Data, got.Errors, want)
		}
	}
}

// TestIntrospectionOfWhatIsHostile reads the whole schema as a client does: every type that is named is there,
// and no name comes twice.
func TestIntrospectionOfWhatIsHostile(t *testing.T) {
	t.Parallel()
	s, _ := hostile(t)
	got := s.Execute(t.Context(), transport.Request{Query: `{ __schema { types { name kind fields { name type { ...T } args { name type { ...T } } } inputFields { name type { ...T } } enumValues { name } } } }
		fragment T on __Type { name ofType { name ofType { name ofType { name ofType { name ofType { name ofType { name ofType { name } } } } } } } }`})
	if len(got.Errors) > 0 {
		t.Fatal(got.Errors)
	}
	var answer struct {
		Schema struct {
			Types []map[string]any
		} `json:"__schema"`
	}
	if err := json.Unmarshal(got.Data, &answer); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, d := range answer.Schema.Types {
		name := d["name"].(string)
		if known[name] {
			t.Errorf("the type %s is there twice", name)
		}
		known[name] = true
	}
	for _, d := range answer.Schema.Types {
		for _, kind := range []string{"fields", "inputFields", "enumValues"} {
			members, _ := d[kind].([]any)
			seen := map[any]bool{}
			for _, m := range members {
				member := m.(map[string]any)
				if seen[member["name"]] {
					t.Errorf("%s.%s is there twice", d["name"], member["name"])
				}
				seen[member["name"]] = true
				if inner := innermost(member["type"]); kind != "enumValues" && !known[inner] {
					t.Errorf("%s.%s is of the type %q, which is not there", d["name"], member["name"], inner)
				}
			}
		}
	}
}

func innermost(t any) string {
	for {
		m, _ := t.(map[string]any)
		if name, named := m["name"].(string); named {
			return name
		}
		if m == nil {
			return ""
		}
		t = m["ofType"]
	}
}

// TestATableOfAllColumnsThatThereCanBe reads 1,600 columns at once, at the root and below a relation.
func TestATableOfAllColumnsThatThereCanBe(t *testing.T) {
	t.Parallel()
	columns := make([]string, 1598)
	for i := range columns {
		columns[i] = fmt.Sprintf("c%d int default %d", i, i)
	}
	config := graphql.DefaultConfig()
	config.Limits.Tokens = 5000
	s, _ := open(t, config, sql(t, "create table hub (id int primary key); insert into hub values (1); create table wide (id int primary key, hub_id int references hub, "+
		strings.Join(columns, ", ")+"); insert into wide values (1, 1);"))
	o := s.Schema("").Objects["Wide"]
	root := rowsOf(t, s, o, false)
	if len(root) != 1 || len(root[0]) != 1600 || string(root[0]["c1597"]) != "1597" || !maps.EqualFunc(root[0], rowsOf(t, s, o, true)[0], func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
		t.Errorf("read %d rows", len(root))
	}
	got := s.Execute(t.Context(), transport.Request{Query: "{ widesConnection { nodes { " + selection(o) + " } } wides { of_63_bytes_of_which_this_is_the_beginning_and_there_is_much_more: id " + selection(o) + " hub { id wides { of_63_bytes_of_which_this_is_the_beginning_and_there_is_much_more: id " + selection(o) + " } } } }"})
	if len(got.Errors) > 0 {
		t.Errorf("a connection, and long names: %v", got.Errors)
	}
}
