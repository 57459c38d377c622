package execute

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Key makes a mutation one that is done once, however often it is sent. Its answer is kept in the transaction of what it
// writes: either both are there, or neither.
type Key struct {
	Scope   []byte // who asks: nobody else's keys are looked at
	Name    string
	Request []byte // what is asked, or a digest of it
}

const (
	keepSQL   = "insert into _system.idempotency_keys (scope, key, request) values ($1, $2, $3)"
	answerSQL = "update _system.idempotency_keys set answer = $3 where scope = $1 and key = $2"
	keptSQL   = "select request, answer from _system.idempotency_keys where scope = $1 and key = $2"
	forgetSQL = "delete from _system.idempotency_keys where created_at < now() - interval '24 hours'"

	beginSQL  = "begin"
	loginSQL  = "set local role none" // who keeps the answer is the login
	keepsTime = 5 * time.Second       // to keep an answer and to commit
)

var (
	errKept      = errors.New("the key was sent before")
	errUnsettled = errors.New("the transaction was given up before its end")
	errKeepless  = errors.New("there is no table for idempotency keys that the login may write")
)

// keptError says what is wrong with keeping a key.
func keptError(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	switch pg.Code {
	case "23505":
		return fmt.Errorf("%w: %w", errKept, err)
	case "42P01", "3F000", "42501":
		return fmt.Errorf("%w: %w", errKeepless, err)
	}
	return err
}

// keyed is a unit whose statements have been run, and whose answer has to be kept yet.
type keyed struct {
	*Key
	answer func(parts [][]byte) []byte // the answer, of those of the statements
	parts  [][]byte
}

// settle keeps the answer of a unit and commits. That is a way to the server and back of its own, as there is no answer
// before.
func (w *worker) settle(u *unit) {
	k := u.key
	answer := k.answer(k.parts)
	_ = w.conn.Conn().SetDeadline(time.Now().Add(keepsTime)) // what cannot be set fails in reading
	p := w.conn.StartPipeline(background)
	p.SendQueryParams(loginSQL, nil, nil, nil, nil)
	p.SendQueryParams(answerSQL, [][]byte{bytea(k.Scope), []byte(k.Name), bytea(answer)}, nil, nil, nil)
	p.SendQueryParams(commitSQL, nil, nil, nil, nil)
	p.SendPipelineSync()
	if w.positions {
		sendPosition(p)
	}
	err := p.Flush()
	var failed error
	for synced := false; err == nil && !synced; {
		var result any
		result, err = p.GetResults()
		switch r := result.(type) {
		case *pgconn.ResultReader:
			_, err = r.Close()
		case *pgconn.PipelineSync:
			synced = true
		}
		if err != nil && isServers(err) && !isLostConnection(err) {
			failed, err = cmp.Or(failed, err), nil // those after the first are of a transaction that has failed
		}
	}
	if err == nil && w.positions {
		_ = u.locate(p) // the commit is known, and a connection that is lost is closed
	}
	_ = p.Close() // what it says is known, or that the connection is closed
	switch {
	case err != nil:
		w.disconnect()
		u.finish(outcome{failed: &failure{at: -1, err: fmt.Errorf("%w: %w", errUnsure, err)}})
		return
	case isPassing(failed): // nothing of it was done
		u.last.Store(&failure{at: -1, err: failed})
		w.exchange.again = append(w.exchange.again, u)
	case failed != nil:
		u.finish(outcome{failed: &failure{at: -1, err: failed}})
	default:
		u.finish(outcome{parts: k.parts})
	}
	_ = w.conn.Conn().SetDeadline(time.Time{})
}

// bytea writes bytes as PostgreSQL reads them in a text.
func bytea(b []byte) []byte { return fmt.Appendf(nil, `\x%x`, b) }

// kept gives the answer that was given to a key; other tells that it was to another request, and none that there is no
// such key after all.
func (e *Executor) kept(ctx context.Context, k *Key) (answer []byte, other, none bool, err error) {
	var request []byte
	err = e.pool.QueryRow(ctx, keptSQL, k.Scope, k.Name).Scan(&request, &answer)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, true, nil
	}
	return answer, !bytes.Equal(request, k.Request), false, err
}

// ForgetKeys removes idempotency keys that are a day old. A database without them is none to fail for.
func (e *Executor) ForgetKeys(ctx context.Context) error {
	_, err := e.pool.Exec(ctx, forgetSQL)
	if errors.Is(keptError(err), errKeepless) {
		return nil
	}
	return err
}
