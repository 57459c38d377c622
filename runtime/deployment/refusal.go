package deployment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// refusal remembers the last statement that PostgreSQL refused, since goose tells its error without the
// place: with the statement's text the place in the file is found again. It is a pgx.QueryTracer.
type refusal struct {
	mu        sync.Mutex
	statement string
	err       *pgconn.PgError
}

type statementKey struct{}

// TraceQueryStart keeps the statement for its end.
func (*refusal) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, statementKey{}, data.SQL)
}

// TraceQueryEnd keeps what was refused.
func (r *refusal) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	var refused *pgconn.PgError
	if !errors.As(data.Err, &refused) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statement, _ = ctx.Value(statementKey{}).(string)
	r.err = refused
}

func (r *refusal) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statement, r.err = "", nil
}

func (r *refusal) last() (failure *pgconn.PgError, statement string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err, r.statement, r.err != nil
}

// explain says which line of which file was refused. A file runs in one transaction unless it says otherwise.
func (r *refusal) explain(files fs.FS, source, name string, down bool, err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return fault.Wrap(fault.Invalid, "migrations/failed", name+" could not be run", err).WithHint("fraiseql migrate validate")
	}
	text, readErr := fs.ReadFile(files, source)
	failure, statement, ok := r.last()
	if readErr == nil && ok && failure.Code == refused.Code {
		name += place(string(text), statement, int(failure.Position))
	}
	cause := refused.Message
	if refused.Detail != "" {
		cause += "\n" + refused.Detail
	}
	if refused.Hint != "" {
		cause += "\n" + refused.Hint
	}
	e := fault.Wrap(fault.Invalid, "migrations/failed", "PostgreSQL refused "+name, fmt.Errorf("%s (SQLSTATE %s)", cause, refused.Code))
	for _, p := range checkText(source, string(text)) { // how goose cuts the file into statements may be why
		if p.Severity == diag.Error {
			return e.WithHint("line %d: %s: %s", p.Primary.Line, p.Message, p.Help)
		}
	}
	if strings.Contains(string(text), "+goose NO TRANSACTION") {
		return e.WithHint("correct what is there by hand, since this file runs without a transaction; then fraiseql migrate up")
	}
	if down {
		return e.WithHint("correct what stands below `goose Down` and run fraiseql migrate down again: nothing of it was undone")
	}
	return e.WithHint("correct the file and run fraiseql migrate up again: nothing of it was kept")
}

// place finds a position of a statement, counted in characters from 1, in the file that it came from:
// ":line:column", or ":line" of its beginning when PostgreSQL gives no position. Empty when it is not found.
func place(text, statement string, position int) string {
	at := strings.Index(text, statement)
	if statement == "" || at < 0 {
		return ""
	}
	if position < 1 {
		return fmt.Sprintf(":%d", 1+strings.Count(text[:at], "\n"))
	}
	for range position - 1 {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	line := 1 + strings.Count(text[:at], "\n")
	begin := strings.LastIndexByte(text[:at], '\n') + 1
	return fmt.Sprintf(":%d:%d", line, 1+utf8.RuneCountInString(text[begin:at]))
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
