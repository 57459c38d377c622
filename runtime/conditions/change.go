package conditions

import (
	"bytes"
	"encoding/json"

	"github.com/expr-lang/expr/vm"
)

// Op is what has happened.
type Op string

// The operations. A condition sees them as the variable op.
const (
	Insert   Op = "INSERT"
	Update   Op = "UPDATE"
	Delete   Op = "DELETE"
	Custom   Op = "CUSTOM"
	Truncate Op = "TRUNCATE"
)

var operations = []string{string(Insert), string(Update), string(Delete), string(Custom), string(Truncate)}

var operationValues = func() map[Op]*value {
	values := map[Op]*value{}
	for _, name := range operations {
		values[Op(name)] = &value{kind: aText, text: []byte(name)}
	}
	return values
}()

func (o Op) value() *value {
	if v := operationValues[o]; v != nil {
		return v
	}
	return &value{kind: aText, text: []byte(o)}
}

// Change is what a condition is judged over. Old and New are the rows as to_jsonb gives them, Claims those of the token of
// whoever made the change; empty and null are: there is none. Only what the condition names is read.
type Change struct {
	Op               Op
	Old, New, Claims json.RawMessage
}

// machine is what one judgement needs. They are kept, so that a judgement allocates nothing.
type machine struct {
	vm     vm.VM
	change Change
	of     *Condition
	rows   [3]row
	values []value
	known  []bool
	op     *value
}

// row is an object of the change, taken apart when it is first asked for.
type row struct {
	raw     []byte
	taken   bool
	members [][]byte // of the columns that the condition names, in the order of its columns
}

func (m *machine) start(c *Condition, change Change) {
	m.of, m.change = c, change
	for s, raw := range [...]json.RawMessage{fromOld: change.Old, fromNew: change.New, fromClaims: change.Claims} {
		r := &m.rows[s]
		r.raw, r.taken = trimmed(raw), false
		r.members = resized(r.members, len(c.named[s]))
	}
	m.values, m.known = resized(m.values, len(c.references)), resized(m.known, len(c.references))
	m.op = change.Op.value()
}

// end lets go of the event: a machine that waits must not keep it.
func (m *machine) end() {
	m.of, m.change = nil, Change{}
	for s := range m.rows {
		clear(m.rows[s].members)
		m.rows[s].raw = nil
	}
	clear(m.values)
	clear(m.known)
	clear(m.vm.Stack[:cap(m.vm.Stack)])
}

func resized[T any](s []T, size int) []T {
	if cap(s) < size {
		return make([]T, size)
	}
	return s[:size]
}

// trimmed gives an object without white space around it, and nothing for null.
func trimmed(raw []byte) []byte {
	raw = bytes.Trim(raw, " \n\t\r")
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// get gives what a reference is to; it is read once.
func (m *machine) get(r *reference) *value {
	v := &m.values[r.slot]
	if m.known[r.slot] {
		return v
	}
	raw, ok := m.read(r)
	if !ok || raw != nil && !decode(raw, v) {
		panic(r.at.problem("bad-row", "%s cannot be read: it is no JSON", r.source))
	}
	if raw == nil {
		*v = value{}
	}
	m.known[r.slot] = true
	return v
}

func (m *machine) read(r *reference) ([]byte, bool) {
	from := &m.rows[r.source]
	if len(r.path) == 0 {
		return from.raw, len(from.raw) == 0 || from.raw[0] == '{'
	}
	if len(from.raw) == 0 {
		return nil, true
	}
	if !from.taken {
		if !from.take(m.of.named[r.source]) {
			return nil, false
		}
		from.taken = true
	}
	raw := from.members[r.member]
	for _, s := range r.path[1:] {
		var ok bool
		if raw, ok = within(raw, s); !ok {
			return nil, false
		}
	}
	return raw, true
}

// take finds the columns that are named, and stops when it has all of them.
func (r *row) take(names []string) bool {
	missing := len(names)
	clear(r.members)
	return eachMember(r.raw, func(key, val []byte) bool {
		for i, name := range names {
			if r.members[i] == nil && keyIs(key, name) {
				r.members[i] = val
				missing--
				break
			}
		}
		return missing > 0
	})
}
