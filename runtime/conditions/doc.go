// Package conditions is the one language in which is said which changes of rows are meant:
//
//	when = "new.status == 'paid' && changed('status')"
//
// A condition is judged over one change. It sees old and new (the rows as JSON, null where there is none), op ('INSERT',
// 'UPDATE', 'DELETE', 'CUSTOM', 'TRUNCATE') and claims (of the token of whoever made the change, or null). It sees nothing
// else, has no loops, no clock and no side effects, and what it may cost is bounded.
//
//	== !=  < <= > >=          two values; = and <> are refused, with what to write
//	&& || !  and or not       true and false; null is false
//	in, not in                ['open', 'paid'], new.tags, claims.roles
//	contains startsWith       texts, by case; likewise with not before them
//	endsWith matches          matches takes a pattern of RE2 that stands in the condition
//	+ - * / %                 exact: 0.1 + 0.2 == 0.3, 7 / 2 == 3.5; % has the sign of what is divided
//	a ?? b                    a, or b where a is null
//	lower upper trim len      len counts the characters of a text, or the elements of a list; trim takes white space away
//	new.data.city new['k']    members of JSON; new.tags[0] elements, from 0 on
//	changed('f') changed(f)   old.f != new.f
//	changed_to('f', v)        changed('f') && new.f == v; changed_from('f', v) with old.f
//	is_new() is_deleted()     op == 'INSERT', op == 'DELETE'
//	'text' "text" `text` 1.5 true false null
//
// What is not said there is as follows.
//
//	null                there are two truth values, not three. null equals null and nothing else: new.a != 'x' is true where
//	                    a is null. An order, contains, matches or in with null is false; a calculation and lower() of null are
//	                    null; a member of null, and of what has no members, is null; ! of null is true.
//	rows that are not   on INSERT every old.f is null, on DELETE every new.f. So changed('f') of a new row means: f is not null.
//	numbers             exact, whatever their size: neither bigint nor numeric lose a digit. NaN and the infinities, texts in
//	                    JSON, are compared as PostgreSQL does; in a condition they are written 'NaN', 'Infinity', '-Infinity'.
//	texts               compared by their code points, which is no language's alphabet: 'Z' < 'a' < 'ä'.
//	times               a column of kind Time is compared as a point in time with others and with literals: a date is its
//	                    midnight, and what has no offset is of UTC. Where the kind is not known (offline, members of JSON), a
//	                    literal that is a timestamp with an offset does the same; without one, ISO texts are compared as texts.
//	                    A text that is no time is different from all times, and has no order.
//	kinds               a text is never a number. == and < between values of two kinds are an error: where the columns are
//	                    known when the condition is compiled, and otherwise when a row shows it; the answer is then false. in
//	                    and changed() take values of several kinds: those of another kind are different.
//	lists, objects      equal as jsonb has it: 1 and 1.0 are one number, the order of members is none. They have no order.
//	?? beside others    needs parentheses: (new.a ?? 0) > 5. So do not and ! before a comparison: not (new.a == 1).
//
// [Compile] reads the text and makes our own tree of it:
//
//	text ── scan ──> tokens ── expr's parser ──> its tree ── checker ──> our tree ─┬─> program of expr's machine ──> Matches
//	       (refuses what                                  (names, kinds,           └─> SQL (a filter for triggers)
//	        the language                                   places)
//	        does not have)
//
// The machine of expr runs && || ! as its own jumps; every other operator is a function of ours in the program, of a type
// that the machine calls without reflection. A judgement allocates nothing in ordinary cases, and reads from a row only the
// columns that are named.
package conditions
