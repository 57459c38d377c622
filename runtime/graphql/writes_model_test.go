package graphql_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fraiseql/fraiseql/runtime/graphql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// projects has rows of tenants, with all that may come between a write and what is read after it: row security that looks
// at other rows, triggers that change other rows, keys that cascade, columns that are computed.
const projects = `
	create function me() returns text language sql stable as $$ select current_setting('request.jwt.claims', true)::json ->> 'sub' $$;
	create table project (id int primary key, owner text not null default me(), name text not null, budget int check (budget >= 0), tags text[], doc jsonb,
		tasks_made int not null default 0, title text generated always as (owner || ': ' || name) stored, unique (owner, name));
	create table task (id int primary key, project_id int not null references project on update cascade on delete cascade, title text not null, done bool not null default false,
		hours numeric(6, 2), unique (project_id, title));
	create table tag (id int primary key, owner text not null default me(), word text not null);
	create table task_tag (task_id int references task on delete cascade, tag_id int references tag on delete cascade, primary key (task_id, tag_id));
	create function made() returns trigger language plpgsql as $$ begin
		update project set tasks_made = tasks_made + 1 where id = new.project_id; return new; end $$;
	create trigger made after insert on task for each row execute function made();
	alter table project enable row level security; alter table task enable row level security; alter table tag enable row level security; alter table task_tag enable row level security;
	create policy own on project using (owner = me());
	create policy own on task using (exists (select from project p where p.id = project_id and p.owner = me()));
	create policy own on tag using (owner = me());
	create policy own on task_tag using (exists (select from task t where t.id = task_id));
	grant usage on schema public to member_DB;
	grant all on all tables in schema public to member_DB;`

// projectOf writes a project as JSON, as the fragment P asks for it.
const (
	fragmentP = ` fragment P on Project { id name budget tags doc tasksMade title tasks(orderBy: [{id: ASC}]) { id title done hours tags(orderBy: [{id: ASC}]) { word } } tasksAggregate { count } }`
	projectOf = `jsonb_build_object('id', p.id, 'name', p.name, 'budget', p.budget, 'tags', p.tags, 'doc', p.doc, 'tasksMade', p.tasks_made, 'title', p.title,
		'tasks', (select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'title', t.title, 'done', t.done, 'hours', t.hours::text,
			'tags', (select coalesce(jsonb_agg(jsonb_build_object('word', g.word) order by g.id), '[]') from task_tag m join tag g on g.id = m.tag_id where m.task_id = t.id)) order by t.id), '[]') from task t where t.project_id = p.id),
		'tasksAggregate', jsonb_build_object('count', (select count(*) from task t where t.project_id = p.id)))`
)

// deed is a mutation and the same by hand: statements, then a query for what the mutation is to give.
type deed struct {
	field     string // with its arguments and selection
	variables map[string]any
	by        []statement
	result    statement
	before    bool // result is asked before the statements
}

type statement struct {
	sql     string
	args    []any
	missing bool // no row of it is the error NOT_FOUND
}

// tenant thinks of deeds on rows of its own, and sometimes on those of others.
type tenant struct {
	*rand.Rand
	name  string
	first int // of its ids
	other int
}

func (n *tenant) id() int { return n.first + n.IntN(12) }

// any is an id that may be another's.
func (n *tenant) any() int {
	if n.IntN(6) == 0 {
		return n.other + n.IntN(12)
	}
	return n.id()
}

func (n *tenant) word() string { return n.name + " " + string(rune('a'+n.IntN(8))) }

func single(where string, args ...any) statement {
	return statement{sql: `select coalesce((select ` + projectOf + ` from project p where ` + where + `), 'null')`, args: args}
}

func several(where string, args ...any) statement {
	return statement{sql: `select coalesce(jsonb_agg(` + projectOf + ` order by p.id), '[]') from project p where ` + where, args: args}
}

func (n *tenant) deed() deed {
	id, other, word, budget := n.id(), n.any(), n.word(), n.IntN(12)-1
	switch n.IntN(13) {
	case 0:
		return deed{
			field: `createProject(input: $p) { ...P }`, variables: map[string]any{"p:ProjectInput!": map[string]any{"id": id, "name": word, "budget": budget, "tags": []any{"x", word}, "doc": map[string]any{"k": budget}}},
			by:     []statement{{sql: `insert into project (id, name, budget, tags, doc) values ($1, $2, $3, array['x', $2], jsonb_build_object('k', $3::int))`, args: []any{id, word, budget}}},
			result: single("p.id = $1", id),
		}
	case 1:
		tasks, connects, by := []any{}, []statement{}, []statement{{sql: `insert into project (id, name) values ($1, $2)`, args: []any{id, word}}}
		for i := range 1 + n.IntN(3) {
			task, title := n.id()*10+i, n.word()
			made := map[string]any{"id": task, "title": title}
			by = append(by, statement{sql: `insert into task (id, project_id, title) values ($1, $2, $3)`, args: []any{task, id, title}})
			if n.IntN(2) == 0 {
				tag := n.id()
				made["tags"] = map[string]any{"connect": []any{map[string]any{"id": tag}}}
				connects = append(connects, statement{sql: `insert into task_tag select $1, id from tag where id = $2 returning 1`, args: []any{task, tag}, missing: true})
			}
			tasks = append(tasks, made)
		}
		return deed{
			field: `createProject(input: $p) { ...P }`, variables: map[string]any{"p:ProjectInput!": map[string]any{"id": id, "name": word, "tasks": map[string]any{"create": tasks}}},
			by: append(by, connects...), result: single("p.id = $1", id),
		}
	case 2:
		rows, ids := []any{}, []int{}
		var by []statement
		for i := range 2 + n.IntN(3) {
			task, title := n.id()*10+i, n.word()
			rows, ids = append(rows, map[string]any{"id": task, "projectId": id, "title": title, "done": i%2 == 0}), append(ids, task)
			by = append(by, statement{sql: `insert into task (id, project_id, title, done) values ($1, $2, $3, $4)`, args: []any{task, id, title, i%2 == 0}})
		}
		return deed{
			field: `createTasks(input: $t) { id title done project { tasksMade } }`, variables: map[string]any{"t:[TaskInput!]!": rows}, by: by,
			result: statement{sql: `select jsonb_agg(jsonb_build_object('id', t.id, 'title', t.title, 'done', t.done, 'project', jsonb_build_object('tasksMade', p.tasks_made)) order by array_position($1, t.id))
				from task t join project p on p.id = t.project_id where t.id = any($1)`, args: []any{ids}},
		}
	case 3:
		return deed{
			field: `updateProject(id: $i, set: {name: $n, budget: $b}) { ...P }`, variables: map[string]any{"i:Int!": other, "n:String!": word, "b:Int": budget},
			by: []statement{{sql: `update project set name = $2, budget = $3 where id = $1`, args: []any{other, word, budget}}}, result: single("p.id = $1", other),
		}
	case 4:
		return deed{
			field: `updateProject(id: $i, set: {_inc: {budget: $b}, _append: {tags: [$n]}, _set_path: {doc: {path: [$n], value: $v}}}) { ...P }`, variables: map[string]any{"i:Int!": id, "n:String!": word, "b:Int!": budget, "v:JSON": budget},
			by:     []statement{{sql: `update project set budget = budget + $3::int, tags = tags || array[$2], doc = jsonb_set(coalesce(doc, '{}'), array[$2], to_jsonb($3::int)) where id = $1`, args: []any{id, word, budget}}},
			result: single("p.id = $1", id),
		}
	case 5:
		return deed{
			field: `updateProjects(where: {budget: {gt: $b}, tasks: {some: {done: {eq: false}}}}, set: {_inc: {budget: -3}, _delete_key: {doc: [$n, "k"]}}) { ...P }`, variables: map[string]any{"b:Int!": budget, "n:String!": word},
			by: []statement{
				{sql: `create temp table hit on commit drop as select id from project p where budget > $1::int and exists (select from task t where t.project_id = p.id and not done)`, args: []any{budget}},
				{sql: `update project set budget = budget - 3, doc = doc - array[$1, 'k'] where id in (select id from hit)`, args: []any{word}},
			},
			result: several("p.id in (select id from hit)"),
		}
	case 6:
		return deed{
			field: `deleteProject(id: $i) { ...P }`, variables: map[string]any{"i:Int!": other},
			by: []statement{{sql: `delete from project where id = $1`, args: []any{other}}}, result: single("p.id = $1", other), before: true,
		}
	case 7:
		return deed{
			field: `deleteTasks(where: {title: {eq: $n}, project: {budget: {lt: 6}}}) { id title }`, variables: map[string]any{"n:String!": word},
			by:     []statement{{sql: `delete from task t using project p where p.id = t.project_id and t.title = $1 and p.budget < 6`, args: []any{word}}},
			result: statement{sql: `select coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'title', t.title) order by t.id), '[]') from task t join project p on p.id = t.project_id where t.title = $1 and p.budget < 6`, args: []any{word}},
			before: true,
		}
	case 8:
		return deed{
			field: `upsertProject(input: {id: $i, name: $n, budget: $b}) { ...P }`, variables: map[string]any{"i:Int!": id, "n:String!": word, "b:Int": budget},
			by:     []statement{{sql: `insert into project (id, name, budget) values ($1, $2, $3) on conflict (id) do update set name = excluded.name, budget = excluded.budget`, args: []any{id, word, budget}}},
			result: single("p.id = $1", id),
		}
	case 9:
		return deed{
			field: `upsertProject(input: {id: $i, name: $n}, onConflict: {update: []}) { ...P }`, variables: map[string]any{"i:Int!": id, "n:String!": word},
			by: []statement{{sql: `insert into project (id, name) values ($1, $2) on conflict (id) do nothing`, args: []any{id, word}}}, result: single("p.id = $1", id),
		}
	case 10:
		task := other*10 + n.IntN(3)
		return deed{
			field: `updateProject(id: $i, set: {budget: 5, tasks: {connect: [{id: $t}]}}) { ...P }`, variables: map[string]any{"i:Int!": id, "t:Int!": task},
			by: []statement{
				{sql: `update project set budget = 5 where id = $1 returning 1`, args: []any{id}, missing: true},
				{sql: `update task set project_id = $1 where id = $2 returning 1`, args: []any{id, task}, missing: true},
			},
			result: single("p.id = $1", id),
		}
	case 11:
		to := n.id()
		return deed{
			field: `updateProject(id: $i, set: {id: $t}) { ...P }`, variables: map[string]any{"i:Int!": id, "t:Int!": to},
			by: []statement{
				{sql: `create temp table hit on commit drop as select id from project where id = $1`, args: []any{id}},
				{sql: `update project set id = $2 where id = $1`, args: []any{id, to}},
			},
			result: single("p.id = $1 and exists (select from hit)", to),
		}
	default:
		return deed{
			field: `createTag(input: {id: $i, word: $n}) { id word owner }`, variables: map[string]any{"i:Int!": id, "n:String!": word},
			by:     []statement{{sql: `insert into tag (id, word) values ($1, $2)`, args: []any{id, word}}},
			result: statement{sql: `select jsonb_build_object('id', id, 'word', word, 'owner', owner) from tag where id = $1`, args: []any{id}},
		}
	}
}

// mutation makes one request of deeds.
func mutation(deeds []deed) transport.Request {
	r := transport.Request{Variables: map[string]any{}}
	var declared, fields []string
	for i, d := range deeds {
		field := d.field
		for name, value := range d.variables {
			name, of, _ := strings.Cut(name, ":")
			renamed := fmt.Sprintf("%s%d", name, i)
			field = strings.ReplaceAll(field, "$"+name, "$"+renamed)
			declared, r.Variables[renamed] = append(declared, "$"+renamed+": "+of), value
		}
		fields = append(fields, fmt.Sprintf("f%d: %s", i, field))
	}
	r.Query = "mutation (" + strings.Join(declared, ", ") + ") { " + strings.Join(fields, " ") + " }"
	if strings.Contains(r.Query, "...P") {
		r.Query += fragmentP
	}
	text, err := json.Marshal(r.Variables)
	if err != nil {
		panic(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&r.Variables); err != nil {
		panic(err)
	}
	return r
}

var errNoRow = errors.New("no row")

// byHand does deeds as somebody would with psql, and gives what their fields are to give.
func byHand(ctx context.Context, pool *pgxpool.Pool, role, subject string, deeds []deed) (map[string]any, error) {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if _, err := tx.Exec(ctx, `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)`, role, `{"sub":"`+subject+`"}`); err != nil {
		return nil, err
	}
	data := map[string]any{}
	for i, d := range deeds {
		ask := func() error {
			var answer any
			if err := tx.QueryRow(ctx, d.result.sql, d.result.args...).Scan(&answer); err != nil {
				return err
			}
			data[fmt.Sprintf("f%d", i)] = answer
			return nil
		}
		if d.before {
			if err := ask(); err != nil {
				return nil, err
			}
		}
		for _, s := range d.by {
			tag, err := tx.Exec(ctx, s.sql, s.args...)
			if err != nil {
				return nil, err
			}
			if s.missing && tag.RowsAffected() == 0 {
				return nil, errNoRow
			}
		}
		if !d.before {
			if err := ask(); err != nil {
				return nil, err
			}
		}
		if _, err := tx.Exec(ctx, "drop table if exists hit"); err != nil {
			return nil, err
		}
	}
	return data, tx.Commit(ctx)
}

// codeOf is what a client is told of an error.
func codeOf(err error) string {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errNoRow):
		return "NOT_FOUND"
	case errors.As(err, &pg) && pg.Code == "23505":
		return "CONFLICT"
	case errors.As(err, &pg) && strings.HasPrefix(pg.Code, "23"):
		return "CONSTRAINT_VIOLATION"
	case errors.As(err, &pg) && pg.Code == "42501":
		return "FORBIDDEN"
	}
	return err.Error()
}

// TestWritesAreWhatTheyAreByHand lets two tenants write at random, at once, over one connection and over several, and
// does the same by hand in another database: every answer, every refusal and all rows are the same.
func TestWritesAreWhatTheyAreByHand(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			dice := random(t)
			s, owner := roled(t, graphql.DefaultConfig(), size, projects)
			_, hand := roled(t, graphql.DefaultConfig(), 1, projects)
			role := "member_" + hand.Config().ConnConfig.Database
			tenants := []*tenant{
				{Rand: rand.New(rand.NewPCG(dice.Uint64(), 1)), name: "ann", first: 100, other: 200},
				{Rand: rand.New(rand.NewPCG(dice.Uint64(), 2)), name: "bob", first: 200, other: 100},
			}
			var writing sync.WaitGroup
			codes := map[string]int{}
			var lock sync.Mutex
			for _, n := range tenants {
				writing.Go(func() {
					for i := 0; i < times(250) && !t.Failed(); i++ {
						deeds := []deed{n.deed()}
						for n.IntN(4) == 0 && len(deeds) < 3 {
							deeds = append(deeds, n.deed())
						}
						want, failed := byHand(t.Context(), hand, role, n.name, deeds)
						request := mutation(deeds)
						request.Principal = as("member", n.name)
						got := s.Execute(t.Context(), request)
						lock.Lock()
						codes[code(got)]++
						lock.Unlock()
						if want := codeOf(failed); code(got) != want {
							t.Errorf("%s, %d: %s %v\ngives %s %s\nby hand %v %s", n.name, i, request.Query, request.Variables, got.Data, firstError(got), failed, want)
							return
						}
						if failed != nil {
							continue
						}
						var data map[string]any
						if err := json.Unmarshal(got.Data, &data); err != nil {
							t.Error(err)
							return
						}
						if diff := cmp.Diff(want, data); diff != "" {
							t.Errorf("%s, %d: %s %v (-by hand +got)\n%s", n.name, i, request.Query, request.Variables, diff)
							return
						}
						if other := tenants[0].name; n.name != other && strings.Contains(string(got.Data), other) {
							t.Errorf("%s is given a row of %s: %s", n.name, other, got.Data)
							return
						}
					}
				})
			}
			writing.Wait()
			if diff := cmp.Diff(allRows(t, hand), allRows(t, owner)); diff != "" {
				t.Errorf("the databases differ (-by hand +ours)\n%s", diff)
			}
			for _, c := range []string{"", "CONFLICT", "CONSTRAINT_VIOLATION", "NOT_FOUND"} {
				if codes[c] == 0 && !t.Failed() {
					t.Errorf("no answer had the code %q: %v", c, codes)
				}
			}
			t.Log(codes)
		})
	}
}

// allRows is all that is in the tables.
func allRows(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `select 'project ' || p::text from project p union all select 'task ' || t::text from task t
		union all select 'tag ' || g::text from tag g union all select 'task_tag ' || m::text from task_tag m order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}
