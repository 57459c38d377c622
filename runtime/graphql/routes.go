package graphql

import (
	"net/http"

	"golang.org/x/sync/semaphore"

	"github.com/fraiseql/fraiseql/runtime/graphql/graphiql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// heldAnswers bounds the bytes of large answers that are held for clients slow to take them. The largest answer that
// may be configured has room in it.
const heldAnswers = 512 << 20

// Routes adds the API to a mux.
func (s *Service) Routes(mux *http.ServeMux) {
	path := s.config.Path
	h := &transport.Handler{
		Execute: s.Serve, BodyLimit: s.deps.BodyLimit,
		Batch: s.config.Limits.Batch, AnswerLimit: int(s.config.Limits.Response),
		UploadLimit: int64(s.config.Limits.Upload),
		Streams:     s.streams,
		Held:        semaphore.NewWeighted(heldAnswers),
	}
	if s.config.playground(s.deps.Dev) {
		h.Playground = graphiql.Page(path, s.streams != nil)
		mux.Handle("GET /{$}", http.RedirectHandler(path, http.StatusFound))
		mux.Handle("GET "+path+"/assets/", graphiql.Assets(path+"/assets/"))
	}
	mux.Handle(path, h)
}
