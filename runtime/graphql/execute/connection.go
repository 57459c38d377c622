package execute

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// maxPrepared bounds what one connection keeps prepared: some kilobytes of the server's memory each.
const maxPrepared = 256

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

// name gives the name of a statement; fresh when it must be prepared first. evicted, when not empty,
// is one to deallocate for it.
func (p *prepared) name(sql string) (name string, fresh bool, evicted string) {
	if e, ok := p.names[sql]; ok {
		p.order.MoveToFront(e)
		return e.Value.(statement).name, false, ""
	}
	if p.order.Len() >= maxPrepared {
		last := p.order.Remove(p.order.Back()).(statement)
		delete(p.names, last.sql)
		evicted = last.name
	}
	p.made++
	name = "fraiseql_" + strconv.Itoa(p.made)
	p.names[sql] = p.order.PushFront(statement{name: name, sql: sql})
	return name, true, evicted
}

// forget drops a statement that could not be prepared.
func (p *prepared) forget(sql string) {
	if e, ok := p.names[sql]; ok {
		p.order.Remove(e)
		delete(p.names, sql)
	}
}

const (
	beginSQL  = "begin transaction isolation level repeatable read, read only"
	commitSQL = "commit"
)

// lockSQL takes the locks of statements before their snapshot is taken: a snapshot from before an ALTER
// TABLE that rewrites a table would find it empty (PostgreSQL manual, section 13.6). It is empty for none.
func lockSQL(statements []*plan.Statement) string {
	tables := map[string]bool{}
	for _, s := range statements {
		for _, t := range s.Locks {
			tables[t] = true
		}
	}
	if len(tables) == 0 {
		return ""
	}
	return "lock table " + strings.Join(slices.Sorted(maps.Keys(tables)), ", ") + " in access share mode"
}

// run sends statements in one round trip and appends what each gives to out. With more than one they
// share a snapshot. The first failure ends the run: its index (-1 when it was none of the statements) and
// cause are returned, and the connection is fit for use again unless it is closed.
func run(ctx context.Context, conn *pgconn.PgConn, statements []*plan.Statement, named bool, out [][]byte) (int, error) {
	known := preparedOn(conn)
	pipeline := conn.StartPipeline(ctx)
	snapshot := len(statements) > 1
	fresh := make([]bool, len(statements))
	before := 0 // results that come before the statements'
	if snapshot {
		pipeline.SendQueryParams(beginSQL, nil, nil, nil, nil)
		before++
		if locks := lockSQL(statements); locks != "" {
			pipeline.SendQueryParams(locks, nil, nil, nil, nil)
			before++
		}
	}
	for i, s := range statements {
		fresh[i] = send(pipeline, known, s, named)
	}
	if snapshot {
		pipeline.SendQueryParams(commitSQL, nil, nil, nil, nil)
	}
	failed, err := receive(pipeline, statements, before, out)
	if closeErr := pipeline.Close(); err == nil && closeErr != nil {
		err = closeErr
	}
	if err == nil {
		return 0, nil
	}
	for i, s := range statements {
		// What was never prepared must not be taken for prepared; what was stays known by its name.
		if fresh[i] {
			known.forget(s.SQL)
		}
	}
	if snapshot && !conn.IsClosed() {
		if _, rollbackErr := conn.Exec(ctx, "rollback").ReadAll(); rollbackErr != nil {
			err = errors.Join(err, fmt.Errorf("roll back: %w", rollbackErr))
		}
	}
	return failed, err
}

func send(pipeline *pgconn.Pipeline, known *prepared, s *plan.Statement, named bool) (fresh bool) {
	params := make([][]byte, len(s.Args))
	for i, a := range s.Args {
		params[i] = []byte(a)
	}
	if !named {
		pipeline.SendQueryParams(s.SQL, params, nil, nil, nil)
		return false
	}
	name, fresh, evicted := known.name(s.SQL)
	if evicted != "" {
		pipeline.SendDeallocate(evicted)
	}
	if fresh {
		pipeline.SendPrepare(name, s.SQL, nil)
	}
	pipeline.SendQueryPrepared(name, params, nil, nil)
	return fresh
}

// receive reads results in the order in which they were asked for.
func receive(pipeline *pgconn.Pipeline, statements []*plan.Statement, before int, out [][]byte) (int, error) {
	if err := pipeline.Sync(); err != nil {
		return 0, err
	}
	at := -before
	for {
		result, err := pipeline.GetResults()
		if err != nil {
			return max(at, -1), err
		}
		switch r := result.(type) {
		case *pgconn.ResultReader:
			if at >= 0 && at < len(statements) {
				out[at] = appendResult(out[at], statements[at], r)
			}
			if _, err := r.Close(); err != nil {
				return min(max(at, -1), len(statements)-1), err
			}
			at++
		case *pgconn.PipelineSync, nil:
			return 0, nil
		}
	}
}

// appendResult writes a statement's rows as the JSON value of its root field.
func appendResult(b []byte, s *plan.Statement, r *pgconn.ResultReader) []byte {
	if s.One {
		if !r.NextRow() {
			return append(b, "null"...)
		}
		return appendRow(b, s.Columns, r.Values())
	}
	b = append(b, '[')
	for first := true; r.NextRow(); first = false {
		if !first {
			b = append(b, ',')
		}
		b = appendRow(b, s.Columns, r.Values())
	}
	return append(b, ']')
}
