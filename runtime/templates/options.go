package templates

import "time"

// Escape says what the text that a template makes is put into, and so what `{{x}}` has to do with a value. `{{{x}}}` and
// `{{& x}}` do nothing with it; what the whole text must not have is refused all the same.
type Escape uint8

const (
	// HTML is for bodies of mails and pages: & < > " ' ` = become entities, as in handlebars.js.
	HTML Escape = iota
	// None is for plain text.
	None
	// URL is for addresses: a value becomes one segment of a path, or one part of a query, whatever is in it. The address
	// has no control characters and no white space, and no segment of its path is . or .. .
	URL
	// JSON is for documents of JSON: a value is escaped for between the quotes of a string. {{json x}} is put in as it is.
	// What is made is checked to be JSON.
	JSON
	// Header is for subjects and headers: a control character, and so a line break, is an error.
	Header
	// Address is for addresses of mail with names: a value that is an address, or a list of them, is put in as it is, and of all
	// others nothing is read as part of the address: they are quoted where they have to be. The rest is as in a Header.
	Address
)

// Missing says what becomes of a value that is not there. One that is null is there, and nothing is written for it.
type Missing uint8

const (
	// Empty writes nothing, as handlebars.js does.
	Empty Missing = iota
	// Refuse makes it an error that names the path: for what nobody reads before it is sent. Deciding by what is not there
	// (#if, #unless, #each, #with, default) stays allowed. An object where a text is meant is an error too.
	Refuse
)

// Options say what a template is for. The zero value is handlebars.js with limits.
type Options struct {
	Escape  Escape
	Missing Missing
	// Zone is where dates are told for; nil is UTC.
	Zone *time.Location
	// Output is how many bytes a text may have; 0 is 1 MiB.
	Output int
	// Steps is how many parts may be written and values visited; 0 is 100,000.
	Steps int
	// Nesting is how deep blocks may be within each other; 0 is 50.
	Nesting int
}

func (o Options) withDefaults() Options {
	if o.Output <= 0 {
		o.Output = 1 << 20
	}
	if o.Steps <= 0 {
		o.Steps = 100_000
	}
	if o.Nesting <= 0 {
		o.Nesting = 50
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	return o
}

// maxSource is how long a template's text may be.
const maxSource = 1 << 20
