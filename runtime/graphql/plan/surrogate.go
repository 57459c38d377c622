package plan

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
)

// escape finds the escapes of a quoted string, one by one; the first group has the digits of one of four.
var escape = regexp.MustCompile(`\\(?:u([0-9a-fA-F]{4})|.)`)

// loneSurrogate refuses a string with half of a surrogate pair (section 2.9.4 of the specification): it is no character,
// and the parser reads it as another one. Hardly any document has what is looked for.
func loneSurrogate(source *ast.Source, limits Limits) gqlerror.List {
	if !strings.Contains(source.Input, `\ud`) && !strings.Contains(source.Input, `\uD`) {
		return nil
	}
	text := []rune(source.Input)
	for l := lexer.New(source); ; {
		token, err := l.ReadToken()
		switch {
		case err != nil:
			return parseProblem(err, limits)
		case token.Kind == lexer.EOF:
			return nil
		case token.Kind != lexer.String:
			continue
		}
		if found := unpaired(string(text[token.Pos.Start:token.Pos.End])); found != "" {
			at := token.Pos
			return gqlerror.List{Problem(ParseFailed, "the string has "+found+", half of a surrogate pair, which is no character", &at)}
		}
	}
}

// unpaired gives the first escape of a surrogate without the other half.
func unpaired(quoted string) string {
	var high string // the one before, which waits for its other half
	end := 0
	for _, at := range escape.FindAllStringSubmatchIndex(quoted, -1) {
		if high != "" && at[0] != end {
			return high
		}
		unit := uint64(0)
		if at[2] >= 0 {
			unit, _ = strconv.ParseUint(quoted[at[2]:at[3]], 16, 16) // four digits
		}
		low := unit >= 0xDC00 && unit < 0xE000
		switch {
		case high != "" && !low:
			return high
		case high == "" && low:
			return quoted[at[0]:at[1]]
		case unit >= 0xD800 && unit < 0xDC00:
			high = quoted[at[0]:at[1]]
		default:
			high = ""
		}
		end = at[1]
	}
	return high
}
