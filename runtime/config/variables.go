package config

import (
	"strings"

	"github.com/fraiseql/fraiseql/runtime/diag"
)

// prefix is what the variables that set keys begin with.
const prefix = "FRAISEQL_"

// MisspeltVariables warns of variables that set nothing, but are near to one that would: elsewhere in the
// file a key that nothing knows is an error, but a variable may be somebody else's.
func MisspeltVariables(target any, environment []string) diag.List {
	known := map[string]bool{prefix + "CONFIG": true}
	addVariables(known, Describe(target), "")
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	var problems diag.List
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix) || known[name] {
			continue
		}
		if near := diag.Nearest(name, names); near != "" {
			problems = append(problems, diag.Diagnostic{
				Severity: diag.Warning, Code: "config/unknown-variable", Message: "the variable " + name + " sets no key",
				Primary: diag.Label{Span: diag.Span{File: "environment variable " + name}}, Help: "did you mean " + near + "?",
			})
		}
	}
	return problems
}

// addVariables gathers the variables of a table's keys; tables under names of a person's have none.
func addVariables(known map[string]bool, table Key, path string) {
	for _, k := range table.Keys {
		key := join(path, k.Name)
		switch {
		case k.IsRest() || k.Named || k.Type == "table" && k.List:
		case k.Type == "table":
			addVariables(known, k, key)
		default:
			known[EnvName(key)] = true
		}
	}
}
