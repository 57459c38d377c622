package execute

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// errMisfit ends a statement whose values are of other types than its plan was made for: a column or a function was
// changed since the last look at the database. What was a number may be any text then, and is not to be written as one.
var errMisfit = errors.New("a statement gives values of another type than it did: what it reads was changed just now")

// fits tells whether values of the given types are written as a statement's columns say.
func fits(s *plan.Statement, types []pgconn.FieldDescription) bool {
	if len(s.Levels) == 0 {
		return fit(s.Columns, types)
	}
	for i := range s.Levels {
		l := &s.Levels[i]
		behind := l.At + len(l.Columns)
		if behind > len(types) || !fit(l.Columns, types[l.At:]) || !fit(l.After, types[behind:]) {
			return false
		}
	}
	return true
}

func fit(columns []plan.Column, types []pgconn.FieldDescription) bool {
	next := 0
	for i := range columns {
		if columns[i].Encoding == schema.Estimated {
			continue
		}
		if next == len(types) || !takes(columns[i].Encoding, types[next].DataTypeOID) {
			return false
		}
		next++
	}
	return true
}

// takes tells whether the texts of a type can be written in an encoding. As a JSON string any can be.
func takes(encoding schema.Encoding, oid uint32) bool {
	switch encoding {
	case schema.Raw:
		switch oid {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.NumericOID, pgtype.JSONOID, pgtype.JSONBOID:
			return true
		}
		return false
	case schema.Boolean:
		return oid == pgtype.BoolOID
	case schema.Float:
		switch oid {
		case pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID, pgtype.Int8OID:
			return true
		}
		return false
	case schema.Timestamp:
		return oid == pgtype.TimestampOID || oid == pgtype.TimestamptzOID
	case schema.Quoted, schema.Estimated:
	}
	return true
}
