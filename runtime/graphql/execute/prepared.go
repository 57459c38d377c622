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
	bySQL map[string]*list.Element
	order *list.List // of *statement
	made  int
}

type statement struct {
	name, sql   string
	description *pgconn.StatementDescription // once the server has given it
}

func newPrepared() *prepared { return &prepared{bySQL: map[string]*list.Element{}, order: list.New()} }

// get gives the statement that a text is prepared as; nil when it is not.
func (p *prepared) get(sql string) *statement {
	e, ok := p.bySQL[sql]
	if !ok {
		return nil
	}
	p.order.MoveToFront(e)
	return e.Value.(*statement)
}

// add notes a statement that is about to be prepared and gives it a name of its own.
func (p *prepared) add(sql string) *statement {
	p.made++
	s := &statement{name: "fraiseql_" + strconv.Itoa(p.made), sql: sql}
	p.bySQL[sql] = p.order.PushFront(s)
	return s
}

// evict takes out the statement that was used the longest ago, once there are too many; else nil.
func (p *prepared) evict() *statement {
	if p.order.Len() < maxPrepared {
		return nil
	}
	s := p.order.Remove(p.order.Back()).(*statement)
	delete(p.bySQL, s.sql)
	return s
}

// forget takes back add: the statement was not prepared after all.
func (p *prepared) forget(s *statement) {
	if e, ok := p.bySQL[s.sql]; ok && e.Value == s {
		p.order.Remove(e)
		delete(p.bySQL, s.sql)
	}
}

// restore takes back evict: the server has the statement still.
func (p *prepared) restore(s *statement) {
	if _, again := p.bySQL[s.sql]; !again {
		p.bySQL[s.sql] = p.order.PushBack(s)
	}
}
