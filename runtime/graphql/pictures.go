package graphql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/fault"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// picture is the schema that a role has at one moment, and the documents that were checked against it.
type picture struct {
	name      string // of the role, as tokens have it; empty is the login
	role      string // of the database; empty is the login
	schema    *schema.Schema
	documents kept
	unclaimed []byte // the claims of who has none
}

// pictures are those of all roles at one moment.
type pictures struct {
	fingerprint string
	byName      map[string]*picture
}

// sorted are those of all roles in the order of the names.
func (p *pictures) sorted() []*picture {
	var list []*picture
	for _, name := range slices.Sorted(maps.Keys(p.byName)) {
		list = append(list, p.byName[name])
	}
	return list
}

// first is one of them, for what they have in common.
func (p *pictures) first() *picture { return p.sorted()[0] }

// Schema gives the schema of a role as it is now, by the role's name; nil when there is none, as before the first Load.
func (s *Service) Schema(role string) *schema.Schema {
	if p := s.pictures.Load(); p != nil && p.byName[role] != nil {
		return p.byName[role].schema
	}
	return nil
}

// AnySchema gives the schema of the first role, or of the login when there are none; nil before the first Load.
func (s *Service) AnySchema() *schema.Schema {
	if p := s.pictures.Load(); p != nil {
		return p.first().schema
	}
	return nil
}

// Catalog tells what the first of the roles may see; nil before the first Load.
func (s *Service) Catalog() *catalog.Catalog {
	if p := s.AnySchema(); p != nil {
		return p.Catalog
	}
	return nil
}

// shared is what the pictures of roles have in common, while they are made.
type shared struct {
	catalogs *catalog.Shared
	schemas  *schema.Shared
}

func newShared() shared { return shared{catalog.NewShared(), schema.NewShared()} }

// Load looks at the database and takes its schema, for each role. Requests on the way keep the one they began with.
// When no schema can be made of it, the one before stays, unless it is the database's own rules that do not hold.
func (s *Service) Load(ctx context.Context) error {
	fingerprint, err := s.fingerprint(ctx)
	if err != nil {
		return err
	}
	loaded, common := &pictures{fingerprint: fingerprint, byName: map[string]*picture{}}, newShared()
	for name, role := range s.config.DatabaseRoles() {
		p, err := s.take(ctx, name, role, common)
		if refusal, known := fault.As(err); known {
			if refusal.Kind == fault.Forbidden {
				s.pictures.Store(nil)
			}
			s.refused.Store(&refused{fingerprint: fingerprint, err: err})
		}
		if err != nil {
			return err
		}
		loaded.byName[name] = p
	}
	if err := s.locate(ctx); err != nil {
		return err
	}
	s.pictures.Store(loaded)
	s.refused.Store(nil)
	return nil
}

// locate notes where the log is when pictures were taken and are about to be used, where replicas are to get as far.
func (s *Service) locate(ctx context.Context) error {
	if s.replicas == nil {
		return nil
	}
	position, timeline, err := s.executor.Position(ctx)
	if err == nil {
		s.replicas.written(timeline)
		s.replicas.schema.Store(uint64(position))
	}
	return err
}

// fingerprint is that of the database as the roles of requests see it.
func (s *Service) fingerprint(ctx context.Context) (string, error) {
	return catalog.Fingerprint(ctx, s.deps.Pool, s.deps.Schemas, slices.Collect(maps.Values(s.config.DatabaseRoles())))
}

// Look reads what the database's role (or the login) of a name in tokens sees. Its error is a fault when no request can
// run as that: there is no such role, or the database's own rules would not hold for it.
func (s *Service) Look(ctx context.Context, name, role string) (*catalog.Catalog, error) {
	return s.lookWith(ctx, name, role, catalog.NewShared())
}

// lookWith is Look for a role among others.
func (s *Service) lookWith(ctx context.Context, name, role string, catalogs *catalog.Shared) (*catalog.Catalog, error) {
	tables, err := catalogs.Load(ctx, s.deps.Pool, s.deps.Schemas, role)
	var missing *catalog.NoRoleError
	if errors.As(err, &missing) {
		return nil, fault.New(fault.Invalid, "graphql/no-role", fmt.Sprintf("the database has no role `%s`, which [graphql.roles.%s] means", role, name)).
			WithHint("create role %s nologin;", catalog.QuoteIdent(role))
	}
	if err != nil {
		return nil, err
	}
	if refusal := s.judge(tables, role); refusal != nil {
		return nil, refusal
	}
	return tables, nil
}

// take takes the picture of one role. Its error is a fault when it is the database that has to change.
func (s *Service) take(ctx context.Context, name, role string, common shared) (*picture, error) {
	tables, err := s.lookWith(ctx, name, role, common.catalogs)
	if err != nil {
		return nil, err
	}
	options := s.config.schemaOptions()
	options.Shared, options.Declared, options.Role = common.schemas, s.deps.Declared, name
	for _, f := range s.deps.Resolvers {
		options.Resolved = append(options.Resolved, f.Resolved)
	}
	built, err := schema.Build(tables, options)
	if err != nil {
		return nil, err
	}
	p := &picture{name: name, role: role, schema: built, documents: newKept(len(s.config.Roles)), unclaimed: []byte("{}")}
	if role != "" {
		p.unclaimed, err = json.Marshal(map[string]string{"role": role})
	}
	return p, err
}

// judge refuses to serve as a role for which the database's own rules would not hold, where such rules are in use.
func (s *Service) judge(c *catalog.Catalog, role string) *fault.Error {
	var passed []*catalog.Table
	for _, t := range c.Tables {
		if t.Bypassed {
			passed = append(passed, t)
		}
	}
	login, quoted := catalog.QuoteIdent(s.deps.Pool.Config().ConnConfig.User), catalog.QuoteIdent(c.User)
	switch {
	case role != "" && !c.Member:
		return fault.New(fault.Forbidden, "graphql/not-a-member", "the login may not take on the role `"+role+"`").WithHint("grant %s to %s;", quoted, login)
	case role != "" && c.Bypasses:
		return fault.New(fault.Forbidden, "graphql/role-bypasses", "the role `"+role+"` is a superuser or has BYPASSRLS: none of the database's rules would hold for its requests").
			WithHint("alter role %s nosuperuser nobypassrls;", quoted)
	case len(passed) == 0:
		return nil
	case c.Bypasses:
		return fault.New(fault.Forbidden, "graphql/role-bypasses", "requests run as "+c.User+", for whom row security does not hold, a superuser or one with BYPASSRLS; there are policies on "+some(passed)).
			WithHint("let requests run as a role that is neither, by [graphql.roles], or use another login")
	}
	return fault.New(fault.Forbidden, "graphql/role-owns", "requests run as "+c.User+", for whom row security does not hold as the owner of "+some(passed)).
		WithHint("alter table %s force row level security;", passed[0].SQL())
}

// some names the first few tables.
func some(tables []*catalog.Table) string {
	var names []string
	for _, t := range tables[:min(3, len(tables))] {
		names = append(names, t.Schema+"."+t.Name)
	}
	list := strings.Join(names, ", ")
	if more := len(tables) - len(names); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}

// tell logs what was read, with each warning once, whichever roles it is for.
func (s *Service) tell(changed bool) {
	now := s.pictures.Load()
	c := now.first().schema.Catalog
	s.deps.Log.Info("schema read", slog.String("database", c.Database), slog.Int("tables", len(c.Tables)), slog.Bool("changed", changed))
	for _, w := range s.Warnings() {
		s.deps.Log.Warn(w.Message, slog.String("code", w.Code), slog.String("subject", w.Subject), slog.String("hint", w.Hint))
	}
}

// Warnings tells what is named and is not there, what was left out of the schemas, and which trusted documents do not
// fit them, each thing once.
func (s *Service) Warnings() []schema.Warning {
	var list []schema.Warning
	var seen []*catalog.Catalog
	now := s.pictures.Load()
	all := now.sorted()
	for _, p := range all {
		seen = append(seen, p.schema.Catalog)
	}
	for _, m := range s.config.Misnomers(seen) {
		if m.Key == "" { // else the schemas' own warnings tell
			list = append(list, schema.Warning{Code: m.Code, Subject: "graphql.entities." + m.Entity, Message: m.Message, Hint: m.Hint})
		}
	}
	if s.deps.Declared != nil {
		for _, m := range s.deps.Declared.Absent(seen) {
			list = append(list, schema.Warning{Code: "graphql/declared", Subject: strings.TrimSuffix(m.Place(), ": "), Message: m.Message, Hint: m.Hint})
		}
	}
	for _, w := range s.config.Misprefixed(s.deps.Schemas) {
		w.Subject = "graphql.prefixes." + w.Subject
		list = append(list, w)
	}
	for _, p := range all {
		for _, w := range p.schema.Warnings {
			if !slices.Contains(list, w) {
				list = append(list, w)
			}
		}
	}
	return append(list, s.Misfits()...)
}

// Unguarded lists the tables without row security that roles may read, once there are roles.
func (s *Service) Unguarded() []string {
	var list []string
	for _, p := range s.pictures.Load().byName {
		for _, o := range p.schema.Objects {
			if t := o.Table; p.role != "" && t != nil && !t.RowSecurity && (t.Kind == catalog.Ordinary || t.Kind == catalog.Partitioned) {
				list = append(list, t.SQL())
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// count looks again how many rows there are.
func (s *Service) count(ctx context.Context) error {
	now := s.pictures.Load()
	if now == nil {
		return nil
	}
	for _, p := range now.byName {
		if err := p.schema.Catalog.Count(ctx, s.deps.Pool); err != nil {
			return err
		}
	}
	return nil
}

// Table finds the table that a type of the API shows, by the type's name, for any of the roles.
func (s *Service) Table(entity string) *catalog.Table {
	p := s.pictures.Load()
	if p == nil {
		return nil
	}
	for _, one := range p.sorted() {
		for _, o := range one.schema.Objects {
			if o.Name == entity && o.Table != nil {
				return o.Table
			}
		}
	}
	return nil
}

// Entity gives the name of the type that shows a table, for any of the roles; empty for none.
func (s *Service) Entity(schemaName, table string) string {
	p := s.pictures.Load()
	if p == nil {
		return ""
	}
	for _, one := range p.sorted() {
		for _, o := range one.schema.Objects {
			if o.Table != nil && o.Table.Schema == schemaName && o.Table.Name == table {
				return o.Name
			}
		}
	}
	return ""
}
