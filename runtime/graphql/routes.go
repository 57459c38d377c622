package graphql

import (
	"net/http"

	"github.com/fraiseql/fraiseql/runtime/graphql/graphiql"
	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// Routes adds the API to a mux.
func (s *Service) Routes(mux *http.ServeMux) {
	path := s.config.Path
	h := &transport.Handler{Execute: s.Execute, BodyLimit: s.deps.BodyLimit}
	if s.config.playground(s.deps.Dev) {
		h.Playground = graphiql.Page(path)
		mux.Handle("GET /{$}", http.RedirectHandler(path, http.StatusFound))
		mux.Handle("GET "+path+"/assets/", graphiql.Assets(path+"/assets/"))
	}
	mux.Handle(path, h)
}
