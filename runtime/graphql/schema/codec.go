package schema

import "github.com/fraiseql/fraiseql/runtime/graphql/catalog"

// Encoding tells how PostgreSQL's text form of a value becomes JSON.
type Encoding uint8

// The encodings.
const (
	Quoted    Encoding = iota // a JSON string
	Raw                       // JSON already: a number, or a json value
	Boolean                   // t or f
	Float                     // a number, but NaN and the infinities are strings
	Timestamp                 // a string; the blank between date and time becomes T, a short offset gets its minutes
	Estimated                 // no value of the row: the planner's estimate of how many rows there are
)

// class is what can be done with values of a type.
type class uint8

const (
	presence class = iota // nothing but to tell whether there is one
	equality              // to compare, sort and group them
	ordered               // and to ask for greater and smaller ones
	textual               // and to match patterns
)

// Codec tells how values of one PostgreSQL type cross the border to GraphQL and back.
type Codec struct {
	GraphQL    string        // the named type
	Type       *catalog.Type // in the database, domains included
	Encoding   Encoding      // of the text form
	Elem       *Codec        // of a list: how each element crosses
	Dimensions int           // of a list: how deep its elements lie
	Object     *Object       // of a composite: its fields
	JSON       bool          // an object, or a list of objects, in JSON

	out       string // SQL around the value where its own text form will not do; %s is the value
	in        string // SQL around a parameter; empty: a cast to the type
	several   string // SQL around a list of parameters, where that takes any dimensions; empty: in for each
	compared  string // SQL around the value in conditions, where the type's own operators will not do
	numbers   Numbers
	text      bool // JSON made by PostgreSQL would be a number: cast to text first
	class     class
	operators []*Operator // of filters; nil: those of the class
	filter    string      // the name of the filter, without that ending; empty: GraphQL
	bound     *Codec      // of a range: how its bounds cross
}

// Operators gives the conditions that filters offer, in the order in which they are shown.
func (c *Codec) Operators() []*Operator {
	switch {
	case c.operators != nil:
		return c.operators
	case c.class == textual:
		return textOperators
	case c.class == ordered:
		return orderOperators
	case c.class == equality:
		return equalityOperators
	}
	return presenceOperators
}

// scalarCodecs maps built-in types. What is not here is shown as its text (String).
var scalarCodecs = map[string]Codec{
	"bool":        {GraphQL: "Boolean", Encoding: Boolean, class: equality},
	"int2":        {GraphQL: "Int", Encoding: Raw, class: ordered},
	"int4":        {GraphQL: "Int", Encoding: Raw, class: ordered},
	"int8":        {GraphQL: "BigInt", text: true, class: ordered},
	"oid":         {GraphQL: "BigInt", text: true, class: ordered},
	"xid8":        {GraphQL: "BigInt", text: true, class: ordered},
	"numeric":     {GraphQL: "Decimal", text: true, class: ordered},
	"money":       {GraphQL: "Decimal", out: "%s::numeric::text", in: "%s::numeric::money", several: "%s::numeric[]::money[]", class: ordered},
	"float4":      {GraphQL: "Float", Encoding: Float, class: ordered},
	"float8":      {GraphQL: "Float", Encoding: Float, class: ordered},
	"text":        {GraphQL: "String", class: textual},
	"varchar":     {GraphQL: "String", class: textual},
	"bpchar":      {GraphQL: "String", class: textual},
	"name":        {GraphQL: "String", class: textual},
	"uuid":        {GraphQL: "UUID", class: ordered},
	"date":        {GraphQL: "Date", class: ordered},
	"time":        {GraphQL: "Time", class: ordered},
	"timetz":      {GraphQL: "OffsetTime", class: ordered},
	"timestamp":   {GraphQL: "LocalDateTime", Encoding: Timestamp, class: ordered},
	"timestamptz": {GraphQL: "DateTime", Encoding: Timestamp, class: ordered},
	"interval":    {GraphQL: "Interval", class: ordered},
	"json":        {GraphQL: "JSON", Encoding: Raw, in: "%s::jsonb", compared: "%s::jsonb", operators: plainJSONOperators, filter: "PlainJSON"},
	"jsonb":       {GraphQL: "JSON", Encoding: Raw, operators: jsonOperators},
	"tsvector":    {GraphQL: "TsVector", text: true, operators: documentOperators},
	"bytea":       {GraphQL: "Bytes", out: `translate(encode(%s, 'base64'), E'\n', '')`, in: "decode(%s, 'base64')", class: equality},
	"inet":        {GraphQL: "Inet", class: ordered, operators: networkOperators},
	"cidr":        {GraphQL: "Cidr", class: ordered, operators: networkOperators},
	"macaddr":     {GraphQL: "MacAddr", class: ordered},
	"macaddr8":    {GraphQL: "MacAddr", class: ordered},
}

// extensionCodecs maps types of extensions, in whichever schema they are.
var extensionCodecs = map[string]Codec{
	"citext": {GraphQL: "String", class: textual},
	"ltree":  {GraphQL: "Ltree", text: true, class: ordered, operators: treeOperators},
	"vector": {GraphQL: "Vector", text: true, operators: vectorOperators},
}

// scalarDocs describes our own scalars and says where their form is specified.
var scalarDocs = map[string]struct{ doc, url string }{
	"BigInt":        {"A whole number of any size that PostgreSQL's bigint holds, written as a string so that no client rounds it.", "https://scalars.graphql.org/chillicream/long.html"},
	"Decimal":       {"An exact decimal number, written as a string so that no client rounds it.", "https://scalars.graphql.org/chillicream/decimal.html"},
	"UUID":          {"A universally unique identifier (RFC 9562).", "https://www.rfc-editor.org/rfc/rfc9562"},
	"Date":          {"A calendar date, YYYY-MM-DD (RFC 3339 full-date), or infinity.", "https://www.rfc-editor.org/rfc/rfc3339"},
	"Time":          {"A time of day without an offset, HH:MM:SS with up to six decimals.", "https://www.iso.org/iso-8601-date-and-time-format.html"},
	"OffsetTime":    {"A time of day with its offset from UTC.", "https://www.iso.org/iso-8601-date-and-time-format.html"},
	"LocalDateTime": {"A date and time without an offset, YYYY-MM-DDTHH:MM:SS with up to six decimals, or infinity.", "https://scalars.graphql.org/chillicream/local-date-time.html"},
	"DateTime":      {"A moment, with its offset from UTC (RFC 3339), or infinity.", "https://www.rfc-editor.org/rfc/rfc3339"},
	"Interval":      {"A length of time as an ISO 8601 duration, such as P1DT2H.", "https://www.iso.org/iso-8601-date-and-time-format.html"},
	"JSON":          {"Any JSON value.", "https://www.rfc-editor.org/rfc/rfc8259"},
	"Bytes":         {"Binary data in base64 (RFC 4648, section 4).", "https://www.rfc-editor.org/rfc/rfc4648"},
	"Inet":          {"An IPv4 or IPv6 address, with its prefix length where it is not a single host.", ""},
	"Cidr":          {"An IPv4 or IPv6 network.", ""},
	"MacAddr":       {"A hardware address.", ""},
	"TsVector":      {"A document's words and their places, in PostgreSQL's notation.", "https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSVECTOR"},
	"Ltree":         {"A path of labels, such as Top.Countries.Europe.", "https://www.postgresql.org/docs/current/ltree.html"},
	"Vector":        {"A vector of numbers, such as [1,2.5,3].", "https://github.com/pgvector/pgvector"},
}

// Innermost gives how what is in lists crosses, or the codec itself where values are no lists.
func (c *Codec) Innermost() *Codec {
	for c.Elem != nil {
		c = c.Elem
	}
	return c
}

// IsList tells whether values are lists.
func (c *Codec) IsList() bool { return c.Elem != nil }

// IsVector tells whether values are PostgreSQL's own lists of numbers, int2vector and oidvector, whose text has no braces.
func (c *Codec) IsVector() bool { return c.Elem != nil && c.compared != "" }
