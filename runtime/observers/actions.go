package observers

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/outbound"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

func itoa(n int) string { return strconv.Itoa(n) }

// makers are the actions that there are.
var makers = map[string]func(s *Service, o *observer, a Action, t texts) (action, error){
	"log": (*Service).logAction, "webhook": (*Service).webhookAction, "database": (*Service).databaseAction, "job": (*Service).jobAction,
	"email": (*Service).emailAction,
}

// action makes an action of what a rule says.
func (s *Service) action(o *observer, a Action) (action, error) {
	maker, known := makers[a.Type]
	if !known {
		return action{}, fault.New(fault.NotSupported, "observers/not-built", "this version has no actions of type "+a.Type+" yet")
	}
	var failure error
	t := a.parse(func(_ string, err error) { failure = err })
	if failure != nil {
		return action{}, failure
	}
	return maker(s, o, a, t)
}

var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// logAction writes a line. Without a message of its own it has no values of the row, only its key.
func (s *Service) logAction(o *observer, a Action, t texts) (action, error) {
	return action{kind: a.Type, run: func(ctx context.Context, d *dispatch.Delivery) reply {
		message := string(d.Event.Op) + " " + d.Event.Entity
		if t.message != nil {
			values, err := data(d.Event)
			if err == nil {
				message, err = t.message.Render(values)
			}
			if err != nil {
				return reply{err: err, final: true}
			}
		}
		s.deps.Log.Log(ctx, levels[a.Level], message, slog.String("observer", o.name), slog.Int64("event", d.Event.ID), slog.String("entity", d.Event.Entity),
			slog.String("op", string(d.Event.Op)), slog.String("key", string(d.Event.Key)))
		return reply{text: message}
	}}, nil
}

// webhookAction calls an address, by Standard Webhooks: the id is the same at each try.
func (s *Service) webhookAction(o *observer, a Action, t texts) (action, error) {
	address, err := a.URLFrom.Resolve(lookup, s.deps.Dir)
	if err != nil {
		return action{}, err
	}
	keys, err := outbound.KeysOf(a.Secret, lookup, s.deps.Dir)
	if err != nil {
		return action{}, err
	}
	return action{kind: a.Type, run: func(ctx context.Context, d *dispatch.Delivery) reply {
		request, err := o.request(d, a, t, address, keys)
		if err != nil {
			return reply{err: err, final: true}
		}
		return replyOf(s.deps.Outbound.Do(ctx, request))
	}}, nil
}

// request is what a webhook sends.
func (o *observer) request(d *dispatch.Delivery, a Action, t texts, address string, keys *outbound.Keys) (outbound.Request, error) {
	r := outbound.Request{Method: a.Method, URL: address, Header: http.Header{}, Timeout: a.Timeout, Repeatable: true}
	var err error
	if r.Body, err = d.Event.MarshalJSON(); err != nil {
		return r, err
	}
	if t.url != nil || t.body != nil || len(t.headers) > 0 {
		if err := t.fill(&r, d); err != nil {
			return r, err
		}
	}
	r.Header.Set("Content-Type", "application/json")
	if a.Method == http.MethodGet {
		r.Body = nil
		r.Header.Del("Content-Type")
	}
	id, now := o.idOf(d), time.Now()
	if keys == nil {
		r.Header.Set("Webhook-Id", id)
		r.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
		return r, nil
	}
	signed, err := keys.Sign(id, now, r.Body)
	if err != nil {
		return r, err
	}
	for name, values := range signed {
		r.Header[name] = values
	}
	return r, nil
}

// fill renders the templates of a request.
func (t *texts) fill(r *outbound.Request, d *dispatch.Delivery) error {
	values, err := data(d.Event)
	if err != nil {
		return err
	}
	if t.url != nil {
		if r.URL, err = t.url.Render(values); err != nil {
			return err
		}
	}
	if t.body != nil {
		body, err := t.body.Render(values)
		if err != nil {
			return err
		}
		r.Body = []byte(body)
	}
	for name, header := range t.headers {
		value := ""
		if header != nil {
			if value, err = header.Render(values); err != nil {
				return err
			}
		}
		r.Header.Set(name, value)
	}
	return nil
}

// replyOf judges what a receiver answered.
func replyOf(r outbound.Result) reply {
	text := r.Snippet()
	if r.Status != 0 {
		text = strings.TrimSpace(itoa(r.Status) + " " + text)
	}
	switch r.Class {
	case outbound.Delivered:
		return reply{text: text}
	case outbound.Gone:
		return reply{text: text, err: r.Err, final: true, off: "the receiver answered 410: it wants no more of these, ever"}
	case outbound.Refused:
		return reply{text: text, err: r.Err, final: true}
	}
	return reply{text: text, err: r.Err, wait: r.Wait, resting: fault.CodeOf(r.Err) == "outbound/host-rests"}
}

// databaseAction calls a function with the event as jsonb, in the transaction that marks the delivery. Several are one
// statement, which calls it for one after the other.
func (s *Service) databaseAction(o *observer, a Action, _ texts) (action, error) {
	call := "select set_config('fraiseql.request', u.origin, true), (" + postgres.Qualified(a.Function) + "(u.event::jsonb))::text from unnest($1::text[], $2::text[]) as u(event, origin)"
	return action{kind: a.Type, within: func(ctx context.Context, tx pgx.Tx, ds []*dispatch.Delivery) ([]string, error) {
		bodies, origins := make([]string, len(ds)), make([]string, len(ds))
		for i, d := range ds {
			event, err := d.Event.MarshalJSON()
			if err != nil {
				return nil, err
			}
			bodies[i], origins[i] = string(event), events.Origin(d.Event.Request, d.Event.Trace, "event/"+strconv.FormatInt(d.Event.ID, 10)+"/"+o.name)
		}
		rows, err := tx.Query(ctx, call, bodies, origins)
		if err != nil {
			return nil, err
		}
		replies := make([]string, 0, len(ds))
		var origin string
		var text *string
		_, err = pgx.ForEachRow(rows, []any{&origin, &text}, func() error {
			if text == nil {
				text = new(string)
			}
			replies = append(replies, *text)
			return nil
		})
		switch {
		case err != nil:
			return nil, fault.Wrap(fault.Invalid, "observers/function", "the function "+a.Function+" failed", err)
		case len(replies) != len(ds):
			return nil, fault.New(fault.Invalid, "observers/function", "the function "+a.Function+" gives rows: it has to give one value")
		}
		return replies, nil
	}}, nil
}
