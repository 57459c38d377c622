package execute

import "github.com/fraiseql/fraiseql/runtime/graphql/plan"

// rowWriter writes the rows of a statement as a JSON list, or as nested lists where the rows are of several levels.
type rowWriter struct {
	of       *plan.Statement
	estimate []byte
	levels   []levelWriter // of the objects, the root's first
	open     int           // objects whose list is being written
}

type levelWriter struct {
	more bool   // the list has an object already
	tail []byte // what stands behind the list in the object that is open
}

func newRowWriter(of *plan.Statement, estimate []byte) *rowWriter {
	return &rowWriter{of: of, estimate: estimate, levels: make([]levelWriter, max(1, len(of.Levels)))}
}

func (w *rowWriter) row(b []byte, values [][]byte) []byte {
	if len(w.of.Levels) == 0 {
		b = w.comma(b, 0)
		return appendRow(b, w.of, values, w.estimate)
	}
	at := 0
	for _, digit := range values[0] {
		at = 10*at + int(digit-'0')
	}
	at-- // the root is 1
	b = w.comma(w.close(b, at), at)
	level := &w.of.Levels[at]
	b, taken := appendColumns(b, level.Columns, values[level.At:], nil)
	if level.Open == "" {
		return append(b, level.End...)
	}
	b = append(b, level.Open...)
	tail, _ := appendColumns(w.levels[at].tail[:0], level.After, values[level.At+taken:], nil)
	w.levels[at].tail = append(tail, level.End...)
	w.open = at + 1
	w.levels[w.open].more = false
	return b
}

// end closes everything that is open.
func (w *rowWriter) end(b []byte) []byte { return append(w.close(b, 0), ']') }

// close closes the objects of a level and those below it.
func (w *rowWriter) close(b []byte, at int) []byte {
	for ; w.open > at; w.open-- {
		b = append(b, w.levels[w.open-1].tail...)
	}
	return b
}

func (w *rowWriter) comma(b []byte, at int) []byte {
	if w.levels[at].more {
		b = append(b, ',')
	}
	w.levels[at].more = true
	return b
}
