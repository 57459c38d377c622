package policy

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

const policiesSQL = `
select p.polname, case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end, p.polpermissive,
       0 = any(p.polroles) or exists (select from unnest(p.polroles) r where pg_has_role($2::name, r, 'usage')),
       array(select case r when 0 then 'PUBLIC' else r::regrole::text end from unnest(p.polroles) r),
       coalesce(pg_get_expr(p.polqual, p.polrelid), ''), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
from pg_policy p
where p.polrelid = $1
order by p.polpermissive desc, p.polname`

// policies tells each policy, and what its condition is of the row.
func (x *explanation) policies(ctx context.Context) error {
	views, err := catalog.PassingViews(ctx, x.tx, []string{x.schema}, []string{x.q.Role})
	if err != nil {
		return err
	}
	for _, v := range views {
		if v.Name == x.table {
			x.say("view", x.name(), "passes by", "it reads "+strings.Join(v.Tables, ", ")+" as "+v.Owner+", for whom their policies do not hold")
		}
	}
	switch {
	case !x.secured:
		x.say("row security", x.name(), "off", "every row is seen by who may select")
		return nil
	case x.passes != "":
		x.say("row security", x.name(), "passed by", x.passes)
	default:
		x.say("row security", x.name(), "on", "a row is seen where a permissive policy allows it and no restrictive one forbids it")
	}
	rows, err := x.tx.Query(ctx, policiesSQL, x.oid, x.q.Role)
	if err != nil {
		return err
	}
	var p policy
	if _, err := pgx.ForEachRow(rows, []any{&p.name, &p.command, &p.permissive, &p.mine, &p.roles, &p.using, &p.check}, func() error {
		x.found = append(x.found, p)
		return nil
	}); err != nil {
		return err
	}
	for i := range x.found {
		p := &x.found[i]
		answer := "for others"
		if p.mine {
			answer = "for the role"
			if x.document != nil && p.using != "" {
				if err := x.judge(ctx, p); err != nil {
					return err
				}
				answer = p.answer()
			}
		}
		x.say("policy", p.name, answer, p.told())
	}
	return nil
}

func (p *policy) answer() string {
	switch {
	case p.failed != "":
		return "fails"
	case *p.truth:
		return "true"
	}
	return "false"
}

// told writes a policy as a person reads it.
func (p *policy) told() string {
	kind := "permissive"
	if !p.permissive {
		kind = "restrictive"
	}
	text := kind + ", for " + p.command + ", to " + strings.Join(p.roles, ", ")
	if p.using != "" {
		text += ", using " + p.using
	}
	if p.check != "" {
		text += ", with check " + p.check
	}
	if p.failed != "" {
		text += "; " + p.failed
	}
	return text
}

// judge computes a policy's condition of the row as the role would, with the claims of the question.
func (x *explanation) judge(ctx context.Context, p *policy) error {
	claims := x.q.Claims
	if claims == "" {
		text, err := json.Marshal(map[string]string{"role": x.q.Role})
		if err != nil {
			return err
		}
		claims = string(text)
	}
	err := pgx.BeginFunc(ctx, x.tx, func(tx pgx.Tx) error { // a savepoint
		if _, err := tx.Exec(ctx, "select set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", x.q.Role, claims); err != nil {
			return err
		}
		var truth bool
		err := tx.QueryRow(ctx, "select coalesce(("+p.using+"), false) from jsonb_populate_record(null::"+x.sql()+", $1) "+pgx.Identifier{x.table}.Sanitize(), x.document).Scan(&truth)
		if err != nil {
			return err
		}
		p.truth = &truth
		return errUndo
	})
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, errUndo):
		return nil
	case errors.As(err, &pg):
		p.failed = "an error: " + pg.Message
		return nil
	}
	return err
}

// errUndo takes role and claims back with the savepoint.
var errUndo = errors.New("undo")

// verdicts say what the role may do with the row.
func (x *explanation) verdicts(context.Context) error {
	if x.document == nil {
		return nil
	}
	row := strings.Join(x.q.Key, ", ")
	seen, why := x.allowed("select")
	switch {
	case !x.granted["usage"]:
		seen, why = false, "the role may not use the schema"
	case !x.granted["select"] && !x.granted["select some"]:
		seen, why = false, "no column is granted for select"
	}
	x.say("row", row, map[bool]string{true: "seen", false: "not seen"}[seen], why)
	for _, command := range []string{"update", "delete"} {
		may, because := x.allowed(command)
		switch {
		case !x.granted[command] && !x.granted[command+" some"]:
			may, because = false, "not granted"
		case !seen:
			may, because = false, "the row is not seen"
		}
		if may && command == "update" && x.secured && x.passes == "" {
			because += "; what the row becomes has to be allowed as well"
		}
		x.say(command, row, map[bool]string{true: "yes", false: "no"}[may], because)
	}
	return nil
}

// allowed tells whether policies let a command have the row.
func (x *explanation) allowed(command string) (yes bool, why string) {
	switch {
	case !x.secured:
		return true, "row security is off"
	case x.passes != "":
		return true, x.passes
	}
	by := ""
	for i := range x.found {
		p := &x.found[i]
		if !p.mine || p.command != "all" && p.command != command || p.using == "" {
			continue
		}
		holds := p.truth != nil && *p.truth
		switch {
		case p.failed != "":
			return false, "the policy " + p.name + " fails, and every statement with it"
		case p.permissive && holds && by == "":
			by = p.name
		case !p.permissive && !holds:
			return false, "the restrictive policy " + p.name + " forbids it"
		}
	}
	if by == "" {
		return false, "no permissive policy for " + command + " allows it"
	}
	return true, "the policy " + by + " allows it"
}
