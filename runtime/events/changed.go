package events

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// changed tells which columns an update changed: those in which the two rows differ, and besides them those that the row does
// not tell, or not whole. Nobody knows where besides says so with a *: nil. It is what _system.event_changed tells in SQL.
// Capturing functions leave it to readers, of whom there are fewer than of writers.
func changed(old, now json.RawMessage, besides []string, cut bool) []string {
	if slices.Contains(besides, "*") {
		return nil
	}
	if cut {
		return besides
	}
	all, ok := differ(old, now)
	if !ok {
		return nil
	}
	for _, name := range besides {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// differ gives the members in which two objects differ that have the same ones in the same order.
func differ(old, now json.RawMessage) (names []string, ok bool) {
	names = []string{}
	if bytes.Equal(old, now) {
		return names, true
	}
	var ends [2]jsontext.Decoder
	for i, text := range []json.RawMessage{old, now} {
		// Columns of type json hold whatever somebody wrote.
		ends[i].Reset(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		if start, err := ends[i].ReadToken(); err != nil || start.Kind() != '{' {
			return nil, false
		}
	}
	for ends[0].PeekKind() == '"' && ends[1].PeekKind() == '"' {
		var members [2]string
		var values [2]jsontext.Value
		for i := range ends {
			name, err := ends[i].ReadToken()
			if err != nil {
				return nil, false
			}
			members[i] = name.String()
			if values[i], err = ends[i].ReadValue(); err != nil {
				return nil, false
			}
		}
		if members[0] != members[1] {
			return nil, false
		}
		if !bytes.Equal(values[0], values[1]) {
			names = append(names, members[0])
		}
	}
	return names, ends[0].PeekKind() == '}' && ends[1].PeekKind() == '}'
}
