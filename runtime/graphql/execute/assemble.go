package execute

import (
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// assemble puts the root fields together in the order of the selection. A list is never null, so its
// error takes the whole of data with it (specification, section 6.4.4).
func (e *Executor) assemble(s *schema.Schema, p *plan.Plan, answers []answer) Result {
	var result Result
	size := 2
	for _, a := range answers {
		size += len(a.json) + 32
	}
	data := append(make([]byte, 0, size), '{')
	null := false
	for i := range p.Fields {
		f := &p.Fields[i]
		if i > 0 {
			data = append(data, ',')
		}
		data = appendQuoted(data, f.Key)
		data = append(data, ':')
		switch {
		case f.Typename != "":
			data = appendQuoted(data, f.Typename)
		case f.Introspection != nil:
			data = appendIntrospection(data, s.AST, f.Introspection)
		case f.Statement == nil:
			data = append(data, "null"...)
		default:
			a := answers[0]
			answers = answers[1:]
			if a.err != nil {
				result.Errors = append(result.Errors, e.fieldProblem(a.err, f))
				result.Outdated = result.Outdated || isOutdated(a.err)
				null = null || f.NonNull()
				data = append(data, "null"...)
				continue
			}
			data = append(data, a.json...)
		}
	}
	result.Data = append(data, '}')
	if null {
		result.Data = []byte("null")
	}
	return result
}
