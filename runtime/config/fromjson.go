package config

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/pelletier/go-toml/v2"
)

// TOML writes a JSON object as the table of a path, such as observers.welcome: what comes by HTTP is judged by the rules of the
// file. null is as if it were not there.
func TOML(object []byte, path ...string) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	var value map[string]any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("it is no JSON object: %w", err)
	}
	whole := plainOf(value)
	for i := len(path) - 1; i >= 0; i-- {
		whole = map[string]any{path[i]: whole}
	}
	return toml.Marshal(whole)
}

// plainOf gives numbers as TOML has them, and leaves out null.
func plainOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		made := make(map[string]any, len(v))
		for key, item := range v {
			if item != nil {
				made[key] = plainOf(item)
			}
		}
		return made
	case []any:
		made := make([]any, 0, len(v))
		for _, item := range v {
			if item != nil {
				made = append(made, plainOf(item))
			}
		}
		return made
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	}
	return v
}
