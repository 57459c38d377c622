package schema

import "github.com/vektah/gqlparser/v2/ast"

// The types of distances between vectors.
const (
	metricType      = "VectorMetric"
	nearTypeName    = "VectorNear"
	vectorOrderType = "VectorOrderBy"
)

// metrics are the distances between vectors and the operators of pgvector that they are.
var metrics = []struct{ name, sign string }{{"L2", "<->"}, {"COSINE", "<=>"}, {"INNER_PRODUCT", "<#>"}, {"L1", "<+>"}}

// Distance is the codec of distances between vectors.
var Distance = func() *Codec {
	c := scalarCodecs["float8"]
	c.Type = builtin("float8", "float8")
	return &c
}()

// DistanceSQL writes how far a vector is from a parameter by a metric.
func (c *Codec) DistanceSQL(value, parameter, metric string) string {
	for _, m := range metrics {
		if m.name == metric {
			return "(" + value + c.Type.Operator(m.sign) + c.ParameterSQL(parameter) + ")"
		}
	}
	panic("the metric " + metric + " is no value of " + metricType)
}

// Orders names the type of what orders rows by a value: a direction, or for vectors a distance. It is empty for
// values that have no order.
func (c *Codec) Orders() string {
	switch {
	case c.Elem == nil && c.GraphQL == "Vector":
		return vectorOrderType
	case c.sortable():
		return "OrderDirection"
	}
	return ""
}

// distanceFields are what a distance is taken by.
func (b *builder) distanceFields() ast.FieldList {
	metric := field("metric", "The distance: Euclidean, cosine, negative inner product, or taxicab.", named(metricType))
	metric.DefaultValue = &ast.Value{Kind: ast.EnumValue, Raw: metrics[0].name, Position: position}
	return ast.FieldList{field("to", "The vector that distances are from.", nonNull(named("Vector"))), metric}
}

func (b *builder) nearType() string {
	if !b.defined(nearTypeName) {
		var labels []string
		for _, m := range metrics {
			labels = append(labels, m.name)
		}
		b.defineChoice(enumDefinition(metricType, "A distance between vectors, as pgvector has it.", labels))
		b.define(inputDefinition(nearTypeName, "Not far from a vector.",
			append(b.distanceFields(), field("within", "The greatest distance.", nonNull(named("Float"))))...))
		b.define(inputDefinition(vectorOrderType, "The distance from a vector: the nearest rows first, those without one last.", b.distanceFields()...))
	}
	return nearTypeName
}
