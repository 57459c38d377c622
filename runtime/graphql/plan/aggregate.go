package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// summary collects what aggregates are taken of the rows of a level: columns a1, a2, … of the select that
// takes them, each once.
type summary struct {
	*compiler
	from  source
	scope scope
	alias string // of the select that takes them
	taken []string
	keys  []*schema.Field // that rows are grouped by
}

func (c *compiler) summary(from source, values map[string]any) (*summary, *gqlerror.Error) {
	delete(values, "orderBy") // of groups: it is no order of rows
	s, err := c.scope(from, values)
	return &summary{compiler: c, from: from, scope: s, alias: c.alias("a")}, err
}

// take gives the column that has an aggregate or a key.
func (s *summary) take(sql string) string {
	i := slices.Index(s.taken, sql)
	if i < 0 {
		i = len(s.taken)
		s.taken = append(s.taken, sql)
	}
	return s.alias + ".a" + strconv.Itoa(i+1)
}

// list writes what is taken as a select list.
func (s *summary) list() string {
	items := make([]string, len(s.taken))
	for i, sql := range s.taken {
		items[i] = sql + " a" + strconv.Itoa(i+1)
	}
	return strings.Join(items, ", ")
}

// aggregate writes one row of aggregates over the rows of a level.
func (c *compiler) aggregate(from source, f selected, values map[string]any) (query, *gqlerror.Error) {
	s, err := c.summary(from, values)
	if err != nil {
		return query{}, err
	}
	defer c.level(nil, from)()
	r, err := s.members(f)
	if err != nil {
		return query{}, err
	}
	q := query{record: r}
	if len(s.taken) > 0 { // an estimate and __typename take nothing of the rows
		q.tail = " from (select " + s.list() + s.scope.from + s.scope.where() + ") " + s.alias
	}
	return q, nil
}

// members compiles what is selected of an aggregate or a group.
func (s *summary) members(f selected) (record, *gqlerror.Error) {
	var r record
	for _, field := range collect(f.selections, s.variables, f.field.Definition.Type.Name()) {
		leave := s.enter(field)
		v, err := s.member(f, field)
		leave()
		if err != nil {
			return nil, field.blame(err)
		}
		r = append(r, member{key: field.key, value: v})
	}
	return r, nil
}

func (s *summary) member(whole, f selected) (value, *gqlerror.Error) {
	switch f.field.Name {
	case "__typename":
		return value{constant: whole.field.Definition.Type.Name()}, nil
	case "count":
		return s.json(s.take("count(*)")), nil
	case "estimatedCount":
		return s.estimated(s.from, s.scope)
	case "key":
		return s.key(f)
	}
	r := record{}
	typeName := f.field.Definition.Type.Name()
	for _, field := range collect(f.selections, s.variables, typeName) {
		v := value{constant: typeName}
		if field.field.Name != "__typename" {
			measure := s.from.object.Measure(f.field.Name, field.field.Name)
			var err *gqlerror.Error
			if v, err = s.scalar(measure.Codec, s.take(measure.SQL(column(s.from.alias, measure.Column))), nil); err != nil {
				return v, field.blame(err)
			}
		}
		r = append(r, member{key: field.key, value: v})
	}
	return value{object: r}, nil
}

// estimated is the planner's estimate of the rows that meet the conditions.
func (c *compiler) estimated(from source, s scope) (value, *gqlerror.Error) {
	if from.above != nil {
		return value{}, Problem(BadUserInput, "estimatedCount is known of a field of Query only: use count or totalCount here", nil)
	}
	if c.estimate == nil {
		// The parameters of the conditions are the first ones: nothing has been written before them.
		c.estimate = &Estimate{SQL: "explain (format json) " + mention("select"+s.from+s.where(), s.params), Params: s.params}
	}
	return value{encoding: schema.Estimated}, nil
}

// groups writes a row for each group of rows that have the same keys.
func (c *compiler) groups(from source, f selected, values map[string]any) (query, *gqlerror.Error) {
	order := values["orderBy"]
	s, err := c.summary(from, values)
	if err != nil {
		return query{}, err
	}
	by, _ := values["by"].([]any)
	for _, name := range by {
		key := from.object.Fields[name.(string)]
		if !slices.Contains(s.keys, key) {
			s.keys = append(s.keys, key)
		}
	}
	if len(s.keys) == 0 {
		return query{}, Problem(BadUserInput, "groups need at least one key in `by`: for one group of all rows use the field that ends in Aggregate", nil)
	}
	c.what = "argument having"
	having := ""
	if given, ok := values["having"].(map[string]any); ok {
		sql, err := c.having(from.object, from.alias, given)
		if err != nil {
			return query{}, err.problem(c.what, nil)
		}
		if sql != "" {
			having = " having " + sql
		}
	}
	c.what = "argument orderBy"
	orderSQL, wrongOrder := s.order(order)
	if wrongOrder != nil {
		return query{}, wrongOrder.problem(c.what, nil)
	}
	page, err := c.page("limit", 0, values)
	if err != nil {
		return query{}, err
	}
	if from.above == nil {
		c.most = page.most
	}
	defer c.level(page.rows, from)()
	r, err := s.members(f)
	if err != nil {
		return query{}, err
	}
	tail := " from (select " + s.list() + s.scope.from + s.scope.where() + " group by " + s.keyColumns() + having + orderSQL + page.inner + ") " + s.alias + page.outer
	return query{record: r, tail: tail}, nil
}

func (s *summary) keyColumns() string {
	list := make([]string, len(s.keys))
	for i, key := range s.keys {
		list[i] = column(s.from.alias, key.Column)
	}
	return strings.Join(list, ", ")
}

// key compiles what is selected of the keys of a group.
func (s *summary) key(f selected) (value, *gqlerror.Error) {
	r := record{}
	typeName := f.field.Definition.Type.Name()
	for _, field := range collect(f.selections, s.variables, typeName) {
		v := value{constant: typeName}
		if field.field.Name != "__typename" {
			key := s.from.object.Fields[field.field.Name]
			if !slices.Contains(s.keys, key) {
				return v, field.blame(Problem(BadUserInput, "`"+key.Name+"` is not among the keys in `by`", nil))
			}
			var err *gqlerror.Error
			if v, err = s.scalar(key.Codec, s.take(column(s.from.alias, key.Column)), field.selections); err != nil {
				return v, field.blame(err)
			}
		}
		r = append(r, member{key: field.key, value: v})
	}
	return value{object: r}, nil
}

// order writes the order of groups; what it leaves open their keys decide.
func (s *summary) order(given any) (string, *inputError) {
	var keys []orderKey
	list, _ := given.([]any)
	for _, item := range list {
		key, err := s.measureKey(s.from.object, s.from.alias, item.(map[string]any))
		if err != nil {
			return "", err
		}
		if f := s.from.object.Fields[strings.TrimPrefix(key.name, "key.")]; strings.HasPrefix(key.name, "key.") && !slices.Contains(s.keys, f) {
			return "", wrong("`%s` is not among the keys in `by`", f.Name)
		}
		keys = append(keys, key)
	}
	for _, k := range s.keys {
		keys = append(keys, orderKey{sql: column(s.from.alias, k.Column), notNull: k.Column.NotNull})
	}
	return orderSQL(keys), nil
}

// measureKey reads one key of an order by aggregates: count, sum { price }, or a key of the groups.
func (c *compiler) measureKey(o *schema.Object, t string, given map[string]any) (orderKey, *inputError) {
	var key orderKey
	if err := c.budget.condition(); err != nil {
		return key, err
	}
	for function, inner := range given { // exactly one: the input type is a OneOf
		members, nested := inner.(map[string]any)
		if !nested {
			key = orderKey{name: function, sql: "count(*)", codec: schema.Count, notNull: true}
			key.directed(inner.(string))
			return key, nil
		}
		for name, direction := range members {
			key = c.measured(o, t, function, name)
			key.directed(direction.(string))
		}
	}
	return key, nil
}

func (c *compiler) measured(o *schema.Object, t, function, name string) orderKey {
	if function == "key" {
		f := o.Fields[name]
		return orderKey{name: "key." + name, sql: column(t, f.Column), codec: f.Codec, notNull: f.Column.NotNull}
	}
	m := o.Measure(function, name)
	return orderKey{name: function + "." + name, sql: m.SQL(column(t, m.Column)), codec: m.Codec}
}

// having writes conditions on aggregates of the rows t.
func (c *compiler) having(o *schema.Object, t string, conditions map[string]any) (string, *inputError) {
	return c.all(conditions, notNull, func(name string, given any) (string, *inputError) {
		return c.havingOne(o, t, name, given)
	})
}

func (c *compiler) havingOne(o *schema.Object, t, name string, given any) (string, *inputError) {
	inner := func(conditions map[string]any) (string, *inputError) { return c.having(o, t, conditions) }
	switch name {
	case "_and":
		return connect(given.([]any), " and ", "true", inner)
	case "_or":
		return connect(given.([]any), " or ", "false", inner)
	case "_not":
		sql, err := inner(given.(map[string]any))
		return "not " + group(sql), err
	case "count":
		return c.compare(schema.Count, "count(*)", given.(map[string]any))
	}
	return c.all(given.(map[string]any), notNull, func(field string, operators any) (string, *inputError) {
		m := o.Measure(name, field)
		return c.compare(m.Codec, m.SQL(column(t, m.Column)), operators.(map[string]any))
	})
}
