package schema

// TypeName gives the type that a table is shown as when nobody chooses another name: "Album" for "albums".
// It is a table's name in [graphql.entities], beside "schema.table".
func TypeName(table string) string { return typeName(table) }

// FieldName gives the field that a column is shown as when nobody chooses another name.
func FieldName(column string) string { return fieldName(column) }
