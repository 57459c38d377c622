package config

import (
	"fmt"
	"io"
	"strings"
)

// Reference writes every table and key of target as Markdown, in the order of the structs.
func Reference(w io.Writer, target any) error {
	r := referenceWriter{seen: map[string]string{}}
	r.table(Describe(target), "", false)
	_, err := io.WriteString(w, r.String())
	return err
}

type referenceWriter struct {
	strings.Builder
	seen map[string]string // tables by their keys: those alike are written out once
}

func (w *referenceWriter) table(k Key, path string, planned bool) {
	header := "[" + path + "]"
	if k.List {
		header = "[" + header + "]"
	}
	if path != "" {
		fmt.Fprintf(w, "### `%s`\n\n%s", header, k.Doc)
		if planned {
			w.WriteString(" *Not built yet.*")
		}
		w.WriteString("\n\n")
	}
	if keys := fmt.Sprint(k.Keys); w.seen[keys] != "" {
		fmt.Fprintf(w, "Its keys are those of `%s`.\n\n", w.seen[keys])
		return
	} else if len(k.Keys) > 3 {
		w.seen[keys] = header
	}
	w.rows(k.Keys, planned)
	for _, inner := range k.Keys {
		if inner.Type != "table" {
			continue
		}
		at := join(path, inner.Name)
		switch {
		case inner.IsRest():
			at = join(path, "NAME")
		case inner.Named:
			at += ".NAME"
		}
		w.table(inner, at, planned || inner.Planned)
	}
}

func (w *referenceWriter) rows(keys []Key, planned bool) {
	begun := false
	for _, k := range keys {
		if k.Type == "table" || k.Secret && strings.HasSuffix(k.Name, "_file") {
			continue
		}
		if !begun {
			begun = true
			w.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
		}
		w.row(k, planned)
	}
	if begun {
		w.WriteByte('\n')
	}
}

func (w *referenceWriter) row(k Key, planned bool) {
	name, kind := "`"+k.Name+"`", k.Type
	switch {
	case k.Secret:
		name += ", `" + strings.TrimSuffix(k.Name, "_env") + "_file`"
		kind = "name of a variable, path of a file"
	case k.Named && kind == "any":
		kind = "any keys"
	case k.Named:
		kind = "names and " + plural(kind)
	case k.List:
		kind = "one or a list of " + plural(kind)
	}
	if len(k.Enum) > 0 {
		kind += ": `" + strings.Join(k.Enum, "` `") + "`"
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
	fmt.Fprintf(w, "| %s | %s | %s | %s |\n", name, kind, value, strings.ReplaceAll(doc, "|", "\\|"))
}

func plural(kind string) string {
	if kind == "any" {
		return "values"
	}
	return kind + "s"
}
