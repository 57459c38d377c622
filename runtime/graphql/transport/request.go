package transport

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Request is one GraphQL request, whatever brought it. In place of the text there may be a name of it.
type Request struct {
	Query          string
	DocumentID     string // names a trusted document; there is no text then
	Digest         string // as Apollo's protocol has it: of the text, which was compared, or of the one that is meant
	OperationName  string
	Variables      map[string]any     // numbers as json.Number
	Cost           bool               // tell what it is estimated to cost
	QueryOnly      bool               // refuse anything but a query, as GET must
	Open           bool               // the answer may come in parts, or be one that is kept
	IdempotencyKey string             // a mutation with it is done once, however often it is sent
	Principal      *httpapi.Principal // who asks; nil where nobody was asked
	Client         string             // the address that it came from; empty where none is known
	Trace          string             // the header traceparent, as W3C Trace Context has it; empty where there is none that is valid
	Version        Version            // what was there then is to be seen
	Room           int                // bytes that the answer may have, where that is less than any may; 0 is that
}

// refusal is an answer to a request that is not a GraphQL request at all.
type refusal struct {
	status  int
	problem *gqlerror.Error
}

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, problem: plan.Problem(plan.BadUserInput, fmt.Sprintf(format, args...), nil)}
}

// read takes the GraphQL request out of an HTTP request, or a batch of them: then the list is not nil.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) (one Request, list []Request, bad *refusal) {
	if reads(r.Method) {
		one, bad = readQuery(r.URL.Query())
		return one, nil, bad
	}
	key, bad := idempotencyKey(r.Header["Idempotency-Key"])
	if bad != nil {
		return Request{}, nil, bad
	}
	one, list, bad = h.readBody(w, r)
	if bad == nil && list != nil && key != "" {
		bad = refuse(http.StatusBadRequest, "an Idempotency-Key is for one request, and the body is a list of them: send the mutation alone, or leave the header out")
	}
	one.IdempotencyKey = key
	return one, list, bad
}

// idempotencyKey reads the header: a string of a structured field (RFC 8941, section 3.3.3), or bare as many clients
// send it.
func idempotencyKey(values []string) (string, *refusal) {
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	if len(key) > 1 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	if len(values) > 1 || key == "" || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
		return "", refuse(http.StatusBadRequest, "the header Idempotency-Key is to be one of 1 to 255 letters, digits and signs, such as a UUID")
	}
	return key, nil
}

// bodies are buffers for what clients send; nothing of a request refers to them when it has been decoded.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (h *Handler) readBody(w http.ResponseWriter, r *http.Request) (Request, []Request, *refusal) {
	media, charset, ok := contentOf(r)
	if media == formData {
		return h.readForm(w, r)
	}
	if !ok || media != plainJSON || charset != "" && charset != "utf-8" {
		return Request{}, nil, refuse(http.StatusUnsupportedMediaType, "send the request as application/json in UTF-8")
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		w.Header().Set("Accept-Encoding", "identity") // which codings would do: RFC 9110, section 15.5.16
		return Request{}, nil, refuse(http.StatusUnsupportedMediaType, "send the request without Content-Encoding, not as %s: bodies are small, and are taken as they are", coding)
	}
	body := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(body)
	body.Reset()
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, h.BodyLimit))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return Request{}, nil, refuse(http.StatusRequestEntityTooLarge, "the request is larger than the %d bytes that are allowed", h.BodyLimit)
	}
	if err != nil {
		return Request{}, nil, refuse(http.StatusBadRequest, "the request's body could not be read to its end")
	}
	return decode(body, h.Batch)
}

// parameters are what an address may say of a request.
var parameters = []string{"query", "documentId", "operationName", "variables", "extensions"}

func readQuery(values url.Values) (Request, *refusal) {
	for _, name := range parameters {
		if len(values[name]) > 1 {
			return Request{}, refuse(http.StatusBadRequest, "the address has the parameter %q more than once", name)
		}
	}
	request := Request{
		Query: values.Get("query"), DocumentID: values.Get("documentId"), OperationName: values.Get("operationName"),
		QueryOnly: true, Open: true,
	}
	var extensions map[string]any
	for _, p := range []struct {
		name string
		to   *map[string]any
	}{{"variables", &request.Variables}, {"extensions", &extensions}} {
		text := values.Get(p.name)
		if strings.TrimSpace(text) == "" {
			continue
		}
		var bad *refusal
		if *p.to, bad = decodeObject(p.name, text); bad != nil {
			return Request{}, bad
		}
	}
	bad := request.settle(extensions)
	if bad == nil && !values.Has("query") && !request.named() {
		bad = refuse(http.StatusBadRequest, "the address has no parameter \"query\", nor a \"documentId\"")
	}
	return request, bad
}
