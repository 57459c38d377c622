package plan

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// storedText writes values as PostgreSQL reads them from a text, those within lists and composites as well.
func storedText(codec *schema.Codec) writer {
	return func(v any) ([]byte, *inputError) {
		text, err := stored(codec, v)
		return []byte(text), err
	}
}

func stored(codec *schema.Codec, v any) (string, *inputError) {
	switch {
	case codec.IsVector():
		numbers := make([]string, len(v.([]any)))
		for i, item := range v.([]any) {
			numbers[i] = textOf(item)
		}
		return strings.Join(numbers, " "), nil
	case codec.Elem != nil:
		return storedList(codec, v.([]any), codec.Dimensions)
	case codec.Object != nil:
		return storedComposite(codec.Object, v.(map[string]any))
	case codec.GraphQL == "Bytes":
		b, err := base64.StdEncoding.DecodeString(textOf(v))
		if err != nil {
			return "", wrong("%s is not a value of Bytes: it is no base64", show(v))
		}
		return `\x` + hex.EncodeToString(b), nil
	}
	return textOf(v), nil
}

func storedList(codec *schema.Codec, items []any, levels int) (string, *inputError) {
	parts := make([]string, len(items))
	for i, item := range items {
		inner, isList := item.([]any)
		switch {
		case item == nil:
			parts[i] = "NULL"
		case isList && levels > 1:
			text, err := storedList(codec, inner, levels-1)
			if err != nil {
				return "", err
			}
			parts[i] = text
		default:
			text, err := stored(codec.Elem, item)
			if err != nil {
				return "", err
			}
			parts[i] = `"` + arrayEscapes.Replace(text) + `"`
		}
	}
	return "{" + strings.Join(parts, codec.Elem.Type.Between()) + "}", nil
}

// storedComposite writes a row in PostgreSQL's notation; what is left out is null.
func storedComposite(o *schema.Object, given map[string]any) (string, *inputError) {
	parts := make([]string, 0, len(given))
	for _, f := range o.Attributes() {
		v := given[f.Name]
		if v == nil {
			parts = append(parts, "")
			continue
		}
		text, err := stored(f.Codec, v)
		if err != nil {
			return "", err.under("." + f.Name)
		}
		parts = append(parts, `"`+compositeEscapes.Replace(text)+`"`)
	}
	return "(" + strings.Join(parts, ",") + ")", nil
}

var compositeEscapes = strings.NewReplacer(`\`, `\\`, `"`, `""`)

// storedEach writes the values of a column in several rows as an array of texts.
func storedEach(codec *schema.Codec) writer {
	return func(v any) ([]byte, *inputError) {
		list := v.([]any)
		texts := make([]any, len(list))
		for i, item := range list {
			text, err := stored(codec, item)
			if err != nil {
				return nil, err
			}
			texts[i] = text
		}
		return arrayText(texts)
	}
}
