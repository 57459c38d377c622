package resolve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// fits tells why a value is none of a type; nil when it is one. Scalars of the schema's own are texts, numbers or
// booleans of any kind, and JSON is anything.
func fits(types *ast.Schema, t *ast.Type, text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	return fit(types, t, value)
}

func fit(types *ast.Schema, t *ast.Type, value any) error {
	switch {
	case value == nil && t.NonNull:
		return errors.New("it is null")
	case value == nil:
		return nil
	case t.Elem != nil:
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf("it is %s", kind(value))
		}
		for i, item := range list {
			if err := fit(types, t.Elem, item); err != nil {
				return fmt.Errorf("at %d: %w", i, err)
			}
		}
		return nil
	}
	if !fitsName(types, t.NamedType, value) {
		return fmt.Errorf("it is %s", kind(value))
	}
	return nil
}

func fitsName(types *ast.Schema, name string, value any) bool {
	text, isText := value.(string)
	number, isNumber := value.(json.Number)
	_, isBool := value.(bool)
	switch name {
	case "String", "ID":
		return isText
	case "Boolean":
		return isBool
	case "Float":
		return isNumber
	case "Int":
		_, err := strconv.ParseInt(string(number), 10, 32)
		return isNumber && err == nil
	case "JSON":
		return true
	}
	if d := types.Types[name]; d != nil && d.Kind == ast.Enum {
		return isText && d.EnumValues.ForName(text) != nil
	}
	return isText || isNumber || isBool
}

// kind says what a value is without telling it: it may be a secret.
func kind(value any) string {
	switch value.(type) {
	case string:
		return "a text, or none of its labels"
	case json.Number:
		return "a number, or one out of its range"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	}
	return "an object"
}
