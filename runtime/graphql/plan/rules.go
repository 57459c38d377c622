package plan

import (
	"fmt"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// The rules of section 5 of the specification; suggestions would tell names to those who may not ask for
// the schema.
var (
	suggesting = byMerging(rules.NewDefaultRules)
	silent     = byMerging(withoutSuggestions)
)

// byMerging gives rules for each way to judge whether fields can be merged.
func byMerging(all func() *rules.Rules) (by [unmerged + 1]*rules.Rules) {
	for way := range by {
		r := all()
		switch merging(way) {
		case pairwise:
		case grouped:
			r.ReplaceRule(rules.OverlappingFieldsCanBeMergedRule.Name, mergeable)
		case unmerged:
			r.RemoveRule(rules.OverlappingFieldsCanBeMergedRule.Name)
		}
		by[way] = bounded(r)
	}
	return by
}

// maxProblems is how often a rule says what is wrong: a document can be so in as many ways as it has pairs of fields. Of
// variables that nobody declares there may be even more.
const maxProblems = 50

// A rule is listened to for so long: what it says a second time costs as much as the first time, and a circle of fragments
// is told with all of their names.
const (
	maxTold     = 10 * maxProblems // times
	maxTalk     = 64 << 10         // bytes
	longProblem = 1000             // bytes of one message
)

// What may have been meant is looked for among all names of the schema, for each problem anew. For a person's mistakes
// that is nothing; a document that is made of mistakes would keep a processor for seconds.
const (
	fewProblems   = 10
	briefProblems = 600 // bytes of their messages, which have the names in them
)

// validate gives what is wrong with a document; with suggest also what may have been meant.
func validate(s *ast.Schema, doc *ast.QueryDocument, way merging, suggest bool) gqlerror.List {
	list := validator.ValidateWithRules(s, doc, silent[way])
	if !suggest || len(list) == 0 || len(list) > fewProblems {
		return list
	}
	talk := 0
	for _, e := range list {
		talk += len(e.Message)
	}
	if talk > briefProblems {
		return list
	}
	return validator.ValidateWithRules(s, doc, suggesting[way])
}

// bounded has each rule say what it has to say a bounded number of times, and each thing once: fragments are walked again
// wherever they are spread.
func bounded(r *rules.Rules) *rules.Rules {
	r.ReplaceRule(rules.UniqueOperationNamesRule.Name, uniqueNames)
	r.ReplaceRule(rules.NoUnusedFragmentsRule.Name, usedFragments)
	r.AddRule("LeafValues", leafValues)
	for name, rule := range r.GetInner() {
		r.ReplaceRule(name, func(observers *core.Events, add core.AddErrFunc) {
			said, told, talk := map[string]bool{}, 0, 0
			rule(observers, func(options ...core.ErrorOption) {
				if told++; told > maxTold || talk > maxTalk || len(said) == maxProblems {
					return
				}
				var problem gqlerror.Error
				for _, option := range options {
					option(&problem)
				}
				talk += len(problem.Message)
				problem.Message = Shorten(problem.Message, longProblem)
				key := fmt.Sprint(problem.Message, problem.Locations)
				if !said[key] {
					said[key] = true
					add(func(e *gqlerror.Error) { e.Message, e.Locations = problem.Message, problem.Locations })
				}
			})
		})
	}
	return r
}

func withoutSuggestions() *rules.Rules {
	r := rules.NewDefaultRules()
	for name, rule := range map[string]core.Rule{
		rules.FieldsOnCorrectTypeRule.Name: rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
		rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.ScalarLeafsRule.Name:         rules.ScalarLeafsRuleWithoutSuggestions,
		rules.ValuesOfCorrectTypeRule.Name: rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		r.ReplaceRule(name, rule.RuleFunc)
	}
	return r
}

// uniqueNames is section 5.2.2.1, which is of names: of several operations without one, the rule about those tells.
func uniqueNames(observers *core.Events, add core.AddErrFunc) {
	seen := map[string]bool{"": false}
	observers.OnOperation(func(_ *core.Walker, op *ast.OperationDefinition) {
		if seen[op.Name] {
			add(core.Message("There can be only one operation named %q.", op.Name), core.At(op.Position))
		}
		seen[op.Name] = op.Name != ""
	})
}

// usedFragments is section 5.5.1.4, of what operations reach: a fragment that is spread by unused ones alone is unused.
func usedFragments(observers *core.Events, add core.AddErrFunc) {
	used := map[string]bool{}
	observers.OnFragmentSpread(func(w *core.Walker, spread *ast.FragmentSpread) {
		if w.CurrentOperation != nil {
			used[spread.Name] = true
		}
	})
	observers.OnFragment(func(_ *core.Walker, fragment *ast.FragmentDefinition) { // after all operations
		if !used[fragment.Name] {
			add(core.Message("Fragment %q is never used.", fragment.Name), core.At(fragment.Position))
		}
	})
}

// objectAs is what an object is said to be no value of.
var objectAs = map[string]string{
	"Int": "Int cannot represent non-integer value: %s", "Float": "Float cannot represent non numeric value: %s",
	"String": "String cannot represent a non string value: %s", "Boolean": "Boolean cannot represent a non boolean value: %s",
	"ID": "ID cannot represent a non-string and non-integer value: %s",
}

// leafValues is what the library's rule leaves out of section 5.6.1: an object is no value of a scalar of the specification
// nor of an enum, and an Int has 32 bits. In the condition of a @skip nothing else would look at it.
func leafValues(observers *core.Events, add core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, v *ast.Value) {
		switch of := v.Definition; {
		case of == nil || v.ExpectedType == nil:
		case v.Kind == ast.ObjectValue && of.Kind == ast.Enum:
			add(core.Message("Enum %q cannot represent non-enum value: %s.", of.Name, v), core.At(v.Position))
		case v.Kind == ast.ObjectValue && objectAs[of.Name] != "":
			add(core.Message(objectAs[of.Name], v), core.At(v.Position))
		case v.Kind == ast.IntValue && of.Name == "Int":
			_, tooLarge := strconv.ParseInt(v.Raw, 10, 32)
			if _, toldAlready := strconv.ParseInt(v.Raw, 10, 64); tooLarge != nil && toldAlready == nil {
				add(core.Message("Int cannot represent non 32-bit signed integer value: %s", v), core.At(v.Position))
			}
		}
	})
}
