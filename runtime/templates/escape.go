package templates

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// mustache writes a value.
func (r *renderer) mustache(m *mustache, s scope, f *frame) error {
	v, asIs, err := r.result(&m.call, s, f)
	if err != nil {
		return err
	}
	if r.options.Missing == Refuse {
		switch v.(type) {
		case undefined:
			return r.problem(m.call.at, "missing", "%s is not there", r.text[m.call.at.from:m.call.at.to]).try("write {{default … ''}} if it may be absent")
		case map[string]any:
			return r.problem(m.call.at, "data", "%s is an object, which is no text", r.text[m.call.at.from:m.call.at.to]).try("name one of its members, or write {{json %s}}", r.text[m.call.at.from:m.call.at.to])
		}
	}
	if list, ok := v.([]any); ok {
		if v, err = r.clean(m.at, list, 0); err != nil {
			return err
		}
	}
	written := textOf(v)
	if bad := strings.IndexFunc(written, r.options.Escape.forbids); bad >= 0 && (m.raw || r.options.Escape != URL) {
		return r.problem(m.at, "control-character", "the value has %q in it, which must not be in %s", firstOf(written[bad:]), r.options.Escape)
	}
	if !m.raw && !asIs {
		written = r.options.Escape.escape(written)
	}
	from := r.out.Len()
	err = r.write(m.at, written)
	if r.options.Escape == Address && !m.raw {
		r.values = append(r.values, span{from, r.out.Len()}) // what it becomes is known when all is there
	}
	return err
}

// result is the value of a path, or of a helper. As it is are the values that are of the sort of the text already.
func (r *renderer) result(c *call, s scope, f *frame) (v any, asIs bool, err error) {
	if c.helper == nil {
		v, err = r.find(c.path, s, f)
		return v, false, err
	}
	given := make([]any, len(c.params))
	for i, e := range c.params {
		if given[i], err = r.evaluate(e, s, f); err != nil {
			return nil, false, err
		}
		if _, missing := given[i].(undefined); missing && r.options.Missing == Refuse && !c.helper.lenient {
			return nil, false, r.problem(e.at, "missing", "%s is not there", r.text[e.at.from:e.at.to])
		}
	}
	var hash map[string]any
	for _, pair := range c.hash {
		if hash == nil {
			hash = map[string]any{}
		}
		if hash[pair.key], err = r.evaluate(pair.value, s, f); err != nil {
			return nil, false, err
		}
	}
	v, err = c.helper.do(r, c, given, hash)
	return v, c.helper.json && r.options.Escape == JSON, err
}

var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;", "`", "&#x60;", "=", "&#x3D;")

func (e Escape) escape(s string) string {
	switch e {
	case HTML:
		return entities.Replace(s)
	case URL:
		return percent(s)
	case JSON:
		quoted, err := json.Marshal(s) // & < and > too, which is JSON all the same
		if err != nil {
			return ""
		}
		return string(quoted[1 : len(quoted)-1])
	}
	return s
}

// percent leaves only the unreserved characters of RFC 3986, section 2.3, so that a value cannot leave its place.
func percent(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// finished judges a text as a whole.
func (t *Template) finished(made string) error {
	at := span{}
	switch t.options.Escape {
	case JSON:
		if !json.Valid([]byte(made)) {
			return t.problem(at, "not-json", "what the template makes is no JSON").try(`texts go between quotes, "{{x}}"; all else is written {{json x}}`)
		}
	case URL:
		path, _, _ := strings.Cut(made, "?")
		path, _, _ = strings.Cut(path, "#")
		for segment := range strings.SplitSeq(path, "/") {
			if d := strings.ReplaceAll(strings.ToLower(segment), "%2e", "."); d == "." || d == ".." {
				return t.problem(at, "unsafe-url", "the address has a segment %q, which leads to another place", segment)
			}
		}
	}
	if !utf8.ValidString(made) {
		return t.problem(at, "data", "a value is not UTF-8")
	}
	return nil
}
