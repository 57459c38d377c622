package plan

import (
	"encoding/base64"
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
	"github.com/fraiseql/fraiseql/runtime/graphql/schema"
)

// A cursor is where a row stands in an order: base64url of a JSON list, first the mark of the order, then
// the row's keys as PostgreSQL's texts. It is not secret and not signed. What comes back is checked against
// the order of the request and then taken as parameters, each cast to its key's type: no part of it is
// ever part of a statement.

// opaque writes a list of texts as PostgreSQL makes a cursor or id of it. An array has no limit of
// arguments, as the JSON functions have.
func opaque(mark string, texts []string) string {
	list := "to_json(array['" + mark + "', " + strings.Join(texts, ", ") + "])"
	return "translate(encode(convert_to(" + list + "::text, 'UTF8'), 'base64'), E'+/=\\n', '-_')"
}

// reveal reads what opaque makes; nil is null. ok is false for anything else.
func reveal(text string) (mark string, values []*string, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", nil, false
	}
	var list []*string
	if json.Unmarshal(b, &list) != nil || len(list) < 2 || list[0] == nil {
		return "", nil, false
	}
	return *list[0], list[1:], true
}

// orderMark tells orders apart, so that a cursor of another one is refused and not misread.
func orderMark(o *schema.Object, keys []orderKey) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(o.Name)) // a hash takes everything
	for _, k := range keys {
		_, _ = h.Write([]byte("\x00" + k.name + k.direction()))
	}
	return strconv.FormatUint(uint64(h.Sum32()), 36)
}

// cursorSQL writes the cursor of a row whose keys are the columns named key1, key2, ….
func cursorSQL(mark, key string, keys []orderKey) string {
	texts := make([]string, len(keys))
	for i := range keys {
		texts[i] = key + strconv.Itoa(i+1) + "::text"
	}
	return opaque(mark, texts)
}

// freeName gives a name that no column of a table begins with.
func freeName(t *catalog.Table, name string) string {
	for slices.ContainsFunc(t.Columns, func(c *catalog.Column) bool { return strings.HasPrefix(c.Name, name) }) {
		name += "_"
	}
	return name
}

// position gives the values of a cursor as parameters, one for each key.
func (c *compiler) position(argument, mark string, keys []orderKey, cursor any) ([]string, *inputError) {
	c.what = "argument " + argument
	places := make([]string, len(keys))
	for i, k := range keys {
		parameter, err := c.param(cursor, func(v any) ([]byte, *inputError) {
			got, values, ok := reveal(textOf(v))
			if ok && got != mark {
				return nil, wrong("the cursor is of another order or another field: use cursors with the orderBy that they came from")
			}
			if !ok || len(values) != len(keys) {
				return nil, wrong("it is no cursor that this field has given")
			}
			if values[i] == nil {
				if k.notNull {
					return nil, wrong("it is no cursor that this field has given")
				}
				return nil, nil
			}
			if strings.IndexByte(*values[i], 0) >= 0 {
				return nil, wrong("it is no cursor that this field has given")
			}
			return []byte(*values[i]), nil
		})
		if err != nil {
			return nil, err
		}
		places[i] = parameter + "::" + k.codec.Type.Resolve().SQL
	}
	return places, nil
}

// beyond writes the condition that a row comes after a position in an order, or with backward before it.
// Where an index can serve the order, the condition has a form that the index can serve, too.
func beyond(keys []orderKey, places []string, backward bool) string {
	if sql := beyondRow(keys, places, backward); sql != "" {
		return sql
	}
	sql := ""
	for i := len(keys) - 1; i >= 0; i-- {
		k, place := keys[i], places[i]
		k.sql = k.codec.Type.Compared(k.sql)
		further := k.sql + k.codec.Type.Operator(sign(k, backward)) + place
		same := k.sql + k.codec.Type.Operator("=") + place
		if !k.notNull {
			same = "(" + same + " or (" + k.sql + " is null and " + place + " is null))"
			if k.nullsFirst != backward { // nulls are passed before all values
				further = "(" + further + " or (" + k.sql + " is not null and " + place + " is null))"
			} else {
				further = "(" + further + " or (" + k.sql + " is null and " + place + " is not null))"
			}
		}
		if sql == "" {
			sql = further
		} else {
			sql = "(" + further + " or (" + same + " and " + sql + "))"
		}
	}
	if first := keys[0]; first.notNull && len(keys) > 1 {
		sql = "(" + first.codec.Type.Compared(first.sql) + first.codec.Type.Operator(sign(first, backward)+"=") + places[0] + " and " + sql + ")"
	}
	return sql
}

// beyondRow writes the condition as one comparison of rows, where all keys go one way and none can be null.
func beyondRow(keys []orderKey, places []string, backward bool) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		if !k.notNull || k.desc != keys[0].desc || k.codec.Type.Operator("=") != " = " {
			return ""
		}
		list[i] = k.codec.Type.Compared(k.sql)
	}
	return "(" + strings.Join(list, ", ") + ") " + sign(keys[0], backward) + " (" + strings.Join(places, ", ") + ")"
}

func sign(k orderKey, backward bool) string {
	if k.desc != backward {
		return "<"
	}
	return ">"
}

// reversed turns an order around.
func reversed(keys []orderKey) []orderKey {
	turned := make([]orderKey, len(keys))
	for i, k := range keys {
		k.desc, k.nullsFirst = !k.desc, !k.nullsFirst
		turned[i] = k
	}
	return turned
}

// nodeID writes the global id of a row: its type and its primary key.
func nodeID(o *schema.Object, alias string) string {
	var texts []string
	for _, k := range o.PrimaryKey() {
		texts = append(texts, keyText(o, alias, k))
	}
	return opaque(o.Name, texts)
}

func keyText(o *schema.Object, alias string, k *catalog.Column) string {
	sql := o.CodecOf(k).RowSQL(column(alias, k))
	if strings.HasSuffix(sql, "::text") {
		return sql
	}
	return "(" + sql + ")::text"
}
