package schema

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// TestWhatNoRoleSees is told, and not what one of several does not see.
func TestWhatNoRoleSees(t *testing.T) {
	t.Parallel()
	declared, mistakes := Declare([]*ast.Source{{Name: "types.graphql", Input: `
		type Note @view(name: "v_note") { id: ID! text: String }
		type Mutation { makeNote: Note @function(name: "fn_make_note") }`}})
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	words := &catalog.Type{OID: 25, Schema: "pg_catalog", Name: "text", SQL: "text", Kind: catalog.Base}
	documents := &catalog.Type{OID: 3802, Schema: "pg_catalog", Name: "jsonb", SQL: "jsonb", Kind: catalog.Base}
	view := &catalog.Table{OID: 1, Schema: "public", Name: "v_note", Kind: catalog.View, Columns: []*catalog.Column{{Name: "id", Type: words}, {Name: "data", Type: documents}}}
	sees := &catalog.Catalog{Schemas: []string{"public"}, Tables: []*catalog.Table{view}, Functions: []*catalog.Function{{Schema: "public", Name: "fn_make_note"}}}
	nothing := &catalog.Catalog{Schemas: []string{"public"}}
	for name, c := range map[string]struct {
		seen []*catalog.Catalog
		want int
	}{
		"all":         {[]*catalog.Catalog{sees, sees}, 0},
		"the first":   {[]*catalog.Catalog{sees, nothing}, 0},
		"the second":  {[]*catalog.Catalog{nothing, sees}, 0},
		"none of two": {[]*catalog.Catalog{nothing, nothing}, 2},
		"none":        {[]*catalog.Catalog{nothing}, 2},
	} {
		if got := declared.Absent(c.seen); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
