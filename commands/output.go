package commands

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"go.yaml.in/yaml/v3"

	"github.com/fraiseql/fraiseql/runtime/fault"
)

// forms are what -o can be.
var forms = []string{"table", "json", "yaml", "name"}

// listing is a result in all its forms: rows for people, whose column name names them, and a value for programs.
type listing struct {
	head  []string
	rows  [][]string
	name  int
	value any
}

// print writes a result in the form that was asked for.
func (e *Env) print(l listing) error {
	switch e.output {
	case "json":
		return e.printJSON(l.value)
	case "yaml":
		return e.printYAML(l.value)
	case "name":
		for _, row := range l.rows {
			if _, err := fmt.Fprintln(e.Out, row[l.name]); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(l.head, "\t"))
	for _, row := range l.rows {
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	return w.Flush()
}

func (e *Env) printJSON(v any) error {
	encoder := json.NewEncoder(e.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// printYAML goes by way of JSON, so that both forms have the same keys. JSON is YAML: what is parsed from it
// keeps the order of its keys.
func (e *Env) printYAML(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var node yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&node); err != nil {
		return err
	}
	plain(&node)
	encoder := yaml.NewEncoder(e.Out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&node); err != nil {
		return err
	}
	return encoder.Close()
}

// plain drops the braces and quotes that a document read from JSON would keep.
func plain(n *yaml.Node) {
	n.Style = 0
	for _, child := range n.Content {
		plain(child)
	}
}

func checkForm(form string) error {
	if slices.Contains(forms, form) {
		return nil
	}
	return fault.New(fault.Usage, "usage", "there is no form `"+form+"`").WithHint("-o with one of: %s", strings.Join(forms, ", "))
}
