package transport

import (
	"context"
	"io"
	"net/http"
)

// stream writes an answer while the rest of it is read from the database. A failure on the way comes after the
// status has left: the answer is cut, so that the client cannot take it for a whole one.
func stream(ctx context.Context, w http.ResponseWriter, media string, response *Response) {
	rest, after := response.Stream, response.After
	defer rest.Close()
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	_, err := w.Write(response.Body)
	response.Release() // what comes may take long
	for err == nil {
		part, failed := rest.Next(ctx)
		switch {
		case failed != nil:
			panic(http.ErrAbortHandler)
		case part == nil:
			_, _ = io.WriteString(w, after) // a client that has gone needs no answer, here and above
			return
		}
		_, err = w.Write(part)
	}
}
