package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Beginner is what Load needs of a pool or a connection.
type Beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// Querier is what Fingerprint needs of a pool or a connection.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Fingerprint gives a text that changes whenever tables, columns, keys, types, functions, comments
// or grants of the schemas change, or what the login and roles are and are members of, and at no other time. It reads
// catalog rows only.
func Fingerprint(ctx context.Context, db Querier, schemas, roles []string) (string, error) {
	var sum string
	if err := db.QueryRow(ctx, fingerprintSQL, schemas, roles).Scan(&sum); err != nil {
		return "", fmt.Errorf("fingerprint schemas: %w", err)
	}
	return sum, nil
}

// Load takes the picture of the schemas that a role has of them, the login when it is empty, in one read-only snapshot and
// one round trip. What the role may not read is not in it.
func Load(ctx context.Context, db Beginner, schemas []string, role string) (*Catalog, error) {
	return NewShared().Load(ctx, db, schemas, role)
}

// Load is Load for pictures that have types and columns in common.
func (s *Shared) Load(ctx context.Context, db Beginner, schemas []string, role string) (*Catalog, error) {
	tx, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("load catalog: %w", err)
	}
	defer func() { _ = tx.Rollback(ctx) }() // it only read: nothing can be lost

	l := loader{
		shared:  s,
		catalog: &Catalog{Schemas: schemas},
		tables:  map[uint32]*Table{},
		types:   map[uint32]*Type{},
		columns: map[uint32][]columnRow{},

		composites: map[uint32]*Type{},
	}
	batch := &pgx.Batch{}
	batch.Queue(identitySQL, role).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&l.catalog.Database, &l.catalog.User, &l.catalog.ServerVersion, &l.catalog.Bypasses, &l.catalog.Member)
		if errors.Is(err, pgx.ErrNoRows) {
			return &NoRoleError{Role: role}
		}
		return err
	})
	batch.Queue(typesSQL).Query(l.readTypes)
	batch.Queue(columnsSQL, schemas, role).Query(l.readColumns)
	batch.Queue(relationsSQL, schemas, role).Query(l.readTables)
	batch.Queue(closedSQL, schemas, role).Query(func(rows pgx.Rows) (err error) {
		l.catalog.Closed, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Closed])
		return err
	})
	batch.Queue(sizesSQL, schemas).Query(func(rows pgx.Rows) error { return readSizes(rows, l.tables) })
	batch.Queue(keysSQL, schemas).Query(l.readKeys)
	batch.Queue(foreignKeysSQL, schemas).Query(l.readForeignKeys)
	batch.Queue(writesSQL, schemas, role).Query(l.readWrites)
	batch.Queue(constraintsSQL, schemas).Query(l.readConstraints)
	batch.Queue(functionsSQL, schemas, role).Query(l.readFunctions)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("load catalog: %w", err)
	}
	for _, t := range l.catalog.Tables {
		t.byNumber = nil
	}
	return l.catalog, nil
}

// NoRoleError says that the database has no such role.
type NoRoleError struct{ Role string }

func (e *NoRoleError) Error() string { return "the database has no role " + e.Role }

// loader joins the statements' rows. They arrive in the order that the batch asks for: types and
// columns before the tables that are made of them, tables before keys.
type loader struct {
	shared  *Shared
	catalog *Catalog
	tables  map[uint32]*Table
	types   map[uint32]*Type
	columns map[uint32][]columnRow

	composites map[uint32]*Type // by the relation that carries their attributes
}

type columnRow struct {
	Table      uint32
	Number     int16
	Name       string
	Type       uint32
	NotNull    bool
	HasDefault bool
	Identity   bool
	Generated  bool
	Comment    string
	Dimensions int
	Read       bool
	Insert     bool
	Update     bool
}

type typeRow struct {
	OID      uint32
	Schema   string
	Name     string
	SQL      string
	Kind     string
	Elem     uint32
	Relation uint32
	NotNull  bool
	Comment  string
	Labels   []string

	Dimensions int
	Ordered    bool
	Operators  string
	Delimiter  string
}

func (l *loader) readTypes(rows pgx.Rows) error {
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[typeRow])
	if err != nil {
		return fmt.Errorf("read types: %w", err)
	}
	plain, known := l.shared.typesOf(list)
	for _, r := range list {
		if t := known[r.OID]; t != nil {
			l.types[r.OID] = t
			continue
		}
		t := &Type{
			OID: r.OID, Schema: r.Schema, Name: r.Name, SQL: r.SQL, Kind: TypeKind(r.Kind[0]), Comment: r.Comment, NotNull: r.NotNull,
			Labels: r.Labels, Dimensions: r.Dimensions, Ordered: r.Ordered, Operators: r.Operators, Delimiter: r.Delimiter,
		}
		l.types[r.OID] = t
		if r.Relation != 0 {
			l.composites[r.Relation] = t
		}
	}
	for _, r := range list {
		if known[r.OID] == nil {
			l.types[r.OID].Elem = l.types[r.Elem]
		}
	}
	if known == nil {
		l.shared.keep(plain, l.types)
	}
	return nil
}

func (l *loader) readColumns(rows pgx.Rows) error {
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[columnRow])
	if err != nil {
		return fmt.Errorf("read columns: %w", err)
	}
	for _, r := range list {
		l.columns[r.Table] = append(l.columns[r.Table], r)
		if owner := l.composites[r.Table]; owner != nil {
			owner.Fields = append(owner.Fields, l.column(r, false))
		}
	}
	return nil
}

// column makes a column. What a domain refuses no table holds; a view may still make it, by an outer join for one.
func (l *loader) column(r columnRow, held bool) *Column {
	t := l.types[r.Type]
	return l.shared.column(r.Table, Column{
		Name: r.Name, Number: r.Number, Type: t, Dimensions: r.Dimensions, Comment: r.Comment,
		NotNull:    r.NotNull || held && t.NotNull,
		HasDefault: r.HasDefault, Identity: r.Identity, Generated: r.Generated, Insert: r.Insert, Update: r.Update,
	})
}

func (l *loader) readTables(rows pgx.Rows) error {
	var t Table
	var kind string
	_, err := pgx.ForEachRow(rows, []any{&t.OID, &t.Schema, &t.Name, &kind, &t.Comment, &t.RowSecurity, &t.Bypassed, &t.Lockable}, func() error {
		table := t
		table.Kind = Kind(kind[0])
		table.byNumber = map[int16]*Column{}
		table.rows = unknown()
		for _, r := range l.columns[table.OID] {
			c := l.column(r, table.Kind == Ordinary || table.Kind == Partitioned)
			if !r.Read {
				table.Unread = append(table.Unread, c)
				continue
			}
			table.Columns = append(table.Columns, c)
			table.byNumber[c.Number] = c
		}
		l.tables[table.OID] = &table
		l.catalog.Tables = append(l.catalog.Tables, &table)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read tables: %w", err)
	}
	return nil
}

func (l *loader) readKeys(rows pgx.Rows) error {
	var oid uint32
	var key Key
	var numbers []int16
	_, err := pgx.ForEachRow(rows, []any{&oid, &key.Name, &key.Primary, &numbers, &key.Deferrable}, func() error {
		table := l.tables[oid]
		if columns := table.numbered(numbers); columns != nil {
			table.Keys = append(table.Keys, &Key{Name: key.Name, Primary: key.Primary, Columns: columns, Deferrable: key.Deferrable})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	return nil
}

func (l *loader) readForeignKeys(rows pgx.Rows) error {
	var from, to uint32
	var key ForeignKey
	var columns, references []int16
	_, err := pgx.ForEachRow(rows, []any{&from, &key.Name, &columns, &to, &references, &key.Validated}, func() error {
		table, target := l.tables[from], l.tables[to]
		local, remote := table.numbered(columns), target.numbered(references)
		if local != nil && remote != nil {
			table.ForeignKeys = append(table.ForeignKeys,
				&ForeignKey{Name: key.Name, Columns: local, Target: target, References: remote, Validated: key.Validated})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read foreign keys: %w", err)
	}
	return nil
}

// numbered finds columns by number; nil when the table or one of them cannot be read.
func (t *Table) numbered(numbers []int16) []*Column {
	if t == nil {
		return nil
	}
	columns := make([]*Column, 0, len(numbers))
	for _, n := range numbers {
		c := t.byNumber[n]
		if c == nil {
			return nil
		}
		columns = append(columns, c)
	}
	return columns
}
