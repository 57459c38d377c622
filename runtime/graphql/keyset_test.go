package graphql_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// TestWalksVisitEachRowOnce reads connections page by page, in random orders and with pages of random size, to
// the end and back: what is read must be the list, and each page must say rightly what is before and after it.
func TestWalksVisitEachRowOnce(t *testing.T) {
	t.Parallel()
	s, r, g := openReference(t)
	pages, nulls := 0, 0
	for i := range times(60) {
		g.related = 4
		w := walk{generator: g, service: s, table: refTables[pick(g, refTypes)], where: map[string]any{}}
		w.order = append(w.orderBy(w.table), w.orderKey(w.table, 2))
		if g.chance(40) {
			w.where = g.where(w.table, 1)
		}
		if large(w.table) { // each page orders the whole list
			w.where = map[string]any{"_and": []any{asVariable(w.where), map[string]any{"trackId": map[string]any{"lte": json.Number("200")}}}}
		}
		condition := (&translator{}).where(w.table, "a", asVariable(w.where).(map[string]any))
		w.list = r.ordered(w.table, condition, asVariable(w.order), "")
		for _, backward := range []bool{false, true} {
			if err := w.walk(backward); err != nil {
				t.Fatalf("walk %d, backward %v: %v\nwhere %s\norder %s", i, backward, err, literal(w.where), literal(w.order))
			}
		}
		pages, nulls = pages+w.pages, nulls+w.nulls
	}
	t.Logf("%d pages, %d cursors with nulls", pages, nulls)
	if pages < times(200) || nulls < times(5) {
		t.Errorf("the walks go over too little")
	}
}

type walk struct {
	*generator
	service *graphql.Service
	table   *refTable
	where   map[string]any
	order   []any
	list    []refRow

	pages, nulls int
}

// walkedPage is an answer to the walk's question.
type walkedPage struct {
	TotalCount int
	Edges      []struct {
		Cursor string
		Node   map[string]json.Number
	}
	PageInfo struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       *string
	}
}

func (w *walk) query(backward bool) string {
	text := "query($n: Int!, $c: String, $w: T_Where, $o: [T_OrderBy!]) { page: F_Connection(S_, where: $w, orderBy: $o) { " +
		"totalCount edges { cursor node { K_ } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
	side := "first: $n, after: $c"
	if backward {
		side = "last: $n, before: $c"
	}
	keys := make([]string, len(w.table.key))
	for i, k := range w.table.key {
		keys[i] = camelCase(k)
	}
	return strings.NewReplacer("T_", w.table.typ, "F_", listName(w.table), "S_", side, "K_", strings.Join(keys, " ")).Replace(text)
}

// walk reads all pages in one direction.
func (w *walk) walk(backward bool) error {
	query, cursor := w.query(backward), any(nil)
	for read := 0; ; {
		size := 1 + w.IntN(min(900, max(4, len(w.list)/3)))
		variables := map[string]any{"n": json.Number(strconv.Itoa(size)), "o": asVariable(w.order), "c": cursor, "w": asVariable(w.where)}
		got := w.service.Execute(context.Background(), transport.Request{Query: query, Variables: variables})
		var answer struct{ Page walkedPage }
		if err := json.Unmarshal(got.Data, &answer); err != nil || len(got.Errors) > 0 {
			return errors.Join(errors.New(firstError(got)), err)
		}
		begin, end := read, min(read+size, len(w.list))
		if backward {
			begin, end = max(0, len(w.list)-read-size), len(w.list)-read
		}
		if err := w.judge(&answer.Page, begin, end); err != nil {
			return fmt.Errorf("the rows %d to %d: %w", begin, end, err)
		}
		w.pages++
		read += size
		switch {
		case read >= len(w.list):
			return nil
		case backward:
			cursor = *answer.Page.PageInfo.StartCursor
		default:
			cursor = *answer.Page.PageInfo.EndCursor
		}
		if strings.Contains(decoded(cursor.(string)), "null") {
			w.nulls++
		}
	}
}

// judge compares a page with a part of the list.
func (w *walk) judge(page *walkedPage, begin, end int) error {
	if page.TotalCount != len(w.list) {
		return fmt.Errorf("totalCount is %d, want %d", page.TotalCount, len(w.list))
	}
	if len(page.Edges) != end-begin {
		return fmt.Errorf("there are %d", len(page.Edges))
	}
	for i, e := range page.Edges {
		for j, k := range w.table.key {
			if e.Node[camelCase(k)].String() != *w.list[begin+i][j] {
				return fmt.Errorf("row %d is %v, want %s", i, e.Node, w.list[begin+i])
			}
		}
	}
	info := page.PageInfo
	if info.HasNextPage != (end < len(w.list)) || info.HasPreviousPage != (begin > 0) {
		return fmt.Errorf("hasNextPage is %v, hasPreviousPage %v of %d rows", info.HasNextPage, info.HasPreviousPage, len(w.list))
	}
	if begin < end && (*info.StartCursor != page.Edges[0].Cursor || *info.EndCursor != page.Edges[end-begin-1].Cursor) {
		return fmt.Errorf("the cursors of the ends are not those of the edges")
	}
	if begin == end && (info.StartCursor != nil || info.EndCursor != nil) {
		return fmt.Errorf("no rows have cursors")
	}
	return nil
}

// decoded shows what stands in a cursor: only to know that the walks have met nulls.
func decoded(cursor string) string {
	b, _ := base64.RawURLEncoding.DecodeString(cursor)
	return string(b)
}
