package graphql

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/diag"
	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// Config is the table [graphql].
type Config struct {
	Enabled       *bool             `toml:"enabled" default:"true" doc:"Whether there is a GraphQL API."`
	Path          string            `toml:"path" default:"/graphql" form:"route" doc:"The route of the API and, for browsers, of the playground."`
	Introspection *bool             `toml:"introspection" doc:"Whether clients may ask for the schema. Default: only with --dev."`
	Playground    *bool             `toml:"playground" doc:"Whether browsers get GraphiQL. Default: only with --dev."`
	DefaultLimit  int               `toml:"default_limit" default:"100" min:"1" doc:"Rows of a list that has no limit argument."`
	MaxLimit      int               `toml:"max_limit" default:"1000" min:"1" doc:"A limit argument above it is an error."`
	Regex         bool              `toml:"regex" doc:"Whether filters may match regular expressions. One can keep PostgreSQL at work until the time limit."`
	Limits        Limits            `toml:"limits" doc:"What one request may ask."`
	Entities      map[string]Entity `toml:"entities" doc:"How single tables are shown, by type name or \"schema.table\"."`

	Prefixes map[string]string `toml:"prefixes" doc:"What the names of types and root fields begin with, by the schema of the database that they are made of."`

	SchemaFiles []string        `toml:"schema_files" doc:"SDL files that give views of JSON their types; names may be patterns, such as \"schema/*.graphql\"."`
	Roles       map[string]Role `toml:"roles" doc:"The roles that requests may run as, by the name in a token or header; no others may ask. Without any, requests run as the login."`
	Relay       bool            `toml:"relay" doc:"Global ids and node(id:), as Relay wants them."`
	NodeID      string          `toml:"node_id" doc:"The name of the global id field. Default: id, or nodeId where that is a column."`
	BigInt      string          `toml:"bigint" enum:"string,number" default:"string" doc:"How BigInt is written in answers: a number is rounded by clients that read numbers as floating point."`
	Decimal     string          `toml:"decimal" enum:"string,number" default:"string" doc:"How Decimal is written in answers."`
	Persisted   *Persisted      `toml:"persisted" doc:"Operations that requests name in place of sending them."`

	Subscriptions *Subscriptions `toml:"subscriptions" doc:"Changes of rows that clients can subscribe to."`
}

// Role is the table [graphql.roles.NAME].
type Role struct {
	Role          string `toml:"role" doc:"The database role. Default: the name."`
	Introspection *bool  `toml:"introspection" doc:"Whether clients of this role may ask for the schema. Default: as all."`
}

// Persisted is the table [graphql.persisted].
type Persisted struct {
	config.Switch
	Dir  string `toml:"dir" doc:"The folder of trusted documents: .graphql files and manifests. It is read at the start."`
	Only bool   `toml:"only" doc:"Refuse all others, and every text that is sent. Browsers get no GraphiQL then."`
	APQ  *bool  `toml:"apq" default:"true" doc:"Let clients register operations by their digest."`

	RedisURL config.Secret `toml:"redis_url" doc:"The address of a Redis by which servers share what clients register: redis://user:password@host:6379/0."`
	Prefix   string        `toml:"prefix" default:"fraiseql:apq:" doc:"What the keys in Redis begin with."`
	TTL      time.Duration `toml:"ttl" default:"7d" min:"1m" doc:"How long Redis keeps one that nobody asks for."`
}

// Check looks for the folder.
func (p *Persisted) Check(r *config.Report) {
	if !p.On() {
		return
	}
	if p.Dir != "" && !r.File(p.Dir) {
		r.Need("dir", "config/missing-file", "the folder `"+p.Dir+"` is not there", "mkdir "+p.Dir)
	}
	if p.RedisURL.Given() && p.APQ != nil && !*p.APQ {
		r.Warn("apq", "config/contradiction", "with `apq = false` clients register nothing, and there is nothing to share by Redis", "leave `redis_url_env` out, or apq = true")
	}
	if p.Only && p.Dir == "" && !r.Reported("dir") {
		r.Error("only", "config/missing-key", "with `only` there must be a folder of documents", `dir = "operations"`)
	}
}

// Limits is the table [graphql.limits]; they are judged before anything else is done.
type Limits struct {
	Tokens             int          `toml:"tokens" default:"2000" min:"1" doc:"Words and signs of a document."`
	Depth              int          `toml:"depth" default:"12" min:"1" doc:"Levels of fields."`
	IntrospectionDepth int          `toml:"introspection_depth" default:"20" min:"1" doc:"Levels inside __schema and __type."`
	Aliases            int          `toml:"aliases" default:"30" min:"0" doc:"Fields that are given another name."`
	ExpandedFields     int          `toml:"expanded_fields" default:"5000" min:"1" doc:"Fields after fragments are spread out."`
	Response           config.Bytes `toml:"response" default:"32MB" min:"64KB" max:"512MB" doc:"Size of an answer."`
	Rows               int          `toml:"rows" default:"20000" min:"1" doc:"Rows that a request may be estimated to read, by its limits and the sizes of the tables."`
	Upload             config.Bytes `toml:"upload" default:"0B" min:"0B" max:"100MB" doc:"Files that a request may bring as multipart/form-data, in all; 0B takes none."`
	Batch              int          `toml:"batch" default:"0" min:"0" max:"10" doc:"Requests that one body may have as a list; 0 takes no lists."`
}

// Entity is the table [graphql.entities.NAME].
type Entity struct {
	Name        string                 `toml:"name" doc:"The type's name."`
	Omit        bool                   `toml:"omit" doc:"Leave the table out."`
	Description string                 `toml:"description" doc:"What introspection says of the type."`
	Key         []string               `toml:"key" doc:"The columns that name a row, for a view."`
	References  []Reference            `toml:"references" doc:"Relations that the database does not know of, and names for those that it knows."`
	Fields      map[string]EntityField `toml:"fields" doc:"How single columns are shown, by column name."`
}

// Reference is one entry of references: these columns name a row of that table.
type Reference struct {
	Columns []string `toml:"columns" doc:"Columns of this table or view."`
	Table   string   `toml:"table" doc:"The table they lead to: \"schema.table\"."`
	To      []string `toml:"to" doc:"Its columns; without them its primary key."`
	Name    string   `toml:"name" doc:"The name of the field that leads there."`
	Reverse string   `toml:"reverse" doc:"The name of the field that leads back."`
	Across  string   `toml:"across" doc:"For a join table: the name of the field that leads from its other side to that table's rows."`
	Omit    bool     `toml:"omit" doc:"Show the relation neither way."`
}

// EntityField is the table [graphql.entities.NAME.fields.COLUMN].
type EntityField struct {
	Name        string `toml:"name" doc:"The field's name."`
	Omit        bool   `toml:"omit" doc:"Leave the column out."`
	Description string `toml:"description" doc:"What introspection says of the field."`
	Dimensions  int    `toml:"dimensions" min:"1" max:"6" doc:"How many dimensions its arrays have. Default: as declared, and 1 for a view's."`
}

// DefaultConfig is what an empty file means.
func DefaultConfig() Config {
	var c Config
	config.Defaults(&c)
	return c
}

func (c Config) paging() plan.Paging {
	return plan.Paging{Default: min(c.DefaultLimit, c.MaxLimit), Most: c.MaxLimit, Rows: c.Limits.Rows, Known: c.knownRows()}
}

func (c Config) planLimits() plan.Limits {
	return plan.Limits{
		Tokens: c.Limits.Tokens, Depth: c.Limits.Depth, IntrospectionDepth: c.Limits.IntrospectionDepth,
		Aliases: c.Limits.Aliases, Fields: c.Limits.ExpandedFields,
	}
}

func (c Config) introspection(dev bool, role string) bool {
	if r := c.Roles[role].Introspection; r != nil {
		return *r
	}
	if c.Introspection != nil {
		return *c.Introspection
	}
	return dev
}

// only tells whether nothing is run but trusted documents.
func (c Config) only() bool { return c.Persisted != nil && c.Persisted.On() && c.Persisted.Only }

// DocumentsDir is the folder of trusted documents, where relative paths begin in the given one; empty when there is none.
func (c Config) DocumentsDir(base string) string {
	switch p := c.Persisted; {
	case p == nil || !p.On() || p.Dir == "":
		return ""
	case filepath.IsAbs(p.Dir):
		return p.Dir
	default:
		return filepath.Join(base, p.Dir)
	}
}

func (c Config) playground(dev bool) bool {
	if c.only() {
		return false // it sends texts
	}
	if c.Playground != nil {
		return *c.Playground
	}
	return dev
}

func (c Config) schemaOptions() schema.Options {
	paging := c.paging()
	options := schema.Options{
		Entities: map[string]schema.Entity{}, Prefixes: c.Prefixes, DefaultLimit: paging.Default, MaxLimit: paging.Most, Regex: c.Regex, Relay: c.Relay, NodeID: c.NodeID, Subscribed: c.Subscribed(),
		Numbers: schema.Numbers{BigInt: c.BigInt == "number", Decimal: c.Decimal == "number"},
	}
	for name, e := range c.Entities {
		entity := schema.Entity{Name: e.Name, Omit: e.Omit, Description: e.Description, Key: e.Key, Fields: map[string]schema.EntityField{}}
		for _, r := range e.References {
			entity.References = append(entity.References, schema.Reference(r))
		}
		for column, f := range e.Fields {
			entity.Fields[column] = schema.EntityField(f)
		}
		options.Entities[name] = entity
	}
	return options
}

// DatabaseRoles gives the database's roles that requests may run as, by the names in tokens: "" for "", the login, when
// none are configured.
func (c Config) DatabaseRoles() map[string]string {
	if len(c.Roles) == 0 {
		return map[string]string{"": ""}
	}
	roles := map[string]string{}
	for name, r := range c.Roles {
		roles[name] = name
		if r.Role != "" {
			roles[name] = r.Role
		}
	}
	return roles
}

// Misnomers looks for the names in Entities that are nothing of what the roles see of the database.
func (c Config) Misnomers(seen []*catalog.Catalog) []schema.Misnomer {
	return schema.Misnomers(seen, c.schemaOptions())
}

// Misprefixed looks for the schemas in Prefixes that are none of those which the API shows.
func (c Config) Misprefixed(schemas []string) (list []schema.Warning) {
	for _, name := range slices.Sorted(maps.Keys(c.Prefixes)) {
		if !slices.Contains(schemas, name) {
			list = append(list, schema.Warning{
				Code: "database/no-schema", Subject: name, Message: "the API shows no schema `" + name + "`, for which there is a prefix",
				Hint: diag.DidYouMean(name, schemas, "add it to [database] schemas, or remove the prefix"),
			})
		}
	}
	return list
}

// Check reports limits and names that cannot be meant.
func (c *Config) Check(r *config.Report) {
	_, mistakes := c.schemaFiles(r.Files())
	for _, m := range mistakes {
		if m.Line == 0 { // the file is not there, and may come with what is deployed
			r.Need("schema_files", "graphql/schema-file", m.Message, m.Hint)
		} else {
			r.Error("schema_files", "graphql/schema-file", m.Place()+m.Message, m.Hint)
		}
	}
	if c.DefaultLimit > c.MaxLimit && r.Given("default_limit") {
		r.Error("default_limit", "config/out-of-range", fmt.Sprintf("`default_limit` is %d, above `max_limit`, which is %d", c.DefaultLimit, c.MaxLimit), "")
	}
	if c.only() && c.Playground != nil && *c.Playground {
		r.Warn("playground", "config/contradiction", "GraphiQL sends texts, and `[graphql.persisted] only` refuses them: it stays off", "playground = false")
	}
	checkName(r, "node_id", c.NodeID)
	for _, name := range slices.Sorted(maps.Keys(c.Prefixes)) {
		if prefix := c.Prefixes[name]; !schema.ValidName(prefix) || prefix[0] < 'A' || prefix[0] > 'Z' {
			r.At("prefixes").Item(name).Error("", "schema/bad-name", "names cannot begin with `"+prefix+"`", "begin with a capital letter, and use letters, digits and underscores, as in \"Crm\"")
		}
	}
	taken := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Entities)) {
		chosen := c.Entities[name].Name
		if other := taken[chosen]; chosen != "" && other != "" {
			r.At("entities."+name).Error("name", "schema/name-taken", fmt.Sprintf("the name `%s` is chosen for `%s` too", chosen, other), "choose another one for one of the two")
		}
		taken[chosen] = name
	}
}

// Check wants GraphQL names.
func (e *Entity) Check(r *config.Report) {
	checkName(r, "name", e.Name)
	for i, reference := range e.References {
		if len(reference.Columns) == 0 || reference.Table == "" {
			r.Error(fmt.Sprintf("references[%d]", i), "schema/bad-reference", "a reference needs `columns` and `table`", `columns = ["customer_id"], table = "public.customer"`)
		}
		for key, name := range map[string]string{"name": reference.Name, "reverse": reference.Reverse, "across": reference.Across} {
			checkName(r, fmt.Sprintf("references[%d].%s", i, key), name)
		}
	}
}

// Check wants a GraphQL name.
func (f *EntityField) Check(r *config.Report) { checkName(r, "name", f.Name) }

func checkName(r *config.Report, key, name string) {
	if name != "" && !schema.ValidName(name) {
		r.Error(key, "schema/bad-name", "`"+name+"` is not a GraphQL name", "use letters, digits and underscores, and begin with a letter")
	}
}
