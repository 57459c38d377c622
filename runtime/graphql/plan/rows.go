package plan

import (
	"math"
	"strconv"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// rows estimates what a level reads: so many rows for each row of the level above, never more than its limit.
// It goes by what the database knows of its tables, and does not look at conditions.
type rows struct {
	limit any            // of a page: a number or a slot; nil for one row
	of    *catalog.Table // the rows
	above *catalog.Table // whose rows they hang on; nil at the root
	inner []*rows

	fields float64 // that are selected of each, by their weight
}

// Cost is what an operation is estimated to read: rows of all levels, and fields of all rows, each by its weight.
type Cost struct{ Rows, Fields float64 }

// sum gives the cost of a level and of all below it, for so many rows above.
func (r *rows) sum(above float64, variables map[string]any) Cost {
	here := above
	if r.limit != nil {
		n, _ := strconv.ParseFloat(textOf(resolve(r.limit, variables)), 64) // Int has been coerced
		here = above * min(n, r.expected())
	}
	total := Cost{here, here * r.fields}
	if r.of == nil && r.limit == nil && r.fields == 0 && len(r.inner) > 0 { // the field that has the rows is none of them
		total.Rows = 0
	}
	for _, inner := range r.inner {
		below := inner.sum(here, variables)
		total.Rows, total.Fields = total.Rows+below.Rows, total.Fields+below.Fields
	}
	return total
}

// cost estimates what a plan reads with the values of a request, and refuses more rows than that may; 0 is no bound.
func (p *Plan) cost(variables map[string]any, most int) (Cost, *gqlerror.Error) {
	var total Cost
	for i := range p.Fields {
		if s := p.Fields[i].Statement; s != nil {
			field := s.rows.sum(1, variables)
			total.Rows, total.Fields = total.Rows+field.Rows, total.Fields+field.Fields
		}
	}
	total.Rows, total.Fields = math.Ceil(total.Rows), math.Ceil(total.Fields)
	if most <= 0 || total.Rows <= float64(most) {
		return total, nil
	}
	return total, Problem(TooComplex, "the request is estimated to read "+strconv.FormatFloat(total.Rows, 'f', 0, 64)+" rows; at most "+
		strconv.Itoa(most)+" are allowed ([graphql.limits] rows): ask for smaller pages", nil)
}

// expected is how many rows there are for each row above; +Inf when nobody knows. It is asked for each request:
// tables grow.
func (r *rows) expected() float64 {
	switch {
	case r.of == nil:
		return 1
	case r.above == nil:
		return r.of.Rows()
	}
	here, above := r.of.Rows(), r.above.Rows()
	if math.IsInf(above, 1) {
		return here
	}
	return max(1, here/max(1, above))
}
