package catalog

import (
	"cmp"
	"slices"
)

// Shared is what the pictures of several roles have in common: of equal types and columns there is one. It is for one
// Load at a time.
type Shared struct {
	rows    []typeRow // of types
	types   map[uint32]*Type
	columns map[columnKey][]*Column // those of roles with other rights are others
}

type columnKey struct {
	table  uint32
	number int16
}

// NewShared begins with nothing.
func NewShared() *Shared { return &Shared{columns: map[columnKey][]*Column{}} }

// typesOf gives the rows of types that are the same for all roles: those that are not made of composite types, whose
// attributes a role sees by its rights. known are the types of these rows; nil when they are not known, or one of them
// has changed.
func (s *Shared) typesOf(list []typeRow) (plain []typeRow, known map[uint32]*Type) {
	rows := make(map[uint32]*typeRow, len(list))
	for i := range list {
		rows[list[i].OID] = &list[i]
	}
	for _, r := range list {
		at := &r
		for depth := 0; depth < len(list) && at != nil && at.Relation == 0 && at.Elem != 0; depth++ { // though nothing is made of itself
			at = rows[at.Elem]
		}
		if at == nil || at.Relation == 0 {
			plain = append(plain, r)
		}
	}
	slices.SortFunc(plain, func(a, b typeRow) int { return cmp.Compare(a.OID, b.OID) })
	if slices.EqualFunc(s.rows, plain, typeRow.same) {
		known = s.types
	}
	return plain, known
}

// keep notes the types of rows.
func (s *Shared) keep(plain []typeRow, types map[uint32]*Type) {
	s.rows, s.types = plain, make(map[uint32]*Type, len(plain))
	for _, r := range plain {
		s.types[r.OID] = types[r.OID]
	}
}

func (r typeRow) same(other typeRow) bool {
	return r.OID == other.OID && r.Schema == other.Schema && r.Name == other.Name && r.SQL == other.SQL && r.Kind == other.Kind &&
		r.Elem == other.Elem && r.Relation == other.Relation && r.NotNull == other.NotNull && r.Comment == other.Comment &&
		slices.Equal(r.Labels, other.Labels) && r.Dimensions == other.Dimensions && r.Ordered == other.Ordered &&
		r.Operators == other.Operators && r.Delimiter == other.Delimiter
}

// column gives the one column that is equal to c.
func (s *Shared) column(table uint32, c Column) *Column {
	key := columnKey{table, c.Number}
	for _, known := range s.columns[key] {
		if *known == c {
			return known
		}
	}
	s.columns[key] = append(s.columns[key], &c)
	return &c
}
