package templates

// The tree has the shape of that of handlebars.js, because white space is taken away by its neighbourhoods.

// program is what stands between tags of a block, or the template as a whole.
type program struct {
	body    []node
	chained bool // it is the block of an {{else if}}
}

// node is a part of a program.
type node interface{ place() span }

// text is content. Original is what stood there, and value what is left of it.
type text struct {
	at                        span
	original, value           string
	strippedLeft, strippedEnd bool // white space has been taken from its beginning, from its end
}

// strip tells on which sides of a tag there is a ~.
type strip struct{ open, close bool }

type remark struct {
	at    span
	strip strip
}

// mustache writes a value.
type mustache struct {
	at    span
	strip strip
	raw   bool
	call  call
}

// block is #if, #unless, #each or #with.
type block struct {
	at                      span
	name                    string
	call                    call
	program, inverse        *program
	openStrip, inverseStrip strip
	closeStrip              strip
}

// call is a path, or a helper with what it is given.
type call struct {
	at     span
	path   *path
	helper *helper // nil where only the path is meant
	params []expression
	hash   []pair
}

type pair struct {
	at    span
	key   string
	value expression
}

// expression is a path or a literal.
type expression struct {
	at      span
	path    *path
	literal any  // text, number, boolean, or nil
	absent  bool // the literal undefined
}

// path leads to a value: up depth contexts, and from there by the parts.
type path struct {
	at       span
	original string // as errors tell it
	data     bool   // it begins with @
	depth    int
	parts    []string
	scoped   bool // it begins with this, . or ..
}

func (t *text) place() span     { return t.at }
func (r *remark) place() span   { return r.at }
func (m *mustache) place() span { return m.at }
func (b *block) place() span    { return b.at }
