package diag

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest gives the candidate that a misspelt name most likely means; empty when none is near.
func Nearest(name string, candidates []string) string {
	best, distance := "", max(2, len(name)/3)+1
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(c)); d < min(distance, max(len(name), 1)) {
			best, distance = c, d
		}
	}
	return best
}

// DidYouMean asks for a name that is near, and otherwise helps in another way.
func DidYouMean(name string, candidates []string, otherwise string) string {
	if near := Nearest(name, candidates); near != "" {
		return "did you mean \"" + near + "\"?"
	}
	return otherwise
}
