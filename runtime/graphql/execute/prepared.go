package execute

import (
	"container/list"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// maxPrepared bounds what one connection keeps prepared: some kilobytes of the server's memory each.
	maxPrepared = 256
	// maxPreparedText is the longest statement, in bytes, that is kept prepared: longer ones are rare, and
	// their plans weigh on every connection that has run them.
	maxPreparedText = 32 << 10
)

// prepared is what a connection has prepared, the last used first.
type prepared struct {
	byKey map[statementKey]*list.Element
	order *list.List // of *statement
	made  int
}

// statementKey is what a statement is known by: a text, for a role.
type statementKey struct{ role, sql string }

type statement struct {
	name        string
	key         statementKey
	description *pgconn.StatementDescription // once the server has given it
}

func newPrepared() *prepared {
	return &prepared{byKey: map[statementKey]*list.Element{}, order: list.New()}
}

// get gives the statement that something is prepared as; nil when it is not.
func (p *prepared) get(key statementKey) *statement {
	e, ok := p.byKey[key]
	if !ok {
		return nil
	}
	p.order.MoveToFront(e)
	return e.Value.(*statement)
}

// add notes a statement that is about to be prepared and gives it a name of its own.
func (p *prepared) add(key statementKey) *statement {
	p.made++
	s := &statement{name: "fraiseql_" + strconv.Itoa(p.made), key: key}
	p.byKey[key] = p.order.PushFront(s)
	return s
}

// evict takes out the statement that was used the longest ago, once there are too many; else nil.
func (p *prepared) evict() *statement {
	if p.order.Len() < maxPrepared {
		return nil
	}
	s := p.order.Remove(p.order.Back()).(*statement)
	delete(p.byKey, s.key)
	return s
}

// forget takes back add: the statement was not prepared after all.
func (p *prepared) forget(s *statement) {
	if e, ok := p.byKey[s.key]; ok && e.Value == s {
		p.order.Remove(e)
		delete(p.byKey, s.key)
	}
}

// restore takes back evict: the server has the statement still.
func (p *prepared) restore(s *statement) {
	if _, again := p.byKey[s.key]; !again {
		p.byKey[s.key] = p.order.PushBack(s)
	}
}
