package conditions

// Filter is what a condition says as SQL over the row variables of a trigger. It is true or false and never null, and needs
// no search_path.
type Filter struct {
	SQL string
	// Exact tells that the filter is the condition: true and false where Matches is. Otherwise it is a necessary one: where
	// Matches is true the filter is, and what the filter lets through has to be asked again.
	Exact bool
}

// SQL gives the condition for one operation, as an expression over the rows that are named: SQL(Update, "old", "new") reads
// "old"."status" and "new"."status". For Insert there is no old row and for Delete no new one, and neither is read. Taken
// are equality of integers, numeric, texts, uuids, enums and booleans; the order of integers and numeric; in; null; what has
// changed, of any type; op; and all that && || ! make of them. Claims, JSON members, times, floats, the order of texts,
// calculations and patterns are not.
//
// It is taken for granted that events have the rows as to_jsonb gives them: of an update both, with all of [Columns].
//
// False is: nothing can be said before the row is in Go, or the columns are not known, or the operation has no rows.
func (c *Condition) SQL(op Op, old, new string) (Filter, bool) {
	if op != Insert && op != Update && op != Delete {
		return Filter{}, false
	}
	w := writer{op: op, rows: [...]string{fromOld: identifier(old), fromNew: identifier(new)}, sure: true}
	b := w.bounds(c.root)
	if b.upper == always && !w.sure {
		return Filter{}, false
	}
	return Filter{SQL: b.upper, Exact: w.sure}, true
}

const (
	always = "true"
	never  = "false"
)

// bounds are two expressions around a condition: lower is true only where it is, and upper wherever it is. Negation swaps
// them, and so a part that SQL cannot say widens the filter wherever it stands.
type bounds struct{ lower, upper string }

func exactly(sql string) bounds { return bounds{sql, sql} }

// writer writes the filter of one operation. It is sure until it meets what it cannot say.
type writer struct {
	op   Op
	rows [2]string // quoted
	sure bool
}

func (w *writer) unsaid() bounds {
	w.sure = false
	return bounds{never, always}
}

func (w *writer) bounds(n node) bounds {
	switch n := n.(type) {
	case *logic:
		left, right := w.bounds(n.left), w.bounds(n.right)
		if n.and {
			return bounds{both(left.lower, right.lower), both(left.upper, right.upper)}
		}
		return bounds{either(left.lower, right.lower), either(left.upper, right.upper)}
	case *negation:
		of := w.bounds(n.of)
		return bounds{opposite(of.upper), opposite(of.lower)}
	case *literal:
		return exactly(constantly(n.value.yes))
	case *reference:
		return w.flag(n)
	case *comparison:
		return w.comparison(n)
	case *among:
		return w.among(n)
	case *changed:
		return w.changed(n)
	}
	return w.unsaid()
}

func constantly(b bool) string {
	if b {
		return always
	}
	return never
}

func both(a, b string) string {
	switch {
	case a == never || b == never:
		return never
	case a == always:
		return b
	case b == always:
		return a
	}
	return "(" + a + " and " + b + ")"
}

func either(a, b string) string {
	switch {
	case a == always || b == always:
		return always
	case a == never:
		return b
	case b == never:
		return a
	}
	return "(" + a + " or " + b + ")"
}

func opposite(a string) string {
	switch a {
	case always:
		return never
	case never:
		return always
	}
	return "(not " + a + ")"
}

// flag is a boolean column where something true or false is needed.
func (w *writer) flag(n *reference) bounds {
	o, ok := w.operand(n)
	switch {
	case ok && o.constant != nil && o.constant.kind == aNull:
		return exactly(never)
	case !ok || o.class != classBool:
		return w.unsaid()
	}
	return exactly("coalesce(" + o.as(classBool) + ", false)")
}

func (w *writer) comparison(n *comparison) bounds {
	left, okLeft := w.operand(n.left)
	right, okRight := w.operand(n.right)
	if !okLeft || !okRight {
		return w.unsaid()
	}
	sql, ok := w.compare(n.operator, left, right)
	if !ok {
		return w.unsaid()
	}
	return exactly(sql)
}

func (w *writer) among(n *among) bounds {
	o, ok := w.operand(n.value)
	if !ok || n.in != nil {
		return w.unsaid()
	}
	found := never
	for _, e := range n.list {
		sql, ok := w.compare("==", o, operand{constant: e})
		if !ok {
			return w.unsaid()
		}
		found = either(found, sql)
	}
	return exactly(found)
}

func (w *writer) changed(n *changed) bounds {
	before, okBefore := w.operand(n.old)
	after, okAfter := w.operand(n.new)
	if !okBefore || !okAfter {
		return w.unsaid()
	}
	switch { // a row that is not there has null everywhere
	case before.constant != nil && after.constant != nil:
		return exactly(never)
	case before.constant != nil:
		return exactly(opposite(after.isNull()))
	case after.constant != nil:
		return exactly(opposite(before.isNull()))
	}
	return exactly(opposite(before.same(after)))
}
