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
}

// sum gives the rows of a level and of all below it, for so many rows above.
func (r *rows) sum(above float64, variables map[string]any) float64 {
	here := above
	if r.limit != nil {
		n, _ := strconv.ParseFloat(textOf(resolve(r.limit, variables)), 64) // Int has been coerced
		here = above * min(n, r.expected())
	}
	total := here
	for _, inner := range r.inner {
		total += inner.sum(here, variables)
	}
	return total
}

// checkRows refuses a plan that is estimated to read more rows than a request may.
func (p *Plan) checkRows(variables map[string]any, most int) *gqlerror.Error {
	if most <= 0 {
		return nil
	}
	total := 0.0
	for i := range p.Fields {
		if s := p.Fields[i].Statement; s != nil {
			total += s.rows.sum(1, variables)
		}
	}
	if total <= float64(most) {
		return nil
	}
	return Problem(TooComplex, "the request is estimated to read "+strconv.FormatFloat(math.Ceil(total), 'f', 0, 64)+" rows; at most "+
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
