// Package templates makes texts of data: bodies, subjects, headers, addresses. The language is Handlebars, and what is built
// of it does as handlebars.js 4.7.10 does, byte by byte, which testdata/handlebars.jsonl holds it to:
//
//	{{name}} {{a.b}} {{a/b}} {{a.[0]}} {{[odd key]}}     values, escaped for what the text is ([Escape])
//	{{{name}}} {{& name}}                                values as they are
//	{{! … }} {{!-- … --}}                                comments
//	{{#if a}} {{else if b}} {{else}} {{/if}}             also includeZero=true, {{^}}, {{^if a}}
//	{{#unless a}} {{#with a}} {{#each a}}                each has @index @key @first @last, and else
//	this . ../a @root.a @../index                        contexts
//	{{~a~}}                                              takes the white space beside it away; so do tags of blocks and
//	                                                     comments that stand alone on their line
//	\{{a}}                                               is content
//
// All else of Handlebars is an error of the code templates/not-yet, and never another text: partials, inline partials,
// partial blocks, decorators, subexpressions, block parameters, raw blocks, sections ({{#name}}) and helpers of one's own.
// These helpers there are; values and what they are given may be paths or literals:
//
//	{{lookup list @index}}                  the member that is named by a value
//	{{json value}} {{json value indent=2}}  the value as JSON, names sorted; in a text of JSON it needs no escaping
//	{{default value "none"}}                the value, or the other one where it is not there, null or ""
//	{{upper text}} {{lower text}}
//	{{truncate text 20}}                    at most 20 characters, the last being … where it was cut, or {{truncate text 20 "..."}}
//	{{date time "D MMMM YYYY, HH:mm" zone="Europe/Paris"}}
//	                                        a date or a timestamp, told for the zone or for [Options.Zone]; what has no
//	                                        offset is of that zone. YYYY YY MMMM MMM MM M DD D dddd ddd HH H hh h mm m ss s
//	                                        SSS A a Z ZZ, and letters in [brackets]
//
// Where it differs from handlebars.js on purpose:
//
//   - Numbers keep their digits: 9.50 is written 9.50, and an integer of twenty digits as it is. {{{1}}}{{{2}}} is 12.
//   - The members of an object come in the order of their names.
//   - A helper that is given nothing is a member of its name: {{date}} is this.date. What a block or helper cannot mean, {{if}},
//     {{#if a b}}, {{#each a x=1}}, and a name after @ that there is not, is an error of the template.
//   - Data is JSON and nothing else: no methods, no prototypes, nothing that is inherited.
//   - What a rendering may take is limited, by [Options].
//
// A template is read once by [Parse] and rendered often:
//
//	text ── lexer ──> tokens ── parser ──> tree ── whitespace ──> tree ── Render(data) ──> text ── finished ──> text
//	                            (helpers, counts,  (~, lines that                            (JSON is JSON, an address
//	                             what is not built)  are a tag's)                             stays in its place)
package templates
