package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// largeTable is the number of rows from which on a foreign key should have an index.
const largeTable = 1000

// A key that is not indexed makes its table be read as a whole for each row that is asked for those that lead to it, and
// for each that is deleted. A partitioned table has its index on itself, and its rows in its partitions.
//
// An index of the rows that have a value in one of the columns serves as well as one of all.
const unindexedSQL = `
select distinct on (array_position($1, n.nspname::text), c.relname, f.conkey) n.nspname, c.relname, (c.relkind = 'p'), rows.n::int8,
       (select array_agg(a.attname::text order by k.place) from unnest(f.conkey) with ordinality k(number, place)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number)
from pg_constraint f
join pg_class c on c.oid = f.conrelid
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (
  select sum(case when p.reltuples >= 0 then p.reltuples else pg_relation_size(p.oid) / 64.0 end) as n
  from pg_class p
  where p.oid = c.oid and c.relkind <> 'p' or c.relkind = 'p' and p.oid in (select t.relid from pg_partition_tree(c.oid) t where t.isleaf)
) rows
where n.nspname = any($1) and f.contype = 'f' and f.conparentid = 0 and rows.n >= $2
  and not exists (
    select from pg_index i
    join pg_class x on x.oid = i.indexrelid
    join pg_am m on m.oid = x.relam
    where i.indrelid = c.oid and i.indisvalid and i.indnkeyatts >= cardinality(f.conkey)
      and (m.amname = 'btree' or m.amname = 'hash' and cardinality(f.conkey) = 1)
      and (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey
      and (i.indpred is null or exists (
        select from pg_attribute a where a.attrelid = c.oid and a.attnum = any(f.conkey) and pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname))))
order by array_position($1, n.nspname::text), c.relname, f.conkey`

func (d Database) indexes(ctx context.Context, found *Findings) {
	rows, err := d.Pool.Query(ctx, unindexedSQL, d.Schemas, largeTable)
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	var schema, table string
	var partitioned bool
	var count int64
	var columns []string
	missing := 0
	_, err = pgx.ForEachRow(rows, []any{&schema, &table, &partitioned, &count, &columns}, func() error {
		missing++
		how := "concurrently "
		if partitioned {
			how = ""
		}
		quoted := make([]string, len(columns))
		for i, c := range columns {
			quoted[i] = pgx.Identifier{c}.Sanitize()
		}
		found.NoIndex(fmt.Sprintf("the foreign key of %s.%s on (%s) has no index: all of about %d rows are read to find those of one row", schema, table, strings.Join(columns, ", "), count),
			"create index "+how+"on "+pgx.Identifier{schema, table}.Sanitize()+" ("+strings.Join(quoted, ", ")+");")
		return nil
	})
	if err != nil {
		found.Fault(postgres.Explain(err))
		return
	}
	if missing == 0 {
		found.OK("every foreign key of a large table has an index")
	}
}
