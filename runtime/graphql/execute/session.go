package execute

import (
	"errors"
	"strconv"
	"time"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// Session is who statements run as, for one transaction: nothing of it outlives that, and no connection keeps any.
type Session struct {
	Role    string        // of the database; empty is the login
	Claims  []byte        // JSON, for policies: current_setting('request.jwt.claims')
	Timeout time.Duration // after which PostgreSQL itself ends a statement; 0 is never
}

// A role and claims are values of a statement, never text in one. The role comes last: what is set before it is set
// by the login.
const (
	sessionSQL = "select set_config('request.jwt.claims', $1, true), set_config('statement_timeout', $2, true)"

	// What captures changes keeps it with them: _system.event.
	originSQL = "select set_config('fraiseql.request', $1, true)"

	roleSQL        = ", set_config('role', $3, true)"
	sessionReadSQL = ", set_config('transaction_read_only', 'on', true)"
)

// errSession ends a unit that cannot be run as who asks.
var errSession = errors.New("the role of the request cannot be taken on")

// args are the values of the statement that begins a session.
func (s *Session) args(role bool) [][]byte {
	args := [][]byte{s.Claims, strconv.AppendInt(nil, s.Timeout.Milliseconds(), 10)}
	if role {
		args = append(args, []byte(s.Role))
	}
	return args
}

// take queues what makes statements run as somebody. Several reads have begun a transaction, which is read-only and has
// its role: see assume.
func (x *exchange) take(s *Session, reads, several bool) {
	sql, role := sessionSQL, s.Role != "" && !several
	if reads && !several {
		sql += sessionReadSQL
	}
	if role {
		sql += roleSQL
	}
	x.statement(session, -1, sql, s.args(role))
}

// assume takes a role on by a command that takes no snapshot: one from before the locks of the statements would be as
// good as none. The name is one of the configuration's.
func (x *exchange) assume(s *Session) {
	if s.Role != "" {
		x.statement(session, -1, "set local role "+catalog.QuoteIdent(s.Role), nil)
	}
}
