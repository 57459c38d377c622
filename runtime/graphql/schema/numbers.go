package schema

// Numbers says which exact numbers are JSON numbers in answers, in place of strings.
type Numbers struct{ BigInt, Decimal bool }

// numberSQL makes numbers of what PostgreSQL's JSON functions would not take for one.
var numberSQL = map[string]string{"oid": "%s::int8", "xid8": "%s::text::numeric", "money": "%s::numeric"}

// scalar gives the codec of a built-in type.
func (n Numbers) scalar(name string) (c Codec, known bool) {
	c, known = scalarCodecs[name]
	c.numbers = n
	if n.of(c.GraphQL) {
		c.text, c.Encoding, c.out = false, Float, numberSQL[name] // NaN and the infinities are strings, as those of Float
	}
	return c, known
}

// of tells whether values of a scalar are numbers.
func (n Numbers) of(scalar string) bool {
	return scalar == "BigInt" && n.BigInt || scalar == "Decimal" && n.Decimal
}

// whole gives the codec of a sum of whole numbers: of int8 it is a numeric, which holds what int8 does not.
func (n Numbers) whole() *Codec {
	c := &Codec{GraphQL: "BigInt", Type: builtin("numeric", "numeric"), text: true, class: ordered, numbers: n}
	if n.BigInt {
		c.text, c.Encoding = false, Float
	}
	return c
}

// numberDocs describe scalars that are numbers.
var numberDocs = map[string]string{
	"BigInt":  "A whole number of any size that PostgreSQL's bigint holds, written as a number: a client that reads numbers as floating point rounds those beyond 2^53. A string is taken, too.",
	"Decimal": "An exact decimal number, written as a number with every digit: a client that reads numbers as floating point rounds it. NaN and the infinities are strings. A string is taken, too.",
}
