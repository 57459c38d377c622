package schema

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fraiseql/fraiseql/runtime/graphql/catalog"
)

// addReferences gives o the keys that a person says it has, and notes what is said of those that it has already.
func (b *builder) addReferences(o *Object, references []Reference) {
	var keys []*catalog.ForeignKey
	said := map[*catalog.ForeignKey]Reference{}
	for _, r := range references {
		key := b.referenced(o.Table, r)
		if key == nil {
			b.badReference(o.Table, "reference to "+r.Table, r.Columns)
			continue
		}
		for _, name := range []*string{&r.Name, &r.Reverse, &r.Across} {
			if *name != "" && !ValidName(*name) {
				b.warn("schema/bad-name", qualified(o.Table), "the name `"+*name+"` that was chosen for a relation to "+r.Table+" is no GraphQL name, and does not count",
					"use letters, digits and underscores, beginning with a letter")
				*name = ""
			}
		}
		if at := slices.IndexFunc(keys, func(k *catalog.ForeignKey) bool { return sameKey(k, key) }); at >= 0 {
			said[keys[at]] = mergeReference(said[keys[at]], r)
			continue
		}
		keys = append(keys, key)
		said[key] = r
	}
	for _, key := range keys {
		b.refer(o, said[key], key)
	}
}

// referenced gives the key that a person speaks of; nil when there is no such table or column, or it does not fit.
func (b *builder) referenced(t *catalog.Table, r Reference) *catalog.ForeignKey {
	target := b.catalog.Find(t.Schema, r.Table)
	local := pick(t, r.Columns)
	var remote []*catalog.Column
	if target != nil && len(r.To) > 0 {
		remote = pick(target, r.To)
	} else if target != nil && target.PrimaryKey() != nil {
		remote = target.PrimaryKey().Columns
	}
	if local == nil || !slices.EqualFunc(local, remote, joinable) {
		return nil
	}
	return &catalog.ForeignKey{Name: "reference", Columns: local, Target: target, References: remote}
}

// mergeReference joins what is said twice of a key; the later one wins, but for omit.
func mergeReference(r, over Reference) Reference {
	r.Name, r.Reverse, r.Across = cmp.Or(over.Name, r.Name), cmp.Or(over.Reverse, r.Reverse), cmp.Or(over.Across, r.Across)
	r.Omit = r.Omit || over.Omit
	return r
}

// sameKey tells whether keys lead to the same rows.
func sameKey(a, b *catalog.ForeignKey) bool {
	if a.Target != b.Target || len(a.Columns) != len(b.Columns) {
		return false
	}
	for i, column := range a.Columns {
		at := slices.Index(b.Columns, column)
		if at < 0 || b.References[at] != a.References[i] {
			return false
		}
	}
	return true
}

// distinct leaves out keys that say what another one says already.
func distinct(keys []*catalog.ForeignKey) []*catalog.ForeignKey {
	var list []*catalog.ForeignKey
	for _, key := range keys {
		at := slices.IndexFunc(list, func(k *catalog.ForeignKey) bool { return sameKey(k, key) })
		switch {
		case at < 0:
			list = append(list, key)
		case key.Validated:
			list[at] = key
		}
	}
	return list
}

// refer adds a key that a person says o has; what is said of one that it has already holds for that.
func (b *builder) refer(o *Object, r Reference, said *catalog.ForeignKey) {
	at := slices.IndexFunc(o.foreignKeys, func(k *catalog.ForeignKey) bool { return sameKey(k, said) })
	switch {
	case at >= 0 && r.Omit:
		o.foreignKeys = slices.Delete(slices.Clone(o.foreignKeys), at, at+1)
	case at >= 0:
		b.references[o.foreignKeys[at]] = r
	case r.Omit:
		b.warn("schema/bad-reference", qualified(o.Table), "there is no reference to "+r.Table+" by ("+strings.Join(r.Columns, ", ")+") that could be omitted",
			"write the columns of a foreign key, and with `to` those that it leads to")
	default:
		o.foreignKeys = append(slices.Clip(o.foreignKeys), said)
		b.references[said] = r
	}
}

// joinable tells whether columns can be compared with =: those of one type that has it, and of types that PostgreSQL
// compares with each other.
func joinable(a, b *catalog.Column) bool {
	left, right := a.Type.Resolve(), b.Type.Resolve()
	if left == right {
		return left.Equal()
	}
	return slices.ContainsFunc(compared, func(names []string) bool {
		return slices.Contains(names, left.Name) && slices.Contains(names, right.Name)
	})
}

var compared = [][]string{
	{"int2", "int4", "int8", "numeric", "float4", "float8"},
	{"int2", "int4", "int8", "oid"},
	{"text", "varchar", "bpchar", "name", "citext"},
	{"date", "timestamp", "timestamptz"},
	{"inet", "cidr"},
}
