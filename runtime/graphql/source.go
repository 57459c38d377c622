package graphql

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/events"
	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
	"github.com/fraiseql/fraiseql/runtime/graphql/subscribe"
)

// mostAtOnce is how many rows one statement reads by their keys.
const mostAtOnce = 100

// source reads for subscriptions that read alike, as one role.
type source struct {
	admitted

	service *Service
	bound   plan.Bound
	keys    plan.Bound // lists the keys of rows; nothing in it where all count
	ops     events.Ops
	atOnce  int
}

func (s *source) table() *catalog.Table { return s.bound.Changed.Object.Table }

// Relation is the table whose changes are told.
func (s *source) Relation() events.Relation {
	return events.Relation{Schema: s.table().Schema, Table: s.table().Name}
}

// Key are the columns of its primary key.
func (s *source) Key() []string {
	var names []string
	for _, c := range s.bound.Changed.Object.PrimaryKey() {
		names = append(names, c.Name)
	}
	return names
}

// Ops are what is told.
func (s *source) Ops() events.Ops { return s.ops }

// Whole tells whether every row counts, as the schema has it.
func (s *source) Whole() bool { return s.bound.Changed.Whole }

// Shows tells whether one of the columns is shown.
func (s *source) Shows(columns []string) bool {
	return len(fieldsOf(s.bound.Changed.Object, columns)) > 0
}

// Altered tells whether the schema is another one by now.
func (s *source) Altered() bool {
	now := s.service.pictures.Load()
	return now == nil || now.byName[s.picture.name] != s.picture
}

// All tells whether the role may read the keys of all rows, as the database has it now.
func (s *source) All(ctx context.Context) (bool, error) {
	t := s.table()
	var keys []string
	for _, name := range s.Key() {
		keys = append(keys, catalog.QuoteIdent(name))
	}
	ctx, done := s.service.limited(ctx)
	defer done()
	answer, err := s.service.ask(ctx, s.role, "select not row_security_active('"+strings.ReplaceAll(t.SQL(), "'", "''")+"'::regclass), "+
		"(select count(*) from (select "+strings.Join(keys, ", ")+" from "+t.SQL()+" limit 0) none)")
	if err != nil {
		return false, err
	}
	all, _ := answer[0].(bool)
	return all, nil
}

// failures are errors of GraphQL, as an error.
type failures struct{ gqlerror.List }

// run runs a statement of the source.
func (s *source) run(ctx context.Context, bound plan.Bound, into any) error {
	ctx, done := s.service.limited(ctx)
	defer done()
	result := s.service.executor.Execute(ctx, execute.Request{Bound: bound, Schema: s.schema, Session: s.session})
	switch {
	case result.Outdated:
		signal(s.service.hurry)
		return fault.New(fault.Unavailable, "subscriptions/outdated", "the database is not as the schema has it")
	case result.Unavailable:
		return fault.Wrap(fault.Unavailable, "subscriptions/database-down", "the database cannot be reached", failures{result.Errors})
	case len(result.Errors) > 0:
		return failures{result.Errors}
	}
	defer result.Release()
	// {"field":[…]}
	data := result.Data[bytes.IndexByte(result.Data, '[') : len(result.Data)-1]
	return json.Unmarshal(data, into)
}

// Keys lists the keys of rows that count.
func (s *source) Keys(ctx context.Context) (keys [][]json.RawMessage, err error) {
	err = s.run(ctx, s.keys, &keys)
	return keys, err
}

// Rows reads rows by their keys.
func (s *source) Rows(ctx context.Context, keys []json.RawMessage) (map[int][]json.RawMessage, error) {
	rows := map[int][]json.RawMessage{}
	for first := 0; first < len(keys); first += s.atOnce {
		list, err := json.Marshal(keys[first:min(len(keys), first+s.atOnce)])
		if err != nil {
			return nil, err
		}
		var read [][]json.RawMessage
		if err := s.run(ctx, s.bound.For(list), &read); err != nil {
			return nil, err
		}
		for _, r := range read {
			number, err := strconv.Atoi(string(r[0]))
			if err != nil {
				return nil, err
			}
			rows[first+number-1] = r[1:]
		}
	}
	return rows, nil
}

// Problem writes an error for clients.
func (s *source) Problem(err error) []byte {
	text, err := json.Marshal(s.problems(err))
	if err != nil {
		return []byte(`[{"message":"the error could not be written","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]`)
	}
	return text
}

// problems gives an error as a client may see it.
func (s *source) problems(err error) gqlerror.List {
	if told, is := errors.AsType[failures](err); is {
		return told.List
	}
	if e, known := fault.As(err); known {
		code := faultCodes[e.Kind]
		if code == "" {
			code = plan.InternalError
		}
		problem := plan.Problem(code, e.Message, nil)
		if e.Hint != "" {
			problem.Extensions["hint"] = e.Hint
		}
		return gqlerror.List{problem}
	}
	return gqlerror.List{s.service.executor.Problem(err)}
}

// Payload writes what members are told of a change.
func (s *source) Payload(ctx context.Context, t subscribe.Told) []byte {
	f := &s.bound.Fields[0]
	b := append([]byte(f.Before), '{')
	for i, p := range s.bound.Changed.Payload {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), p.Key...), '"', ':')
		b = s.member(b, p, t)
	}
	b = append(b, "}}}"...)
	if len(s.bound.Later) == 0 || t.Rows == nil {
		return b
	}
	request := execute.Request{Bound: s.bound, Schema: s.schema, Session: s.session}
	result := s.service.resolve(ctx, request, execute.Result{Data: b[len(`{"data":`) : len(b)-1]})
	if len(result.Errors) == 0 {
		return result.Body
	}
	problems, err := json.Marshal(result.Errors)
	if err != nil {
		return b
	}
	return append(append(append(append([]byte(`{"errors":`), problems...), `,"data":`...), result.Data...), '}')
}

func (s *source) member(b []byte, p plan.PayloadField, t subscribe.Told) []byte {
	changed := s.bound.Changed
	switch {
	case p.Row > 0 && t.Rows == nil:
		return append(b, "null"...)
	case p.Row > 0:
		return append(b, t.Rows[p.Row-1]...)
	case p.Name == schema.PayloadOp:
		return append(append(append(b, '"'), t.Op...), '"')
	case p.Name == schema.PayloadID:
		return append(strconv.AppendInt(append(b, '"'), t.ID, 10), '"')
	case p.Name == schema.PayloadAt:
		return append(b, t.At.UTC().Format(`"2006-01-02T15:04:05.999999+00:00"`)...)
	case p.Name == schema.PayloadKey:
		return appendKey(b, changed.Object, t.Key)
	case p.Name == schema.PayloadChanged && t.Changed == nil:
		return append(b, "null"...)
	case p.Name == schema.PayloadChanged:
		names, _ := json.Marshal(fieldsOf(changed.Object, t.Changed)) // texts can be written
		return append(b, names...)
	}
	return append(append(append(b, '"'), changed.Feed.Payload...), '"') // __typename
}

// appendKey writes a key by the names of fields, with numbers as answers have them.
func appendKey(b []byte, o *schema.Object, key json.RawMessage) []byte {
	var values map[string]json.RawMessage
	if key == nil || json.Unmarshal(key, &values) != nil {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for _, c := range o.PrimaryKey() {
		f := o.FieldOf(c.Name)
		if f == nil {
			continue // it is not shown
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), f.Name...), '"', ':')
		value := values[c.Name]
		if f.Codec.Encoding == schema.Quoted && len(value) > 0 && value[0] != '"' {
			b = append(append(append(b, '"'), value...), '"') // such as a bigint
		} else {
			b = append(b, value...)
		}
	}
	return append(b, '}')
}
