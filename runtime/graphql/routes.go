package graphql

import (
	"net/http"

	"github.com/fraiseql/fraiseql/runtime/graphql/transport"
)

// Routes adds the API to a mux.
func (s *Service) Routes(mux *http.ServeMux) {
	path := s.config.Path
	if path == "" {
		path = "/graphql"
	}
	mux.Handle(path, &transport.Handler{Execute: s.Execute, BodyLimit: s.deps.BodyLimit})
}
