package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/sync/semaphore"

	"github.com/fraiseql/fraiseql/runtime/graphql/execute"
	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
	"github.com/fraiseql/fraiseql/runtime/httpapi"
)

// Response is what comes of a request.
type Response struct {
	execute.Result
	MethodNotAllowed bool  // a mutation that came by GET
	SendText         bool  // the digest names nothing here: Apollo's clients are told to send the text
	Kept             *Kept // the answer, when it is one that many get: there is nothing else then
}

// version is that of what was written.
func (r *Response) version() Version { return Version{r.Position, r.Timeline} }

// Handler serves GraphQL on one route.
type Handler struct {
	Execute    func(ctx context.Context, r Request) Response
	BodyLimit  int64
	Playground http.Handler        // for browsers; nil where there is none
	Held       *semaphore.Weighted // bytes of large answers that are held for their clients; nil is no bound

	Batch       int // requests that one body may have as a list; 0 takes no lists
	AnswerLimit int // bytes of the answers to all of them

	Streams *Streams // subscriptions; nil is none

	UploadLimit int64 // bytes of the files that a form may bring; 0 takes no forms
}

// largeAnswer is the size from which on answers count that are held: below it they are bounded by the requests at work.
const largeAnswer = 1 << 20

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	if h.Streams != nil && upgrades(r) {
		h.socket(w, r)
		return
	}
	if h.Playground != nil && reads(r.Method) && takesHTML(r.Header["Accept"]) && !asks(r.URL.Query()) {
		h.Playground.ServeHTTP(w, r)
		return
	}
	if !reads(r.Method) && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, HEAD, POST")
		answer(w, responseJSON, refuse(http.StatusMethodNotAllowed, "GraphQL is served by POST, GET and HEAD, not by %s", r.Method))
		return
	}
	media, streams := h.takes(r)
	if media == "" {
		answer(w, responseJSON, refuse(http.StatusNotAcceptable, "answers are %s or %s", responseJSON, plainJSON))
		return
	}
	if safe := preflighted(r) || streams && sameOrigin(r); !safe {
		answer(w, media, refuse(http.StatusBadRequest, "a browser could have been made to send this request by another site: "+
			"send it with content-type application/json or with the header x-fraiseql-preflight (or apollo-require-preflight)"))
		return
	}
	release, held := h.holdForm(r)
	if !held {
		answer(w, media, full())
		return
	}
	defer release()
	request, list, bad := h.read(w, r)
	if bad != nil {
		answer(w, media, bad)
		return
	}
	who, client, trace := httpapi.PrincipalOf(r.Context()), hostOf(r.RemoteAddr), traceOf(r.Header)
	if list != nil {
		for i := range list {
			list[i].Principal, list[i].Client, list[i].Trace = who, client, trace
		}
		body, version := h.batch(r.Context(), list, versionOf(r.Header))
		version.tell(w.Header())
		release, held := h.hold(len(body))
		if !held {
			answer(w, media, full())
			return
		}
		defer release()
		send(w, plainJSON, http.StatusOK, body) // the newer type is that of one answer
		return
	}
	request.Principal, request.Client, request.Trace, request.Version = who, client, trace, versionOf(r.Header)
	if streams {
		h.events(w, r, request)
		return
	}
	h.respond(w, r, media, h.Execute(r.Context(), request))
}

// takes gives the media type that a client takes, empty for none of ours, and whether it is to be a stream: then the type is
// that of what is none all the same.
func (h *Handler) takes(r *http.Request) (media string, streams bool) {
	if h.Streams != nil && r.Method != http.MethodHead && takesEvents(r.Header["Accept"]) {
		return responseJSON, true
	}
	return negotiate(r.Header["Accept"]), false
}

// respond answers one request.
func (h *Handler) respond(w http.ResponseWriter, r *http.Request, media string, response Response) {
	if response.Kept != nil {
		h.again(w, r, media, response.Kept)
		return
	}
	defer response.Release()
	if response.Stream == nil {
		release, held := h.hold(len(response.Data))
		if !held {
			answer(w, media, full())
			return
		}
		defer release()
	}
	if response.MethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	if response.SendText {
		w.Header().Set("Cache-Control", "private, no-cache, must-revalidate") // the next try is to find it
	}
	response.version().tell(w.Header())
	if response.Replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	status := status(media, response)
	if unchanged(w, r, media, status, response) {
		return
	}
	if response.Stream != nil {
		stream(r.Context(), w, media, &response)
		return
	}
	write(w, media, status, response.Result)
}

// hold takes room for an answer that waits for its client; held is false when there is none.
func (h *Handler) hold(size int) (release func(), held bool) {
	if h.Held == nil || size < largeAnswer {
		return func() {}, true
	}
	return func() { h.Held.Release(int64(size)) }, h.Held.TryAcquire(int64(size))
}

// hostOf gives the host of an address without its port.
func hostOf(address string) string {
	if at := strings.LastIndexByte(address, ':'); at >= 0 {
		return address[:at]
	}
	return address
}

// asks tells whether an address says what is asked for: one that does not is of a page that a browser opens.
func asks(values url.Values) bool {
	return values.Has("query") || values.Has("documentId") || values.Has("extensions")
}

// reads tells whether a method reads what the address names: HEAD is GET without the content (RFC 9110, section
// 9.3.2), which net/http leaves out.
func reads(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// full refuses an answer that is there already: to wait would hold it just as well.
func full() *refusal {
	return &refusal{status: http.StatusServiceUnavailable, problem: plan.Problem(plan.InternalError,
		"the server holds as many large answers and files as it may, for clients that are slow: try again soon, or with less at once", nil)}
}

func answer(w http.ResponseWriter, media string, bad *refusal) {
	write(w, media, bad.status, execute.Result{Errors: gqlerror.List{bad.problem}})
}

// status follows section 6.4 of the specification. application/json says 200 for every well-formed
// request, except where a proxy must see that the server is the trouble, or a client that it has to say who it is.
func status(media string, r Response) int {
	switch {
	case r.MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case r.Unavailable:
		return http.StatusServiceUnavailable
	case r.KeyTaken:
		return http.StatusConflict
	case r.SendText:
		return http.StatusOK // as Apollo Server: clients of its protocol read nothing of any other
	case r.Data == nil && refused(r.Errors) != 0:
		return refused(r.Errors)
	case r.Data != nil || media == plainJSON:
		return http.StatusOK
	}
	for _, e := range r.Errors {
		switch e.Extensions["code"] {
		case plan.InternalError:
			return http.StatusInternalServerError
		case plan.Timeout:
			return http.StatusGatewayTimeout
		}
	}
	return http.StatusBadRequest
}

// refused gives the status of a request that was refused because of who asks; 0 for others.
func refused(errors gqlerror.List) int {
	for _, e := range errors {
		switch e.Extensions["code"] {
		case plan.Unauthenticated:
			return http.StatusUnauthorized
		case plan.Forbidden:
			return http.StatusForbidden
		}
	}
	return 0
}

func write(w http.ResponseWriter, media string, status int, r execute.Result) {
	body := r.Body
	if body == nil || r.Cost != nil {
		body = appendAnswer(nil, r)
	}
	send(w, media, status, body)
}

// appendAnswer writes a response.
func appendAnswer(body []byte, r execute.Result) []byte {
	if r.Body != nil && r.Cost == nil {
		return append(body, r.Body...)
	}
	body = append(body, '{')
	if len(r.Errors) > 0 {
		body = append(append(body, `"errors":`...), encode(r.Errors)...)
		if r.Data != nil {
			body = append(body, ',')
		}
	}
	if r.Data != nil {
		body = append(append(body, `"data":`...), r.Data...)
	}
	if r.Cost != nil {
		body = fmt.Appendf(body, `,"extensions":{"cost":{"rows":%.0f,"fields":%.0f}}`, r.Cost.Rows, r.Cost.Fields)
	}
	return append(body, '}')
}

func send(w http.ResponseWriter, media string, status int, body []byte) {
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	switch status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer") // RFC 9110, section 11.6.1
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}

func encode(list gqlerror.List) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(list); err != nil {
		return []byte(`[{"message":"the errors could not be written","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]`)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// preflighted tells whether a browser would have asked the server before sending the request from
// another site: the rule and the headers of Apollo Server, and a header of our own name.
func preflighted(r *http.Request) bool {
	if media, _, ok := contentOf(r); ok {
		switch media {
		case "text/plain", "application/x-www-form-urlencoded", "multipart/form-data":
		default:
			if r.Method == http.MethodPost || media == plainJSON {
				return true
			}
		}
	}
	for _, name := range []string{"X-Apollo-Operation-Name", "Apollo-Require-Preflight", "X-Fraiseql-Preflight"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}
