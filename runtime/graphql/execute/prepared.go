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

const preparedKey = "fraiseql.prepared"

// prepared is what a connection has prepared, the last used first.
type prepared struct {
	names map[string]*list.Element // by SQL text
	order *list.List               // of statement
	made  int
}

type statement struct{ name, sql string }

func preparedOn(conn *pgconn.PgConn) *prepared {
	data := conn.CustomData()
	if p, ok := data[preparedKey].(*prepared); ok {
		return p
	}
	p := &prepared{names: map[string]*list.Element{}, order: list.New()}
	data[preparedKey] = p
	return p
}

// name gives the name under which a statement is prepared, and whether it is.
func (p *prepared) name(sql string) (string, bool) {
	e, ok := p.names[sql]
	if !ok {
		return "", false
	}
	p.order.MoveToFront(e)
	return e.Value.(statement).name, true
}

// add notes a statement that is about to be prepared and gives it a name of its own.
func (p *prepared) add(sql string) statement {
	p.made++
	s := statement{name: "fraiseql_" + strconv.Itoa(p.made), sql: sql}
	p.names[sql] = p.order.PushFront(s)
	return s
}

// evict takes out the statement that was used the longest ago, once there are too many.
func (p *prepared) evict() (statement, bool) {
	if p.order.Len() < maxPrepared {
		return statement{}, false
	}
	s := p.order.Remove(p.order.Back()).(statement)
	delete(p.names, s.sql)
	return s, true
}

// forget takes back add: the statement was not prepared after all.
func (p *prepared) forget(s statement) {
	if e, ok := p.names[s.sql]; ok && e.Value == s {
		p.order.Remove(e)
		delete(p.names, s.sql)
	}
}

// restore takes back evict: the server has the statement still.
func (p *prepared) restore(s statement) {
	if _, again := p.names[s.sql]; !again {
		p.names[s.sql] = p.order.PushBack(s)
	}
}
