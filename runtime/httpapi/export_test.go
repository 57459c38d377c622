package httpapi

import "net/http"

// Handler is what the listener serves, for tests that need no connection.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// Negotiate picks a content coding.
var Negotiate = negotiate
