package observers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/cluster"
	"github.com/fraiseql/fraiseql/runtime/events/dispatch"
	"github.com/fraiseql/fraiseql/runtime/postgres"
)

const (
	// absent is why an observer is off that no server's configuration file has any more.
	absent = "the configuration file has it no more"

	// Whether it is switched on is the operators' to say: a restart does not change that.
	saveSQL = `
insert into _system.observers as o (name, entity, event_type, config, origin)
values ($1, $2, $3, $4, $5)
on conflict (name) do update
set entity = excluded.entity, event_type = excluded.event_type, config = excluded.config, origin = excluded.origin, updated_at = now(),
    enabled = o.enabled or o.reason is not distinct from '` + absent + `', reason = nullif(o.reason, '` + absent + `')
where (o.entity, o.event_type, o.config, o.origin) is distinct from (excluded.entity, excluded.event_type, excluded.config, excluded.origin)
   or o.reason = '` + absent + `'`

	// Its log, and what it had still to do, stay: the file may have lost it by mistake. What another server that lives has in its
	// file is not lost, nor what one that is about to start has brought within $3.
	goneSQL = `
update _system.observers o
set enabled = false, reason = '` + absent + `', updated_at = now()
where o.origin = 'file' and o.name <> all ($1) and o.enabled and o.updated_at <= clock_timestamp() - $3::interval
  and not exists (select from ` + knowing + `)`

	knowing = `_system.node n where n.seen_at > clock_timestamp() - $2::interval and 'observer:' || o.name = any (n.knows)`

	knownSQL = `select exists (select from _system.observers o, ` + knowing + ` and o.name = $1)`

	deleteSQL = `
delete from _system.observers
where name = $1`

	orphansSQL = `
select c.name
from _system.event_consumer c
where starts_with(c.name, 'observer:') and not exists (select from _system.observers o where 'observer:' || o.name = c.name)`

	allSQL = `
select id::text, name, entity, event_type, enabled, config, origin, coalesce(reason, ''), created_at, updated_at
from _system.observers
order by name`

	stampSQL = `
select coalesce(string_agg(name || enabled || updated_at::text, ' ' order by name), '')
from _system.observers`

	switchSQL = `
update _system.observers
set enabled = $2, reason = nullif($3, ''), updated_at = now()
where name = $1`

	recordSQL = `
insert into _system.observer_logs as l (id, observer_id, event_id, event_at, part, action, type, event_data, status, attempts, duration_ms, response, error_message, executed_at)
select id, $1::uuid, event_id, event_at, part, action, type, data, status, attempts, duration, response, error, clock_timestamp()
from unnest($2::int8[], $3::timestamptz[], $4::int[], $5::int[], $6::text[], $7::jsonb[], $8::text[], $9::int[], $10::float8[], $11::text[], $12::text[], $13::uuid[])
    as u(event_id, event_at, part, action, type, data, status, attempts, duration, response, error, id)
on conflict (observer_id, event_id, part, action) do update
set status = excluded.status, attempts = excluded.attempts, duration_ms = excluded.duration_ms, response = excluded.response,
    error_message = excluded.error_message, executed_at = excluded.executed_at`

	logsSQL = `
select l.id::text, o.name, l.event_id, l.part, l.action, l.type, l.status, l.attempts, coalesce(l.duration_ms, 0), coalesce(l.response, ''), coalesce(l.error_message, ''), l.executed_at, l.event_data
from _system.observer_logs l
join _system.observers o on o.id = l.observer_id
where ($1 = '' or o.name = $1) and ($2 = '' or l.status = $2) and l.executed_at < $3
order by l.executed_at desc
limit $4`

	// The index begins with the observer: there are few of them.
	logsOfSQL = `
select l.id::text, o.name, l.event_id, l.part, l.action, l.type, l.status, l.attempts, coalesce(l.duration_ms, 0), coalesce(l.response, ''), coalesce(l.error_message, ''), l.executed_at, null::jsonb
from _system.observers o
join _system.observer_logs l on l.observer_id = o.id and l.event_id = $1
order by o.name, l.part, l.action`

	forgetSQL = `
delete from _system.observer_logs
where id in (select id from _system.observer_logs where executed_at < $1 and status <> 'pending' limit 10000)`
)

// Stored is an observer as the database has it.
type Stored struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Entity    string          `json:"entity"`
	Event     string          `json:"event"` // several are joined by commas
	Enabled   bool            `json:"enabled"`
	Config    json.RawMessage `json:"config"`
	Origin    string          `json:"origin"` // file or database
	Reason    string          `json:"reason,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// Refused tells whether a receiver has switched it off, by an answer of 410.
func (o Stored) Refused() bool { return !o.Enabled && o.Reason != "" && o.Reason != absent }

// Log is one action on one event, with all its tries.
type Log struct {
	ID       string          `json:"id"`
	Observer string          `json:"observer"`
	EventID  *int64          `json:"event_id,string"`
	Replay   int             `json:"replay,omitempty"` // its number, where it was one
	Action   int             `json:"action"`           // from 1 on
	Type     string          `json:"type"`
	Status   string          `json:"status"` // pending, success or failed
	Attempts int             `json:"attempts"`
	Duration float64         `json:"duration_ms"` // of the last try
	Response string          `json:"response,omitempty"`
	Error    string          `json:"error,omitempty"`
	At       time.Time       `json:"at"`
	Event    json.RawMessage `json:"event"`
}

type store struct{ pool *pgxpool.Pool }

func (s store) all(ctx context.Context) ([]Stored, error) {
	rows, err := s.pool.Query(ctx, allSQL)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Stored])
}

// orphans are consumers whose observers are no more.
func (s store) orphans(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, orphansSQL)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// save puts what the file says in place of what it said before.
func (s store) save(ctx context.Context, named map[string]Rule) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		names := []string{}
		for name, rule := range named {
			names = append(names, name)
			config, err := json.Marshal(public(rule))
			if err != nil {
				return err
			}
			batch.Queue(saveSQL, name, rule.Entity, strings.Join(rule.Event, ","), string(config), "file")
		}
		batch.Queue(goneSQL, names, cluster.Term, time.Duration(0))
		return tx.SendBatch(ctx, batch).Close()
	})
}

func (s store) logs(ctx context.Context, name, status string, before time.Time, limit int) ([]Log, error) {
	rows, err := s.pool.Query(ctx, logsSQL, name, status, before, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Log])
}

// logsOf gives what was done about an event, without the event.
func (s store) logsOf(ctx context.Context, event int64) ([]Log, error) {
	rows, err := s.pool.Query(ctx, logsOfSQL, event)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Log])
}

// record notes what came of deliveries, in the transaction that marks them. What the condition did not want leaves no note.
func record(ctx context.Context, tx pgx.Tx, o *observer, all []dispatch.Settled) error {
	var ids []int64
	var at []time.Time
	var parts, actions, attempts []int
	var kinds, data, statuses, rows []string
	var durations []float64
	var replies, errors []*string
	for _, s := range all {
		n, noted := s.Delivery.Note.(note)
		d := s.Delivery
		if !noted || d.Event == nil {
			continue
		}
		event, err := d.Event.MarshalJSON()
		if err != nil {
			return err
		}
		kind := ""
		if d.Step < len(o.actions) {
			kind = o.actions[d.Step].kind
		}
		ids, at, parts, actions = append(ids, d.Event.ID), append(at, d.Event.At), append(parts, d.Part), append(actions, d.Step+1)
		kinds, data, statuses, attempts = append(kinds, kind), append(data, string(event)), append(statuses, statusOf(s.Result)), append(attempts, d.Attempt+1)
		durations, replies = append(durations, float64(s.Took.Microseconds())/1000), append(replies, short(n.reply))
		var message *string
		if s.Result.Err != nil {
			message = short(s.Result.Err.Error())
		}
		errors, rows = append(errors, message), append(rows, cluster.NewTimeID())
	}
	if len(ids) == 0 {
		return nil
	}
	note := func() error {
		return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, recordSQL, o.id, ids, at, parts, actions, kinds, data, statuses, attempts, durations, replies, errors, rows)
			return err
		})
	}
	err := note()
	if !postgres.IsValue(err) {
		return err
	}
	// A row may hold JSON that jsonb refuses, such as \u0000: that must not keep anything from being marked.
	for i := range data {
		data[i] = fmt.Sprintf(`{"id": "%d", "unreadable": true}`, ids[i])
	}
	return note()
}

func statusOf(r dispatch.Result) string {
	switch {
	case r.Outcome == dispatch.Again:
		return "pending"
	case r.Err != nil:
		return "failed"
	}
	return "success"
}

// short makes a text that PostgreSQL takes, of a kilobyte at most; nil for none.
func short(text string) *string {
	if text == "" {
		return nil
	}
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	if len(text) > 1024 {
		text = strings.ToValidUTF8(text[:1024], "")
	}
	return &text
}

// shown is what the database keeps of a rule of the file: without addresses, which may have secrets in them.
type shown struct {
	Description string        `json:"description,omitempty"`
	Columns     []string      `json:"columns,omitempty"`
	When        string        `json:"when,omitempty"`
	Mode        string        `json:"mode"`
	Concurrency int           `json:"concurrency"`
	MaxAttempts int           `json:"max_attempts"`
	OnFailure   string        `json:"on_failure"`
	Actions     []shownAction `json:"actions"`
}

type shownAction struct {
	Type     string `json:"type"`
	Function string `json:"function,omitempty"`
	Template string `json:"template,omitempty"`
	To       string `json:"to,omitempty"`
	Channel  string `json:"channel,omitempty"`
	Kind     string `json:"kind,omitempty"`
}

func public(r Rule) shown {
	s := shown{Description: r.Description, Columns: r.Columns, When: r.When, Mode: r.Mode, Concurrency: r.Concurrency, MaxAttempts: r.Retry.MaxAttempts, OnFailure: r.OnFailure}
	for _, a := range r.Actions {
		s.Actions = append(s.Actions, shownAction{a.Type, a.Function, a.Template, a.To, a.Channel, a.Kind})
	}
	return s
}
