package catalog

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Function is a function that the role may execute. Procedures, aggregates, functions of triggers and of extensions, and
// those that only PostgreSQL itself can call are none.
type Function struct {
	OID        uint32
	Schema     string
	Name       string
	Signature  string // its arguments as they tell it from others of its name
	Comment    string
	Volatile   bool // it may write
	Strict     bool // of an argument that is null it makes null, without being called
	Set        bool // it gives any number of rows
	Parameters []*Parameter
	Result     *Type     // void is a pseudo type, and so is record, for rows of Columns
	Columns    []*Column // of the rows that it makes by output parameters, when there are several
}

// Parameter is one that is given a value.
type Parameter struct {
	Name       string // empty for one without
	Type       *Type
	HasDefault bool
	Variadic   bool // the values of an array, one by one
}

// Required is how many parameters must be given a value.
func (f *Function) Required() int {
	n := 0
	for n < len(f.Parameters) && !f.Parameters[n].HasDefault {
		n++
	}
	return n
}

// SQL gives the function's qualified, quoted name.
func (f *Function) SQL() string { return QuoteIdent(f.Schema) + "." + QuoteIdent(f.Name) }

// What takes or gives values that have no text cannot be called by a statement. The constructors of range types are of
// their making, not of a person's.
const functionsSQL = `
select p.oid, n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), coalesce(obj_description(p.oid, 'pg_proc'), ''),
       p.provolatile = 'v', p.proisstrict, p.proretset, p.prorettype, p.pronargdefaults::int,
       coalesce(p.proallargtypes, p.proargtypes::oid[])::oid[], coalesce(p.proargmodes::text[], '{}'), coalesce(p.proargnames, '{}')
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where n.nspname = any($1)
  and p.prokind = 'f'
  and has_schema_privilege(` + byRole + `, n.oid, 'usage')
  and has_function_privilege(` + byRole + `, p.oid, 'execute')
  and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  and not array['internal'::regtype, 'cstring'::regtype]::oid[] && (p.proargtypes::oid[] || p.prorettype)
  and not exists (select from unnest(p.proargtypes::oid[] || p.proallargtypes || p.prorettype) u(oid) join pg_type t on t.oid = u.oid
                  where not has_schema_privilege(` + byRole + `, t.typnamespace, 'usage'))
  and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
order by array_position($1, n.nspname::text), p.proname, p.pronargs, 4`

func (l *loader) readFunctions(rows pgx.Rows) error {
	var f Function
	var result uint32
	var defaults int
	var types []uint32
	var modes, names []string
	into := []any{&f.OID, &f.Schema, &f.Name, &f.Signature, &f.Comment, &f.Volatile, &f.Strict, &f.Set, &result, &defaults, &types, &modes, &names}
	_, err := pgx.ForEachRow(rows, into, func() error {
		function := f
		function.Result = l.types[result]
		for i, oid := range types {
			name, mode := "", "i"
			if i < len(names) {
				name = names[i]
			}
			if i < len(modes) {
				mode = modes[i]
			}
			if mode != "o" && mode != "t" { // in, both ways, variadic
				function.Parameters = append(function.Parameters, &Parameter{Name: name, Type: l.types[oid], Variadic: mode == "v"})
			}
			if mode != "i" && mode != "v" {
				if name == "" {
					name = fmt.Sprint("column", len(function.Columns)+1) // as PostgreSQL calls it
				}
				function.Columns = append(function.Columns, &Column{Name: name, Number: int16(len(function.Columns) + 1), Type: l.types[oid]})
			}
		}
		if len(function.Columns) == 1 { // it is the result
			function.Columns = nil
		}
		for _, p := range function.Parameters[len(function.Parameters)-defaults:] {
			p.HasDefault = true
		}
		l.catalog.Functions = append(l.catalog.Functions, &function)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read functions: %w", err)
	}
	return nil
}
