package watch

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

const (
	// manyRows is the size from which on it matters that a table is read as a whole.
	manyRows = 10_000
	// manyLoops is how often it must be read for it to be a nested loop.
	manyLoops = 10
	// fewOf is the share of a table's rows up to which an index would serve them.
	fewOf = 0.02
)

// Index is one that a table has not. Whether there is another one that serves as well, the database has to say.
type Index struct {
	Schema, Table string
	Columns       []string // as PostgreSQL writes them, with their direction in an order
	Equal         int      // the first so many are compared for being equal; 0 is an order of rows
	concurrently  bool     // it can be made while the table is written
}

// node is one of a plan: `explain (verbose, format json)`.
type node struct {
	Type       string   `json:"Node Type"`
	Relation   string   `json:"Relation Name"`
	Schema     string   `json:"Schema"`
	Alias      string   `json:"Alias"`
	Parent     string   `json:"Parent Relationship"`
	Rows       float64  `json:"Plan Rows"`
	Filter     string   `json:"Filter"`
	JoinFilter string   `json:"Join Filter"`
	SortKey    []string `json:"Sort Key"`
	Plans      []*node  `json:"Plans"`
}

// Judge finds what looks slow in a plan of PostgreSQL's. All of it is estimated: nothing is run.
func Judge(plan []byte, c *catalog.Catalog) ([]Finding, error) {
	var list []struct{ Plan *node }
	if err := json.Unmarshal(plan, &list); err != nil {
		return nil, fmt.Errorf("read a plan: %w", err)
	}
	j := judge{catalog: c}
	for _, p := range list {
		j.walk(p.Plan, 1, "")
	}
	return j.found, nil
}

type judge struct {
	catalog *catalog.Catalog
	found   []Finding
}

// walk looks at a node that is run so many times. joined is the condition of the join that it is the inner side of.
func (j *judge) walk(n *node, loops float64, joined string) {
	switch n.Type {
	case "Seq Scan":
		j.scan(n, loops, joined)
	case "Limit":
		j.order(n)
	}
	for i, child := range n.Plans {
		times, condition := loops, ""
		switch {
		case child.Parent == "InitPlan": // it is run once
		case child.Parent == "SubPlan":
			times = loops * math.Max(1, n.Rows)
		case n.Type == "Nested Loop" && i > 0 && child.Parent == "Inner":
			condition = n.JoinFilter
			if child.Type != "Materialize" { // what is held is compared again, but not read
				times = loops * math.Max(1, n.Plans[0].Rows)
			}
		case slices.Contains([]string{"Materialize", "Memoize", "Gather", "Gather Merge"}, n.Type):
			condition = joined
		}
		j.walk(child, times, condition)
	}
}

// scan looks at a table that is read as a whole.
func (j *judge) scan(n *node, loops float64, joined string) {
	t := j.catalog.Find(n.Schema, n.Relation)
	if t == nil || math.IsInf(t.Rows(), 1) {
		return // it is none of the API's, and may be a view's or a policy's: nothing is known of its size
	}
	filter := n.Filter
	if filter == "" {
		filter = joined
	}
	columns, equal := conditions(filter, n.Alias, textsOf(t))
	read := t.Rows() * loops
	about := Finding{
		Rows:  int64(math.Min(read, math.MaxInt64/2)),
		Index: &Index{Schema: n.Schema, Table: n.Relation, Columns: columns, Equal: equal, concurrently: t.Kind != catalog.Partitioned},
	}
	switch {
	case len(columns) == 0 || read < manyRows:
		return
	case loops >= manyLoops:
		about.Kind = NestedLoop
		about.Message = fmt.Sprintf("all of the about %s rows of %s are read about %s times, to find those of one %s each time", thousands(t.Rows()), t.Schema+"."+t.Name, thousands(loops), strings.Join(columns, ", "))
	case n.Filter != "" && n.Rows <= t.Rows()*fewOf:
		about.Kind = NoIndex
		about.Message = fmt.Sprintf("all of the about %s rows of %s are read, to find about %s by %s", thousands(t.Rows()), t.Schema+"."+t.Name, thousands(n.Rows), strings.Join(columns, ", "))
	default:
		return
	}
	j.add(about)
}

// order looks at a page of a table that is sorted as a whole.
func (j *judge) order(limit *node) {
	n := limit
	for len(n.Plans) == 1 && (n == limit || slices.Contains([]string{"Gather Merge", "Gather", "Result"}, n.Type)) {
		n = n.Plans[0]
	}
	if n.Type != "Sort" || len(n.Plans) != 1 {
		return
	}
	scan := n.Plans[0]
	t := j.catalog.Find(scan.Schema, scan.Relation)
	if scan.Type != "Seq Scan" || t == nil || math.IsInf(t.Rows(), 1) || t.Rows() < manyRows || limit.Rows > t.Rows()*fewOf || scan.Rows < t.Rows()/10 {
		return
	}
	keys := make([]string, len(n.SortKey))
	for i, key := range n.SortKey {
		keys[i] = orderKey(key, scan.Alias, textsOf(t))
		if keys[i] == "" {
			return
		}
	}
	j.add(Finding{
		Kind: NoIndex, Rows: int64(t.Rows()),
		Message: fmt.Sprintf("all of the about %s rows of %s are read and sorted for the first %s by %s", thousands(t.Rows()), t.Schema+"."+t.Name, thousands(limit.Rows), strings.Join(keys, ", ")),
		Index:   &Index{Schema: scan.Schema, Table: scan.Relation, Columns: keys, concurrently: t.Kind != catalog.Partitioned},
	})
}

// textsOf tells which columns of a table are stored as the text that they are compared as.
func textsOf(t *catalog.Table) func(column string) bool {
	return func(column string) bool {
		c := t.Column(column)
		return c != nil && c.Type.Resolve().Name == "varchar"
	}
}

func (j *judge) add(f Finding) {
	columns := strings.Join(f.Index.Columns, ", ")
	concurrently := ""
	if f.Index.concurrently {
		concurrently = "concurrently "
	}
	f.Subject = f.Index.Schema + "." + f.Index.Table + " (" + columns + ")"
	f.Fix = "create index " + concurrently + "on " + catalog.QuoteIdent(f.Index.Schema) + "." + catalog.QuoteIdent(f.Index.Table) + " (" + columns + ");"
	if !slices.ContainsFunc(j.found, func(known Finding) bool { return known.Kind == f.Kind && known.Subject == f.Subject }) {
		j.found = append(j.found, f)
	}
}

// ServedBy tells whether an index that there is does the same. Its columns are as PostgreSQL writes them
// (pg_get_indexdef), each with its direction where that is not the usual one.
func (i *Index) ServedBy(other []string) bool {
	n := len(i.Columns)
	if i.Equal > 0 {
		// One that begins with a column that is compared would have been taken, if it were of use.
		return len(other) > 0 && slices.Contains(i.Columns[:i.Equal], other[0])
	}
	return len(other) >= n && (slices.Equal(other[:n], i.Columns) || slices.Equal(other[:n], reversed(i.Columns)))
}

// reversed is an order read backwards.
func reversed(keys []string) []string {
	list := make([]string, len(keys))
	for i, key := range keys {
		m := ordering.FindStringSubmatch(key)
		for _, pair := range [][2]string{{"", " DESC"}, {" NULLS FIRST", " DESC NULLS LAST"}} {
			switch m[2] + m[3] {
			case pair[0]:
				list[i] = m[1] + pair[1]
			case pair[1]:
				list[i] = m[1] + pair[0]
			}
		}
	}
	return list
}

// thousands writes a number for people: 12, 3,400, 1.2 million.
func thousands(n float64) string {
	switch {
	case n >= 1e6:
		return fmt.Sprintf("%.1f million", n/1e6)
	case n >= 1000:
		return fmt.Sprintf("%d,%03d", int64(n)/1000, int64(n)%1000)
	}
	return strconv.FormatInt(int64(math.Max(1, math.Round(n))), 10)
}
