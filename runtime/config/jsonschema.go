package config

import (
	"strconv"
	"strings"
)

// referencePattern is what any value may be in place of itself: a string that ${…} fills.
const referencePattern = `\$\{`

// JSONSchema gives the JSON Schema (draft 2020-12) of what can be written into target, for editors that
// check and complete TOML.
func JSONSchema(target any) map[string]any {
	s := tableSchema(Describe(target))
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "fraiseql.toml"
	return s
}

func tableSchema(k Key) map[string]any {
	properties, others := map[string]any{}, any(false)
	for _, inner := range k.Keys {
		if inner.IsRest() {
			inner.Named = false
			others = schemaOf(inner)
			continue
		}
		properties[inner.Name] = schemaOf(inner)
	}
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": others}
}

func schemaOf(k Key) map[string]any {
	s := valueSchema(k)
	switch {
	case k.List:
		s = map[string]any{"anyOf": []any{s, map[string]any{"type": "array", "items": s}}}
	case k.Named && k.Type == "any":
		s = map[string]any{"type": "object"}
	case k.Named:
		s = map[string]any{"type": "object", "additionalProperties": s}
	}
	doc := k.Doc
	if k.Secret {
		doc += map[bool]string{true: " The name of an environment variable.", false: " The path of a file."}[strings.HasSuffix(k.Name, "_env")]
	}
	if k.Planned {
		doc += " Not built yet."
	}
	if doc != "" {
		s["description"] = doc
	}
	if k.Default != "" {
		s["default"] = typedDefault(k)
	}
	return s
}

func valueSchema(k Key) map[string]any {
	var s map[string]any
	switch k.Type {
	case "table":
		return tableSchema(k)
	case "any":
		return map[string]any{}
	case "duration":
		s = map[string]any{"type": "string", "pattern": `^([0-9]+(ms|s|m|h|d))+$`}
	case "size":
		return map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": 0},
			map[string]any{"type": "string", "pattern": `^[0-9]+ ?(B|KB|MB|GB|KiB|MiB|GiB)?$|` + referencePattern},
		}}
	case "string":
		if k.Enum == nil {
			return map[string]any{"type": "string"}
		}
		s = map[string]any{"enum": k.Enum}
	default:
		s = map[string]any{"type": k.Type}
		for tag, word := range map[string]string{k.Min: "minimum", k.Max: "maximum"} {
			if n, err := strconv.ParseFloat(tag, 64); err == nil {
				s[word] = n
			}
		}
	}
	return map[string]any{"anyOf": []any{s, map[string]any{"type": "string", "pattern": referencePattern}}}
}

func typedDefault(k Key) any {
	switch k.Type {
	case "boolean":
		return k.Default == "true"
	case "integer", "number":
		if n, err := strconv.ParseFloat(k.Default, 64); err == nil {
			return n
		}
	}
	return k.Default
}
