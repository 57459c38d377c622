package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

// makers make a handler of what the configuration says.
var makers = map[string]func(s *Service, r Rule) (Handler, error){
	"http": (*Service).httpHandler, "function": (*Service).functionHandler, "sql": (*Service).sqlHandler, "command": (*Service).commandHandler,
}

// httpHandler sends the arguments, by Standard Webhooks: the id is the same at each try. A JSON answer is the result.
func (s *Service) httpHandler(r Rule) (Handler, error) {
	address := r.URL
	if address == "" {
		var err error
		if address, err = r.URLFrom.Resolve(os.LookupEnv, s.deps.Dir); err != nil {
			return nil, err
		}
	}
	keys, err := outbound.KeysOf(r.Secret, os.LookupEnv, s.deps.Dir)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, t *Try) Outcome {
		call := outbound.Request{Method: r.Method, URL: address, Header: http.Header{}, Body: t.Args, Repeatable: true, Timeout: time.Hour} // ctx ends it before
		for name, value := range r.Headers {
			call.Header.Set(name, value)
		}
		call.Header.Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			call.Body = nil
			call.Header.Del("Content-Type")
		}
		call.Header.Set("X-Job-Kind", t.Kind)
		call.Header.Set("X-Job-Attempt", strconv.Itoa(t.Attempt))
		if err := sign(&call, keys, t.Key); err != nil {
			return Final(err)
		}
		return outcomeOf(s.deps.Outbound.Do(ctx, call), t)
	}, nil
}

func sign(call *outbound.Request, keys *outbound.Keys, id string) error {
	now := time.Now()
	if keys == nil {
		call.Header.Set("Webhook-Id", id)
		call.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
		return nil
	}
	signed, err := keys.Sign(id, now, call.Body)
	for name, values := range signed {
		call.Header[name] = values
	}
	return err
}

// outcomeOf judges what a receiver answered.
func outcomeOf(r outbound.Result, t *Try) Outcome {
	if r.Status != 0 {
		t.Say(strings.TrimSpace(strconv.Itoa(r.Status) + " " + r.Snippet()))
	}
	switch {
	case r.Class == outbound.Delivered:
		body := bytes.TrimSpace(r.Body)
		if len(body) == 0 || r.Cut || !json.Valid(body) {
			return Outcome{}
		}
		return Outcome{Result: body}
	case r.Class == outbound.Gone, r.Class == outbound.Refused:
		return Final(r.Err)
	case fault.CodeOf(r.Err) == "outbound/host-rests":
		return Later(max(r.Wait, time.Second))
	}
	return Outcome{Err: r.Err, Wait: r.Wait}
}

// functionHandler calls a function with the arguments, in the transaction that completes the job: exactly once. What it gives
// is the result.
func (s *Service) functionHandler(r Rule) (Handler, error) {
	call := "select to_jsonb(f) from " + postgres.Qualified(r.Function) + "($1::jsonb) f"
	return s.within(func(ctx context.Context, tx pgx.Tx, args []byte) ([]byte, error) {
		rows, err := tx.Query(ctx, call, string(args))
		if err != nil {
			return nil, err
		}
		all, err := pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
		switch {
		case err != nil || len(all) == 0:
			return nil, err
		case len(all) > 1:
			return json.Marshal(all)
		case string(all[0]) == `""`: // of a function that gives nothing
			return nil, nil
		}
		return all[0], nil
	}, "the function "+r.Function+" failed"), nil
}

// sqlHandler runs a statement, as functionHandler does a function. The result is how many rows it changed or gave.
func (s *Service) sqlHandler(r Rule) (Handler, error) {
	takes := strings.Contains(r.SQL, "$1")
	return s.within(func(ctx context.Context, tx pgx.Tx, args []byte) ([]byte, error) {
		var given []any
		if takes {
			given = append(given, string(args))
		}
		tag, err := tx.Exec(ctx, r.SQL, given...)
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]int64{"rows": tag.RowsAffected()})
	}, "the statement failed"), nil
}

// within has something done in the transaction that completes the job, where the queue can do that.
func (s *Service) within(do func(ctx context.Context, tx pgx.Tx, args []byte) ([]byte, error), what string) Handler {
	return func(ctx context.Context, t *Try) Outcome {
		var result []byte
		err := pgx.BeginFunc(ctx, s.deps.Pool, func(tx pgx.Tx) error {
			c := Cause{}
			if t.Cause != nil {
				c = *t.Cause
			}
			// What is changed by this, and what it enqueues, tells where it came from.
			_, err := tx.Exec(ctx, "select set_config('fraiseql.request', $1, true)", events.Origin(c.Request, c.Trace, "job/"+t.ID))
			if err != nil {
				return err
			}
			if result, err = do(ctx, tx, t.Args); err != nil {
				return fault.Wrap(fault.Invalid, "jobs/function", what, err)
			}
			result = fitting(result, t)
			if t.Complete == nil {
				return nil
			}
			return t.Complete(ctx, tx, result)
		})
		return Outcome{Result: result, Err: err, Completed: err == nil && t.Complete != nil}
	}
}
