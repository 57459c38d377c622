package transport

import (
	"iter"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The media types of answers.
const (
	responseJSON = "application/graphql-response+json"
	plainJSON    = "application/json"
)

// negotiate picks the media type of the answer; empty when the client takes neither. A type weighs what the most
// specific range says that it falls under (RFC 9110, section 12.5.1); among equals the one named first is taken.
func negotiate(accept []string) string {
	given := strings.Join(accept, ",")
	switch given {
	case "", "*/*", responseJSON:
		return responseJSON
	case plainJSON:
		return plainJSON
	}
	var modern, older preference
	place := 0
	for media, quality := range ranges(given) {
		place++
		modern.take(responseJSON, media, quality, place)
		older.take(plainJSON, media, quality, place)
	}
	switch {
	case place == 0:
		return responseJSON
	case older.quality > modern.quality, older.quality == modern.quality && older.quality > 0 && older.place < modern.place:
		return plainJSON
	case modern.quality > 0:
		return responseJSON
	}
	return ""
}

// preference is what a client says of a media type.
type preference struct {
	quality  float64
	specific int // how well the range fits that says so; 0 when none does
	place    int // of the range
}

func (p *preference) take(offered, media string, quality float64, place int) {
	specific := 0
	switch media {
	case offered:
		specific = 3
	case "application/*":
		specific = 2
	case "*/*":
		specific = 1
	}
	if specific > p.specific {
		*p = preference{quality: quality, specific: specific, place: place}
	}
}

// takesHTML tells whether a client names HTML, as browsers do for a page; any type at all is what tools take.
func takesHTML(accept []string) bool {
	for media, quality := range ranges(strings.Join(accept, ",")) {
		if media == "text/html" {
			return quality > 0
		}
	}
	return false
}

// ranges reads Accept: ranges of media types and what they weigh. Answers are in UTF-8, so that a range with
// another charset fits none.
func ranges(accept string) iter.Seq2[string, float64] {
	return func(yield func(string, float64) bool) {
		for part := range strings.SplitSeq(accept, ",") {
			media, parameters, more := strings.Cut(part, ";")
			media = strings.ToLower(strings.TrimSpace(media))
			if media == "" {
				continue
			}
			quality := 1.0
			for more {
				var parameter string
				parameter, parameters, more = strings.Cut(parameters, ";")
				name, value, _ := strings.Cut(parameter, "=")
				value = strings.Trim(value, "\" \t")
				switch strings.ToLower(strings.TrimSpace(name)) {
				case "q":
					if q, err := strconv.ParseFloat(value, 64); err == nil {
						quality = q
					}
				case "charset":
					if !strings.EqualFold(value, "utf-8") {
						media = "none"
					}
				}
			}
			if !yield(media, quality) {
				return
			}
		}
	}
}

// contentOf gives the media type and the charset of a request's body, and false where there is none, or one that
// browsers may read in another way than we do. What nearly all clients send needs no parser.
func contentOf(r *http.Request) (media, charset string, ok bool) {
	given := r.Header.Get("Content-Type")
	switch given {
	case plainJSON:
		return plainJSON, "", true
	case plainJSON + "; charset=utf-8", plainJSON + ";charset=utf-8", plainJSON + "; charset=UTF-8", plainJSON + ";charset=UTF-8":
		return plainJSON, "utf-8", true
	}
	media, parameters, err := mime.ParseMediaType(given)
	return media, strings.ToLower(parameters["charset"]), err == nil
}
