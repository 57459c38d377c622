package watch

import (
	"fmt"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// many is how many fields of a request may be one statement before that is told.
const many = 5

// Repeats finds fields of an operation that are one statement with other values.
func Repeats(p *plan.Plan, s *schema.Schema) []Finding {
	if len(p.Fields) <= many {
		return nil
	}
	first := map[string]*plan.RootField{}
	count := map[string]int64{}
	for i := range p.Fields {
		if f := &p.Fields[i]; f.Statement != nil && len(f.Statement.Params) > 0 {
			if count[f.Statement.SQL]++; first[f.Statement.SQL] == nil {
				first[f.Statement.SQL] = f
			}
		}
	}
	var found []Finding
	for i := range p.Fields { // in the order of the operation
		f := &p.Fields[i]
		if f.Statement == nil || first[f.Statement.SQL] != f || count[f.Statement.SQL] <= many {
			continue
		}
		name := f.Field.Name
		found = append(found, Finding{
			Kind: Repeated, Subject: name, Rows: count[f.Statement.SQL], Fix: instead(name, s),
			Message: fmt.Sprintf("one request has %d fields `%s` that differ in their values only: each is a statement of its own", count[f.Statement.SQL], name),
		})
	}
	return found
}

// Loop is the finding that a client asks for rows one by one.
func Loop(field string, s *schema.Schema) Finding {
	return Finding{
		Kind: OneByOne, Subject: field, Rows: burst, Fix: instead(field, s),
		Message: fmt.Sprintf("one client has asked for `%s` %d times within %s, with another key each time", field, burst, burstTime),
	}
}

// instead says what to ask in place of many fields of a name.
func instead(field string, s *schema.Schema) string {
	if w := s.Writes[field]; w != nil {
		for _, other := range s.Writes {
			if other.Action == w.Action && other.Object == w.Object && other.Many && w.Function == nil {
				return map[schema.Action]string{
					schema.Create: other.Name + "(input: […]) makes them by one statement",
					schema.Update: other.Name + "(where: …, set: …) changes those that get the same values by one statement",
					schema.Delete: other.Name + "(where: {…: {in: […]}}) deletes them by one statement",
				}[w.Action]
			}
		}
		return ""
	}
	r := s.Roots[field]
	switch {
	case r == nil || r.Object == nil || r.Object.Table == nil || r.Function != nil:
		return ""
	case r.Form == schema.ByKey && len(r.Key) == 1 && s.Roots[r.Object.Plural] != nil:
		return r.Object.Plural + "(where: {" + r.Key[0].Name + ": {in: […]}}) reads them by one statement"
	case r.Form == schema.ByKey && s.Roots[r.Object.Plural] != nil:
		names := make([]string, len(r.Key))
		for i, k := range r.Key {
			names[i] = k.Name + ": {eq: …}"
		}
		return r.Object.Plural + "(where: {_or: [{" + strings.Join(names, ", ") + "}, …]}) reads them by one statement"
	case r.Form == schema.Rows:
		return "take them as a relation of the rows that their values are of, or by conditions with in: […]"
	case r.Form == schema.Aggregate:
		return field[:len(field)-len("Aggregate")] + "GroupBy(by: […]) computes them by one statement"
	}
	return ""
}
