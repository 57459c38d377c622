package config

import (
	"fmt"
	"io"
	"strings"
)

// Reference writes every table and key of target as Markdown, in the order of the structs.
func Reference(w io.Writer, target any) error {
	var b strings.Builder
	referenceTable(&b, Describe(target), "", false)
	_, err := io.WriteString(w, b.String())
	return err
}

func referenceTable(b *strings.Builder, k Key, path string, planned bool) {
	var rows, tables []Key
	for _, inner := range k.Keys {
		if inner.Type == "table" {
			tables = append(tables, inner)
		} else {
			rows = append(rows, inner)
		}
	}
	if path != "" {
		header := "[" + path + "]"
		if k.List {
			header = "[" + header + "]"
		}
		fmt.Fprintf(b, "### `%s`\n\n%s", header, k.Doc)
		if planned {
			b.WriteString(" *Not built yet.*")
		}
		b.WriteString("\n\n")
	}
	if len(rows) > 0 {
		b.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
		for _, row := range rows {
			referenceRow(b, row, planned)
		}
		b.WriteByte('\n')
	}
	for _, inner := range tables {
		at := join(path, inner.Name)
		switch {
		case inner.IsRest():
			at = join(path, "NAME")
		case inner.Named:
			at += ".NAME"
		}
		referenceTable(b, inner, at, planned || inner.Planned)
	}
}

func referenceRow(b *strings.Builder, k Key, planned bool) {
	kind := k.Type
	switch {
	case k.Named && kind == "any":
		kind = "any keys"
	case k.Named:
		kind = "names and " + plural(kind)
	case k.List:
		kind = "one or a list of " + plural(kind)
	}
	for i, word := range k.Enum {
		if i == 0 {
			kind += ":"
		}
		kind += " `" + word + "`"
	}
	switch {
	case k.Min != "" && k.Max != "":
		kind += ", " + k.Min + " to " + k.Max
	case k.Min != "":
		kind += ", at least " + k.Min
	case k.Max != "":
		kind += ", at most " + k.Max
	}
	value := ""
	if k.Default != "" {
		value = "`" + k.Default + "`"
	}
	doc := k.Doc
	if k.Planned && !planned {
		doc += " *Not built yet.*"
	}
	fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.Name, kind, value, strings.ReplaceAll(doc, "|", "\\|"))
}

func plural(kind string) string {
	if kind == "any" {
		return "values"
	}
	return kind + "s"
}
