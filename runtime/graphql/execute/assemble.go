package execute

// assemble puts the root fields together in the order of the selection. A list is never null, so its
// error takes the whole of data with it (specification, section 6.4.4).
func (e *Executor) assemble(r Request, answers []answer) Result {
	p := r.Plan
	var result Result
	size := len(beforeData) + 2
	for _, a := range answers {
		size += len(a.json) + 32
	}
	body := append(newBuffer(size), beforeData...)
	null := false
	var asked *introspector
	for i := range p.Fields {
		f := &p.Fields[i]
		if i == 0 {
			body = append(body, '{')
		} else {
			body = append(body, ',')
		}
		body = appendQuoted(body, f.Key)
		body = append(body, ':')
		switch {
		case f.Typename != "":
			body = appendQuoted(body, f.Typename)
		case f.Introspection != nil:
			if asked == nil {
				asked = newIntrospector(r.Schema.AST, e.room(r))
			}
			var whole bool
			if body, whole = asked.introspect(body, f.Introspection); !whole {
				result.Errors = append(result.Errors, e.fieldProblem(errTooLarge, f))
				null = null || f.NonNull()
			}
		case f.Empty:
			body = append(body, "[]"...)
		case f.Statement == nil:
			body = append(body, "null"...)
		default:
			a := answers[0]
			answers = answers[1:]
			if a.err != nil {
				result.Errors = append(result.Errors, e.fieldProblem(a.err, f))
				result.Outdated = result.Outdated || isOutdated(a.err)
				null = null || f.NonNull()
				body = append(body, "null"...)
				continue
			}
			body = append(body, a.json...)
			releaseBuffer(a.json)
		}
	}
	if len(p.Fields) == 0 {
		body = append(body, '{') // everything was skipped by directives
	}
	body = append(body, "}}"...)
	result.Data = body[len(beforeData) : len(body)-1]
	switch {
	case null:
		result.Data = []byte("null")
	case len(result.Errors) == 0:
		result.Body = body
	}
	return result
}
