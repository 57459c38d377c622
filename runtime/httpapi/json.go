package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
	"github.com/fraiseql/fraiseql/runtime/fault"
)

// WriteJSON answers with a value. One that cannot be written is a defect, and is answered as one.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		http.Error(w, "the answer cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that has gone needs no answer
}

// bodyLimit is how long the body of a management request may be.
const bodyLimit = 1 << 20

// ReadJSON reads the body of a request into v, strictly: what v does not know is an error.
func ReadJSON(r *http.Request, v any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, bodyLimit))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more than one value")
		}
	}
	var misfit *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return fault.New(fault.Invalid, "request/bad-body", "the body is empty, and this route takes JSON")
	case errors.As(err, &misfit):
		return fault.New(fault.Invalid, "request/bad-body", "`"+misfit.Field+"` in the body is a "+misfit.Value+", and something else is wanted")
	}
	return fault.New(fault.Invalid, "request/bad-body", "the body is not the JSON that this route takes: "+strings.TrimPrefix(err.Error(), "json: "))
}

// Limit reads the parameter limit of a list: 100 when it is not there, 1 to 1000.
func Limit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return 100, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 1000 {
		return 0, fault.New(fault.Invalid, "request/bad-limit", "`limit` is a number from 1 to 1000")
	}
	return n, nil
}

// Number reads a parameter that is a positive number, such as a cursor or an id; 0 when it is not there.
func Number(name, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.Invalid, "request/bad-number", "`"+name+"` is a number from 1 on")
	}
	return n, nil
}

// Moment reads a parameter that is a time: RFC 3339, or how long ago, such as 1h or 2d. The zero time when it is not there.
func Moment(name, text string) (time.Time, error) {
	at, err := config.ParseMoment(text)
	if err == nil {
		return at, nil
	}
	return time.Time{}, fault.New(fault.Invalid, "request/bad-time", "`"+name+"` is a time such as 2026-01-31T12:00:00Z, or how long ago, such as 1h or 2d")
}
