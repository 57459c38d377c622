package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// decoders have buffers that are worth keeping.
var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(strings.NewReader("")) }}

// decoding reads JSON in one pass: names exactly as they are, none twice, numbers with the digits that were sent.
func decoding(r io.Reader, read func(d *jsontext.Decoder) *refusal) *refusal {
	d := decoders.Get().(*jsontext.Decoder)
	defer decoders.Put(d)
	d.Reset(r)
	return read(d)
}

// decode takes the members of a GraphQL request out of a body.
func decode(body *bytes.Buffer) (Request, *refusal) {
	r := Request{Open: true}
	given := false
	bad := decoding(body, func(d *jsontext.Decoder) *refusal {
		if kind := d.PeekKind(); kind != '{' {
			if err := d.SkipValue(); err != nil {
				return notJSON(err)
			}
			return refuse(http.StatusBadRequest, "the body is not a JSON object with query, operationName, variables and extensions; batches are not served")
		}
		return members(d, func(name string) *refusal {
			var bad *refusal
			switch name {
			case "query":
				given = true
				r.Query, bad = text(d, name, false)
			case "operationName":
				r.OperationName, bad = text(d, name, true)
			case "variables":
				r.Variables, bad = object(d, name)
			case "extensions":
				_, bad = object(d, name)
			default:
				if err := d.SkipValue(); err != nil {
					bad = notJSON(err)
				}
			}
			return bad
		})
	})
	if bad == nil && !given {
		bad = noQuery()
	}
	return r, bad
}

// decodeObject reads a parameter that is a JSON object.
func decodeObject(name, text string) (map[string]any, *refusal) {
	var m map[string]any
	bad := decoding(strings.NewReader(text), func(d *jsontext.Decoder) *refusal {
		var bad *refusal
		if m, bad = object(d, name); bad == nil {
			bad = atEnd(d)
		}
		return bad
	})
	if bad != nil {
		return nil, refuse(http.StatusBadRequest, "%q is not a JSON object", name)
	}
	return m, nil
}

func noQuery() *refusal {
	return refuse(http.StatusBadRequest, "the body has no member \"query\" that is a string")
}

func notJSON(err error) *refusal {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) && syntax.Err != nil {
		return refuse(http.StatusBadRequest, "the body is not JSON: at byte %d, %s", syntax.ByteOffset+1, syntax.Err)
	}
	return refuse(http.StatusBadRequest, "the body is not JSON: it ends early")
}

// members reads an object to its end, and that nothing comes after it.
func members(d *jsontext.Decoder, member func(name string) *refusal) *refusal {
	if _, err := d.ReadToken(); err != nil {
		return notJSON(err)
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return notJSON(err)
		}
		if bad := member(name.String()); bad != nil {
			return bad
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return notJSON(err)
	}
	return atEnd(d)
}

func atEnd(d *jsontext.Decoder) *refusal {
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			return refuse(http.StatusBadRequest, "the body is not JSON: at byte %d, there is more after its end", d.InputOffset()+1)
		}
		return notJSON(err)
	}
	return nil
}

func text(d *jsontext.Decoder, name string, optional bool) (string, *refusal) {
	kind := d.PeekKind()
	token, err := d.ReadToken()
	switch {
	case err != nil:
		return "", notJSON(err)
	case kind == '"':
		return token.String(), nil
	case kind == 'n' && optional:
		return "", nil
	case optional:
		return "", refuse(http.StatusBadRequest, "%q is not a string", name)
	}
	return "", noQuery()
}

// object reads an object, or null as none.
func object(d *jsontext.Decoder, name string) (map[string]any, *refusal) {
	if kind := d.PeekKind(); kind != '{' && kind != 'n' {
		if err := d.SkipValue(); err != nil {
			return nil, notJSON(err)
		}
		return nil, refuse(http.StatusBadRequest, "%q is not a JSON object", name)
	}
	v, err := value(d)
	if err != nil {
		return nil, notJSON(err)
	}
	m, _ := v.(map[string]any)
	return m, nil
}

// value reads any value; numbers are json.Number.
func value(d *jsontext.Decoder) (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	case '[':
		list := []any{}
		for d.PeekKind() != ']' {
			item, err := value(d)
			if err != nil {
				return nil, err
			}
			list = append(list, item)
		}
		_, err = d.ReadToken()
		return list, err
	case '{':
		m := map[string]any{}
		for d.PeekKind() != '}' {
			name, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String()
			if m[key], err = value(d); err != nil {
				return nil, err
			}
		}
		_, err = d.ReadToken()
		return m, err
	}
	return nil, nil
}
