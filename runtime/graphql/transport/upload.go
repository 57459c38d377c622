package transport

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/fraiseql/fraiseql/runtime/graphql/plan"
)

const (
	formData = "multipart/form-data"
	// mostFiles is how many files one request may bring, and how many places they may go to in all.
	mostFiles = 20
	// mapLimit bounds the text that says which file goes where.
	mapLimit = 64 << 10
)

// readForm takes a request, or a batch, out of a form with files (GraphQL multipart request specification,
// https://github.com/jaydenseric/graphql-multipart-request-spec): first `operations`, then `map`, then the files. A file
// is the value of a place in the variables that is null. Nobody else's page can send such a form in a person's name: see
// preflighted.
func (h *Handler) readForm(w http.ResponseWriter, r *http.Request) (one Request, list []Request, bad *refusal) {
	if h.UploadLimit <= 0 {
		return one, nil, refuse(http.StatusUnsupportedMediaType, "this server takes no files: `[graphql.limits] upload = \"10MB\"` lets it")
	}
	r.Body = http.MaxBytesReader(w, r.Body, h.UploadLimit+h.BodyLimit+mapLimit)
	form, err := r.MultipartReader()
	if err != nil {
		return one, nil, refuse(http.StatusBadRequest, "the form cannot be read: it says no boundary")
	}
	operations, bad := h.text(form, "operations", h.BodyLimit)
	if bad != nil {
		return one, nil, bad
	}
	if one, list, bad = decode(operations, h.Batch); bad != nil {
		return one, nil, bad
	}
	text, bad := h.text(form, "map", mapLimit)
	if bad != nil {
		return one, nil, bad
	}
	places, bad := readPlaces(text)
	if bad != nil {
		return one, nil, bad
	}
	left := h.UploadLimit
	for len(places) > 0 {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return one, nil, refuse(http.StatusBadRequest, "the map has %d files that the form does not bring", len(places))
		}
		if err != nil {
			return one, nil, unreadable(err, h.UploadLimit)
		}
		paths, known := places[part.FormName()]
		if !known {
			return one, nil, refuse(http.StatusBadRequest, "the form has a part that the map does not name, or has named before")
		}
		delete(places, part.FormName())
		file, bad := readFile(part, &left, h.UploadLimit)
		if bad != nil {
			return one, nil, bad
		}
		if left -= int64(len(paths)-1) * int64(base64.StdEncoding.DecodedLen(len(file))); left < 0 { // each place has a copy
			return one, nil, filesTooLarge(h.UploadLimit)
		}
		for _, path := range paths {
			if bad := put(&one, list, path, file); bad != nil {
				return one, nil, bad
			}
		}
	}
	if _, err := form.NextPart(); !errors.Is(err, io.EOF) {
		return one, nil, refuse(http.StatusBadRequest, "the form has a part that the map does not name, or does not end")
	}
	return one, list, nil
}

// holdForm takes room for the files of a form: as they come, as base64, and on the way to the database.
func (h *Handler) holdForm(r *http.Request) (release func(), held bool) {
	if media, _, _ := contentOf(r); media != formData || h.UploadLimit <= 0 {
		return func() {}, true
	}
	return h.hold(int(4 * h.UploadLimit)) // one file may go to several places
}

// text reads a part that has to be next.
func (h *Handler) text(form *multipart.Reader, name string, limit int64) (*bytes.Buffer, *refusal) {
	part, err := form.NextPart()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, unreadable(err, h.UploadLimit)
	}
	if err != nil || part.FormName() != name {
		return nil, refuse(http.StatusBadRequest, "the form is to have the parts operations, map and then the files, in this order: %s is not where it should be", name)
	}
	var b bytes.Buffer
	switch n, err := b.ReadFrom(io.LimitReader(part, limit+1)); {
	case err != nil:
		return nil, unreadable(err, h.UploadLimit)
	case n > limit:
		return nil, refuse(http.StatusRequestEntityTooLarge, "the form's part %s is larger than the %d bytes that are allowed", name, limit)
	}
	return &b, nil
}

// readPlaces reads the map: for each file the places where it goes.
func readPlaces(text *bytes.Buffer) (map[string][]string, *refusal) {
	bad := refuse(http.StatusBadRequest, "the form's part map is to be a JSON object of lists of places, such as {\"0\": [\"variables.file\"]}")
	places := map[string][]string{}
	wrong := decoding(text, func(d *jsontext.Decoder) *refusal {
		if d.PeekKind() != '{' {
			return bad
		}
		given, err := value(d)
		if err != nil {
			return bad
		}
		for name, list := range given.(map[string]any) {
			paths, isList := list.([]any)
			if !isList || len(paths) == 0 {
				return bad
			}
			for _, path := range paths {
				text, isText := path.(string)
				if !isText {
					return bad
				}
				places[name] = append(places[name], text)
			}
		}
		return atEnd(d)
	})
	switch {
	case wrong != nil:
		return nil, bad
	case len(places) > mostFiles:
		return nil, refuse(http.StatusRequestEntityTooLarge, "a request brings at most %d files", mostFiles)
	}
	all := 0
	for _, paths := range places {
		all += len(paths)
	}
	if all > mostFiles {
		return nil, refuse(http.StatusRequestEntityTooLarge, "files go to at most %d places of a request", mostFiles)
	}
	return places, nil
}

// readFile reads a file, of which there may be so many bytes in all.
func readFile(part *multipart.Part, left *int64, limit int64) (plan.File, *refusal) {
	var b strings.Builder
	encoder := base64.NewEncoder(base64.StdEncoding, &b)
	n, err := io.Copy(encoder, io.LimitReader(part, *left+1))
	switch _ = encoder.Close(); {
	case err != nil:
		return "", unreadable(err, limit)
	case n > *left:
		return "", filesTooLarge(limit)
	}
	*left -= n
	return plan.File(b.String()), nil
}

// put puts a file where a path leads to: "variables.files.0", in a batch behind the number of the request. What is there
// is null, as the specification wants it: nothing that was sent is lost.
func put(one *Request, list []Request, path string, file plan.File) *refusal {
	bad := func(why string) *refusal {
		return refuse(http.StatusBadRequest, "the place %q of a file %s", plan.Shorten(path, 80), why)
	}
	steps := strings.Split(path, ".")
	r := one
	if list != nil {
		n, err := strconv.Atoi(steps[0])
		if err != nil || n < 0 || n >= len(list) {
			return bad("is in no request of the batch")
		}
		r, steps = &list[n], steps[1:]
	}
	if len(steps) < 2 || steps[0] != "variables" || slices.Contains(steps, "") {
		return bad("is none in variables")
	}
	var holder any = r.Variables
	for i, step := range steps[1:] {
		inner, set, there := member(holder, step)
		last := i == len(steps)-2
		if !there || last && inner != nil {
			return bad("is not null in variables")
		}
		if last {
			set(file)
		}
		holder = inner
	}
	return nil
}

// member finds a member of an object or a list.
func member(holder any, step string) (inner any, set func(plan.File), there bool) {
	switch at := holder.(type) {
	case map[string]any:
		inner, there = at[step]
		return inner, func(f plan.File) { at[step] = f }, there
	case []any:
		if n, err := strconv.Atoi(step); err == nil && n >= 0 && n < len(at) {
			return at[n], func(f plan.File) { at[n] = f }, true
		}
	}
	return nil, nil, false
}

func filesTooLarge(limit int64) *refusal {
	return refuse(http.StatusRequestEntityTooLarge, "the files are larger than the %d bytes that are allowed ([graphql.limits] upload)", limit)
}

// unreadable says why a form could not be read to its end.
func unreadable(err error, limit int64) *refusal {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return filesTooLarge(limit)
	}
	return refuse(http.StatusBadRequest, "the form could not be read to its end")
}
