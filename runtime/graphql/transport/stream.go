package transport

import (
	"context"
	"io"
	"net/http"
)

// stream writes an answer while the rest of it is read from the database. A failure on the way comes after the
// status has left: the answer is cut, so that the client cannot take it for a whole one.
func stream(ctx context.Context, w http.ResponseWriter, media string, response Response) {
	defer response.Stream.Close()
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	part := append([]byte(`{"data":`), response.Data...)
	for part != nil {
		if _, err := w.Write(part); err != nil {
			return // the client has gone
		}
		var err error
		if part, err = response.Stream.Next(ctx); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	_, _ = io.WriteString(w, response.After+"}") // a client that has gone needs no answer
}
