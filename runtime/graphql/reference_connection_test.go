package graphql_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// cursorBook is what answers have shown of cursors. What stands in one is not said anywhere, so the reference
// writes a mark in its place; the first answer with it tells the cursor, and it must never change.
type cursorBook struct {
	places  map[string]string   // cursors by table, order and row
	rows    map[string]string   // tables and rows by cursor
	byOrder map[string][]string // cursors by table and order
}

func newCursorBook() *cursorBook {
	return &cursorBook{places: map[string]string{}, rows: map[string]string{}, byOrder: map[string][]string{}}
}

// orderName tells orders of a table apart.
func orderName(t *refTable, order any) string {
	b, _ := json.Marshal(asList(order)) // it was read from JSON, or is as good
	return t.typ + string(b)
}

const cursorMark = "\x01"

func mark(t *refTable, order any, row refRow) string {
	return cursorMark + orderName(t, order) + cursorMark + t.typ + " " + row.String() + cursorMark
}

var cursorForm = regexp.MustCompile(`^"([A-Za-z0-9_-]+)"`)

// agree compares an answer with the reference's, byte by byte; where a cursor has to be is what the book says.
func (b *cursorBook) agree(want, got string) error {
	whole := got
	pieces := strings.Split(want, cursorMark)
	for i := 0; ; i += 3 {
		rest, same := strings.CutPrefix(got, pieces[i])
		if !same {
			return fmt.Errorf("after %d bytes\nwant …%s\n got …%s", len(whole)-len(got), pieces[i], got)
		}
		if got = rest; i == len(pieces)-1 {
			break
		}
		cursor := cursorForm.FindStringSubmatch(got)
		if cursor == nil {
			return fmt.Errorf("no cursor after %d bytes: %.80s", len(whole)-len(got), got)
		}
		if err := b.note(pieces[i+1], pieces[i+2], cursor[1]); err != nil {
			return err
		}
		got = got[len(cursor[0]):]
	}
	if got != "" {
		return fmt.Errorf("there is more: %.80s", got)
	}
	return nil
}

func (b *cursorBook) note(order, row, cursor string) error {
	place := order + " " + row
	if known := b.places[place]; known != "" && known != cursor {
		return fmt.Errorf("%s has the cursors %s and %s", place, known, cursor)
	}
	if known := b.rows[cursor]; known != "" && known != row {
		return fmt.Errorf("the cursor %s means %s and %s", cursor, known, row)
	}
	if b.places[place] == "" {
		b.byOrder[order] = append(b.byOrder[order], cursor)
	}
	b.places[place], b.rows[cursor] = cursor, row
	return nil
}

// slice is a part of a list and whether there is more.
type slice struct {
	rows           []refRow
	previous, next bool
}

// cut takes the part of a list that a connection's arguments mean. every is the whole table in the same order:
// a cursor's row need not be in the list. after and before are places in it, -1 where there is no cursor.
func cut(list, every []refRow, after, before, first, last int) slice {
	place := map[string]int{}
	for i, row := range every {
		place[row.String()] = i
	}
	begin, end := 0, len(list)
	for i, row := range list {
		if after >= 0 && place[row.String()] <= after {
			begin = i + 1
		}
	}
	if before >= 0 {
		end = 0
		for _, row := range list {
			if place[row.String()] < before {
				end++
			}
		}
	}
	s := slice{previous: begin > 0, next: end < len(list)}
	if begin >= end {
		return s
	}
	s.rows = list[begin:end]
	if last >= 0 {
		if len(s.rows) > last {
			s.rows, s.previous = s.rows[len(s.rows)-last:], true
		}
		return s
	}
	if len(s.rows) > first {
		s.rows, s.next = s.rows[:first], true
	}
	return s
}

// connection answers a connection out of the whole list.
func (r *reference) connection(t *refTable, list, every []refRow, order any, f refField) string {
	place := func(argument string) int {
		cursor, given := r.argument(f, argument).(string)
		if !given {
			return -1
		}
		row := strings.TrimPrefix(r.book.rows[cursor], t.typ+" ")
		return slices.IndexFunc(every, func(other refRow) bool { return other.String() == row })
	}
	part := cut(list, every, place("after"), place("before"), r.number(f, "first", refRows), r.number(f, "last", -1))
	return r.object(r.collect(f.set), t.typ+"Connection", func(m refField) string {
		switch m.node.Name {
		case "totalCount":
			return fmt.Sprint(len(list))
		case "nodes":
			return r.nodes(part.rows, func(row refRow) string { return r.row(t, row, m.set) })
		case "edges":
			return r.nodes(part.rows, func(row refRow) string { return r.edge(t, order, row, m.set) })
		}
		return r.object(r.collect(m.set), "PageInfo", func(p refField) string {
			switch p.node.Name {
			case "hasNextPage":
				return fmt.Sprint(part.next)
			case "hasPreviousPage":
				return fmt.Sprint(part.previous)
			}
			if len(part.rows) == 0 {
				return "null"
			}
			row := part.rows[0]
			if p.node.Name == "endCursor" {
				row = part.rows[len(part.rows)-1]
			}
			return mark(t, order, row)
		})
	})
}

func (r *reference) nodes(rows []refRow, write func(refRow) string) string {
	items := make([]string, len(rows))
	for i, row := range rows {
		items[i] = write(row)
	}
	return "[" + strings.Join(items, ",") + "]"
}

func (r *reference) edge(t *refTable, order any, row refRow, set ast.SelectionSet) string {
	return r.object(r.collect(set), t.typ+"Edge", func(f refField) string {
		if f.node.Name == "cursor" {
			return mark(t, order, row)
		}
		return r.row(t, row, f.set)
	})
}
