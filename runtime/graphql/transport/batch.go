package transport

import (
	"context"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

// leastRoom is what must be left of a batch's answer for another of its requests to be run: a mutation that is done and
// cannot be answered would be worse than one that is not done.
const leastRoom = 64 << 10

// decodeBatch reads a list of requests. All are read before any is run, so that a broken one undoes nothing.
func decodeBatch(d *jsontext.Decoder, most int) ([]Request, *refusal) {
	if _, err := d.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	list := []Request{}
	for d.PeekKind() != ']' {
		if len(list) == most {
			return nil, refuse(http.StatusBadRequest, "the batch has more than %d requests, and none was run: send fewer at once ([graphql.limits] batch is the bound)", most)
		}
		var r Request
		var bad *refusal
		if d.PeekKind() == '{' {
			bad = decodeRequest(d, &r)
		} else if err := d.SkipValue(); err != nil {
			return nil, notJSON(err)
		} else {
			bad = refuse(http.StatusBadRequest, "it is not a JSON object")
		}
		if bad != nil {
			bad.problem.Message = fmt.Sprintf("none of the batch was run, because of request %d of it: %s", len(list)+1, bad.problem.Message)
			return nil, bad
		}
		r.Open = false // one answer is written for all
		list = append(list, r)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, notJSON(err)
	}
	if len(list) == 0 {
		return nil, refuse(http.StatusBadRequest, "the batch is empty: send at least one request in the list")
	}
	return list, nil
}

// batch runs requests one after the other and gives their answers as one list. What becomes of one is nothing to the
// others, but that each sees what those before it have written (sees is what the first one sees), and that all answers together may have the bytes of one, and errors beside them.
func (h *Handler) batch(ctx context.Context, list []Request, sees Version) (body []byte, written Version) {
	body = []byte{'['}
	for i, r := range list {
		if i > 0 {
			body = append(body, ',')
		}
		r.Room, r.Version = h.AnswerLimit-len(body), sees.later(written)
		if r.Room < leastRoom && i > 0 {
			body = appendAnswer(body, tooMuch("this request was not run, because the answers to those before it are as large as all of a batch may be"))
			continue
		}
		response := h.Execute(ctx, r)
		written = written.later(response.version())
		before := len(body) // errors do not look at the room
		if body = appendAnswer(body, response.Result); len(body) > h.AnswerLimit+leastRoom {
			body = appendAnswer(body[:before], tooMuch("the answer has no room beside those before it"))
		}
		response.Release()
	}
	return append(body, ']'), written
}

func tooMuch(what string) execute.Result {
	return execute.Result{Errors: gqlerror.List{plan.Problem(plan.TooComplex, what+": ask for less at once ([graphql.limits] response is the bound)", nil)}}
}
