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

// decode takes a GraphQL request out of a body, or a batch of at most so many: then the list is not nil.
func decode(body *bytes.Buffer, batch int) (one Request, list []Request, bad *refusal) {
	bad = decoding(body, func(d *jsontext.Decoder) (bad *refusal) {
		switch kind := d.PeekKind(); {
		case kind == '{':
			bad = decodeRequest(d, &one)
		case kind == '[' && batch > 0:
			list, bad = decodeBatch(d, batch)
		default:
			if err := d.SkipValue(); err != nil {
				return notJSON(err)
			}
			if kind == '[' {
				return refuse(http.StatusBadRequest, "the body is a list, and this server takes one request at a time: send a JSON object, or have the server take lists by `[graphql.limits] batch = 10`")
			}
			return refuse(http.StatusBadRequest, "the body is not a JSON object with query, operationName, variables and extensions")
		}
		if bad == nil {
			bad = atEnd(d)
		}
		return bad
	})
	return one, list, bad
}

// decodeRequest reads the members of one request.
func decodeRequest(d *jsontext.Decoder, r *Request) *refusal {
	r.Open = true
	given := false
	var extensions map[string]any
	bad := members(d, func(name string) (bad *refusal) {
		switch name {
		case "query":
			given = d.PeekKind() == '"'
			r.Query, bad = text(d, name)
		case "documentId":
			r.DocumentID, bad = text(d, name)
		case "operationName":
			r.OperationName, bad = text(d, name)
		case "variables":
			r.Variables, bad = object(d, name)
		case "extensions":
			extensions, bad = object(d, name)
		default:
			if err := d.SkipValue(); err != nil {
				bad = notJSON(err)
			}
		}
		return bad
	})
	if bad == nil {
		bad = r.settle(extensions)
	}
	if bad == nil && !given && !r.named() {
		bad = refuse(http.StatusBadRequest, "the body has no member \"query\" that is a string, nor a \"documentId\"")
	}
	return bad
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

func notJSON(err error) *refusal {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) && syntax.Err != nil {
		return refuse(http.StatusBadRequest, "the body is not JSON: at byte %d, %s", syntax.ByteOffset+1, syntax.Err)
	}
	return refuse(http.StatusBadRequest, "the body is not JSON: it ends early")
}

// members reads an object to its end.
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
	return nil
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

// text reads a string, or null as an empty one.
func text(d *jsontext.Decoder, name string) (string, *refusal) {
	kind := d.PeekKind()
	if kind != '"' && kind != 'n' {
		if err := d.SkipValue(); err != nil {
			return "", notJSON(err)
		}
		return "", refuse(http.StatusBadRequest, "%q is not a string", name)
	}
	token, err := d.ReadToken()
	switch {
	case err != nil:
		return "", notJSON(err)
	case kind == 'n':
		return "", nil
	}
	return token.String(), nil
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
