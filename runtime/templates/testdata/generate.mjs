// Makes handlebars.jsonl: what handlebars.js 4.7.10 makes of templates, which the tests hold our engine to. No test needs
// Node; to make the file anew, outside of the repository:
//
//   mkdir /tmp/hbs && cd /tmp/hbs && npm install handlebars@4.7.10
//   NODE_PATH=/tmp/hbs/node_modules node testdata/generate.mjs > testdata/handlebars.jsonl
//
// SEED and COUNT make another, larger set, for a file of which TEMPLATES_CASES tells the tests:
//
//   SEED=7 COUNT=50000 NODE_PATH=… node testdata/generate.mjs > /tmp/more.jsonl
//   TEMPLATES_CASES=/tmp/more.jsonl go test -run TestHandlebars .
//
// The first line is the data. Every other one is {t: template, o: output} or {t, e: 1} for an error; d is other data; n: 1 is
// without escaping; s: 1 is something that handlebars.js takes and we refuse on purpose.
import { createRequire } from 'node:module';
const Handlebars = createRequire(import.meta.url)('handlebars');
Handlebars.log = () => {};
Handlebars.logger.log = () => {};

const plain = v => (v === null || v === undefined ? '' : '' + v);
Handlebars.registerHelper('upper', v => plain(v).toUpperCase());
Handlebars.registerHelper('lower', v => plain(v).toLowerCase());
Handlebars.registerHelper('default', (v, f) => (v === null || v === undefined || v === '' ? f : v));

function emit(t, d, more = {}) {
  const line = d === data ? { t, ...more } : { t, d, ...more };
  try {
    line.o = Handlebars.compile(t, { noEscape: !!more.n })(d);
  } catch (e) {
    line.e = 1;
  }
  process.stdout.write(JSON.stringify(line) + '\n');
}

const data = {
  a: `x<&>"'\`=`, arr: [1, 2, 3], b: { c: 'deep', d: { e: 'deeper' }, list: ['p', 'q'] }, empty: '', f: false,
  items: [{ n: 1, name: 'one', tags: ['t1', 't2'] }, { n: 2, name: 'two', tags: [] }, { n: 0, name: 'zero' }],
  mixed: [null, 0, '', false, 'z', [1, [2, null]], { k: 'v' }], name: 'Ann', nil: null, none: [], num: 12345, obj: { x: 'X', y: 'Y', z: { w: 'W' } },
  'odd key': 'odd', one: 1, t: true, u: 'ä☃😀', zero: 0,
};

process.stdout.write(JSON.stringify(data) + '\n');

// What is written by hand.
const written = `
{{a}}|{{{a}}}|{{& a}}|{{&a}}|{{~a~}}
{{name}} {{b.c}} {{b/c}} {{b.d.e}} {{b.x.y}} {{nil.x}} {{missing}} {{missing.x}}
{{num}} {{zero}} {{f}} {{t}} {{nil}} {{empty}}
{{arr}} {{mixed}} {{obj}} {{none}} {{{arr}}} {{{mixed}}} {{{f}}} {{{zero}}} {{{nil}}}
{{[odd key]}} {{this.[odd key]}} {{./[odd key]}} {{"odd key"}} {{'odd key'}} {{b.[c]}} {{b.["c"]}}
{{arr.[0]}} {{arr.[9]}} {{arr.length}} {{items.[1].name}} {{items.[1].tags.[0]}} {{arr.[-1]}} {{arr.[00]}} {{arr.[1.0]}}
{{items.1.name}} {{arr.0}}
{{items.1}}
{{name.length}} {{name.[0]}} {{u.length}} {{u.[1]}} {{a.x}} {{num.x}} {{t.x}}
{{this}} {{.}} {{this.name}} {{this/name}} {{./name}} {{../name}} {{..}}
{{constructor}} {{__proto__}} {{toString}} {{a.constructor}} {{arr.map}} {{obj.hasOwnProperty}} {{this.constructor.name}}
{{b.this}}
{{b/../name}}
{{b.[this]}} {{b.[..]}}
{{!c}}x{{! c }}y{{!-- }} --}}z{{!--}}w{{!---}}v{{!----}}u{{~!-- c --~}} t
{{!-- c }} d
{{! c
{{!-- a -- b --}}|{{!-- a --~}} b
\\{{name}} x \\\\{{name}} y \\\\\\{{name}} z \\{{{name}}} \\{{name}}
\\{{name}} \\\\{{name}}
{{#if t}}yes{{else}}no{{/if}} {{#if f}}yes{{else}}no{{/if}} {{#if f}}yes{{/if}}
{{#if zero}}1{{else}}2{{/if}}{{#if zero includeZero=true}}3{{else}}4{{/if}}{{#if zero includeZero=false}}5{{else}}6{{/if}}{{#if empty includeZero=true}}7{{else}}8{{/if}}
{{#unless zero includeZero=true}}3{{else}}4{{/unless}}{{#unless zero includeZero=t}}5{{else}}6{{/unless}}
{{#if empty}}1{{else}}2{{/if}}{{#if none}}1{{else}}2{{/if}}{{#if obj}}1{{else}}2{{/if}}{{#if nil}}1{{else}}2{{/if}}{{#if missing}}1{{else}}2{{/if}}
{{#unless f}}1{{else}}2{{/unless}}{{#unless t}}1{{else}}2{{/unless}}{{#unless t}}1{{/unless}}
{{#if f}}1{{else if zero}}2{{else if t}}3{{else}}4{{/if}} {{#if f}}1{{else if zero}}2{{else}}4{{/if}} {{#if f}}1{{else if zero}}2{{/if}}
{{#if f}}1{{else each arr}}[{{this}}]{{else}}none{{/if}} {{#if f}}1{{else with b}}{{c}}{{/if}} {{#if f}}1{{else unless t}}2{{else}}3{{/if}}
{{^if t}}1{{else}}2{{/if}} {{^if f}}1{{/if}} {{#if t}}1{{^}}2{{/if}} {{^each none}}1{{^}}2{{/each}} {{^unless f}}1{{/unless}}
{{^if f}}1{{else if t}}2{{/if}}
{{#if t}}1{{else}}2{{else}}3{{/if}}
{{#if t}}1{{else}}2{{else if f}}3{{/if}}
{{#each arr}}{{this}}:{{@index}}:{{@key}}:{{@first}}:{{@last}};{{/each}}
{{#each obj}}{{@key}}={{this}}:{{@index}}:{{@first}}:{{@last}};{{/each}}
{{#each items}}{{name}}-{{../name}}-{{@root.name}}{{#each tags}} {{this}}/{{../name}}/{{../../name}}/{{@../index}}/{{@index}}{{else}} none of {{name}} {{../name}}{{/each}};{{/each}}
{{#each none}}1{{else}}2{{this.name}}{{/each}}{{#each missing}}1{{else}}3{{/each}}{{#each nil}}1{{else}}4{{/each}}{{#each name}}1{{else}}5{{/each}}{{#each zero}}1{{else}}6{{/each}}{{#each num}}x{{/each}}
{{#each mixed}}[{{this}}|{{k}}|{{../name}}]{{/each}}
{{#each mixed}}{{#if true}}[{{this}}]{{/if}}{{/each}}
{{#each mixed}}{{#if ../t}}[{{../name}}|{{../../name}}]{{/if}}{{/each}}
{{#each mixed}}{{#unless ../f}}{{#each ../arr}}{{../../name}}{{../k}}{{/each}}{{/unless}}{{/each}}
{{#each mixed}}{{#with this}}<{{this}}|{{../name}}|{{../../name}}>{{else}}({{this}}){{../name}}{{/with}}{{/each}}
{{#with b}}{{c}}{{../name}}{{#with d}}{{e}}{{../c}}{{../../name}}{{/with}}{{/with}}
{{#with nil}}1{{else}}2{{name}}{{/with}}{{#with missing}}1{{/with}}{{#with zero}}3{{this}}{{else}}4{{/with}}{{#with none}}5{{else}}6{{/with}}{{#with empty}}7{{else}}8{{/with}}{{#with name}}{{this}}{{../name}}{{/with}}
{{#with this}}{{name}}{{../name}}{{/with}}{{#with .}}{{#with b}}{{../name}}{{/with}}{{/with}}
{{#with obj}}{{#with ../obj}}{{x}}{{../name}}{{../../name}}{{/with}}{{/with}}
{{#with 1}}{{#with 1}}{{../name}}{{/with}}{{#with 2}}{{../../name}}{{/with}}{{/with}}
{{#with "s"}}{{this}}{{length}}{{/with}} {{#each "abc"}}{{this}}{{else}}no{{/each}}
{{#if true}}1{{/if}}{{#if false}}1{{/if}}{{#if null}}1{{/if}}{{#if undefined}}1{{/if}}{{#if 0}}1{{/if}}{{#if 1}}2{{/if}}{{#if ""}}3{{/if}}{{#if "x"}}4{{/if}}{{#if -1}}5{{/if}}
{{lookup arr 1}} {{lookup obj "x"}} {{lookup obj 'y'}} {{lookup items 0}} {{lookup nil "x"}} {{lookup zero "x"}} {{lookup f "x"}} {{lookup missing "x"}} {{lookup name 0}} {{lookup name "length"}} {{lookup arr 1.0}} {{lookup arr "length"}} {{lookup obj nil}} {{lookup obj missing}} {{lookup obj t}}
{{#each arr}}{{lookup ../items @index}}{{lookup ../b.list @index}}{{/each}}
{{{lookup this "a"}}} {{lookup this "a"}} {{lookup . "name"}} {{lookup b.d "e"}}
{{upper name}} {{upper "a b"}} {{upper 'it"s'}} {{upper "it's"}} {{upper "q\\"q"}} {{upper 'q\\'q'}} {{upper nil}} {{upper missing}} {{upper num}} {{upper t}} {{upper 1.50}} {{upper -2}} {{upper 1e3}}
{{upper 007}} {{upper 123456789012345678901234567890}} {{upper 0.0000001}} {{upper -0}}
{{default missing "d"}} {{default nil name}} {{default empty b.c}} {{default zero 1}} {{default f 1}} {{default name "x"}} {{default missing 5}} {{default missing true}} {{default missing null}} {{default missing undefined}}
{{default missing}}
{{ name }} {{	name	}} {{
name
}} {{#if   t   }}x{{/if}}
{{#  if t}}x{{/  if  }}
{{ #if t}}x{{/if}}
{{true}} {{false}} {{null}} {{undefined}} {{12}} {{"name"}} {{1.50}}
{{@root.name}} {{@root}} {{@index}} {{@first}} {{@key}} {{@last}} {{@../index}}
{{#each arr}}{{#with ../b}}{{@index}}{{c}}{{/with}}{{#if true}}{{@last}}{{/if}}{{/each}}
{{#each items}}{{#each tags}}{{@../key}} {{@../first}} {{@../../index}}|{{/each}}{{/each}}
{{#if t}}a{{/unless}}
{{#if t}}a
{{/if}}
{{else}}
{{^}}
{{#if t}}{{#if f}}{{/if}}
{{name
{{name}
{{name}}}
{{{name}}
{{{name}}}}
{{name}}}}
{{{{name}}}}
{{}}
{{ }}
{{&}}
{{#}}{{/}}
{{name name}}
{{name.}}
{{.name}}
{{name..b}}
{{na!me}}
{{na%me}}
{{na-me}} {{na_me}} {{na$me}} {{na:me}} {{nä}} {{1a}}
{{a=b}}
{{upper name x=1}} {{upper x=1 name}}
{{upper "unclosed}}
{{upper 'a' 'b'}}
{{[unclosed}}
{{b.[c}}
{{this.}}
{{this this}}
{{"a" "b"}}
{{#each}}{{/each}}
{{#if}}{{/if}}
{{#if a b}}{{/if}}
{{#with a b}}{{/with}}
{{/if}}
{{#if t}}{{else}}
a {{~name~}} b {{~{name}~}} c {{~& name~}} d
a {{~#if t~}} b {{~else~}} c {{~/if~}} d
a {{#if t~}} b {{else}} c {{~/if}} d {{~#if f}} b {{~else~}} c {{/if~}} d
a {{~#each arr~}} {{this}} {{~/each~}} b
a {{~^if f~}} b {{~^~}} c {{~/if~}} d
`.split('\n').slice(1, -1);
const folded = [];
for (let i = 0; i < written.length; i++) { // a tag over several lines
  let t = written[i];
  while (/\{\{\s*$/.test(t) || /\{\{\s*\nname$/.test(t)) t += '\n' + written[++i];
  folded.push(t);
}
for (const t of folded) {
  emit(t, data);
  emit(t, data, { n: 1 });
}

// White space: what stands alone on its line, and what ~ takes.
for (const t of [
  'a\n{{#if t}}\nb\n{{/if}}\nc', 'a\n  {{#if t}}  \n  b\n  {{/if}}  \nc\n', '{{#if t}}\nb\n{{else}}\nc\n{{/if}}\n', 'a\r\n{{#if t}}\r\nb\r\n{{/if}}\r\nc', '{{#if f}}\nb\n{{else if t}}\nc\n{{else}}\nd\n{{/if}}\nz',
  '{{#if f}}\nb\n{{else if f}}\nc\n{{else}}\nd\n{{/if}}\nz', '  {{#each arr}}\n  {{this}}\n  {{/each}}\n', '{{#each items}}\n* {{name}}\n{{#each tags}}\n  - {{this}}\n{{/each}}\n{{/each}}\nend', '{{! c }}\nx\n  {{!-- c --}}  \ny {{! c }}\nz\n{{! c }}',
  '{{! a }}{{! b }}\nx', '{{#if t}}{{#if t}}\nx\n{{/if}}{{/if}}\n', '{{#if t}}\n{{#if t}}\nx\n{{/if}}\n{{/if}}\n', '  {{#if t}} x {{/if}}  \n', '\n\n{{#if t}}\n\nx\n\n{{/if}}\n\n', 'a {{#if t}}\nb\n{{/if}} c', '{{#if t}}\n{{/if}}', '{{#if t}}  \n  {{/if}}  ',
  '{{#if t}}\n{{else}}\n{{/if}}', ' {{#if f}}\n{{else}} \n {{/if}} x', '{{name}}\n{{#if t}}\n{{name}}\n{{/if}}\n{{name}}', '\t{{#with b}}\t\n\t{{c}}\t\n\t{{/with}}\t\n', '{{#if t}}\u00a0\nx{{/if}}', '\u2028{{#if t}}\nx{{/if}}\n', 'x\n{{~#if t}}\n y\n{{~/if}}\n z', 'x\n{{#if t~}}\n y\n{{/if~}}\n z',
  '{{#if t}}\rx\r{{/if}}\ry', '\\{{#if}}\n{{#if t}}\nx\n{{/if}}\n', 'a\\{{b}}\n{{! c }}\nd', '{{! c }}  ', '  {{! c }}', '{{! c }}  {{name}}', '{{name}}  {{! c }}\nx', '{{name}}  {{! c }}', 'x {{! c }}\ny', '  {{! c }} y', '  {{#if t}}\nx\n{{/if}}  {{name}}', '{{name}}  {{#if t}}\nx\n{{/if}}\ny', '{{^if f}}\nx\n{{^}}\ny\n{{/if}}\nz', 'x\n\n  {{~name~}}  \n\ny', '{{#if f}}a{{~else~}} b {{/if}}', '{{#if f}} a {{~else if t~}} b {{~else~}} c {{~/if~}} d', '{{#if f}} a {{~else if f~}} b {{~else if t~}} b2 {{else~}} c {{~/if~}} d', ' {{~#if f~}} a {{else if f}} b {{else if f}} b2 {{else}} c {{~/if}} d',
  '{{#if f}}\na\n{{else if f}}\nb\n{{else if t}}\nc\n{{else}}\nd\n{{/if}}\n', '{{#if f}}\n\n{{else if t}}\n\n{{/if}}\n\n', '{{#each arr}}\n{{#if @first}}\nfirst\n{{else if @last}}\nlast\n{{else}}\n{{this}}\n{{/if}}\n{{/each}}\n',
]) emit(t, data);

for (const d of [null, 'text', 0, 7, true, false, [], [1, 'x', null], {}]) {
  for (const t of ['[{{this}}|{{.}}|{{x}}|{{length}}|{{@root}}|{{../x}}]', '{{#if this}}1{{this}}{{else}}2{{this}}{{/if}}', '{{#each this}}<{{this}}{{@index}}{{../length}}>{{else}}none{{this}}{{/each}}', '{{#with this}}<{{this}}|{{../this}}>{{else}}no{{this}}{{/with}}', '{{#if true}}{{#if true}}{{../this}}|{{this}}{{/if}}{{/if}}', '{{#unless this}}{{#with "s"}}{{../this}}|{{../../this}}{{/with}}{{/unless}}']) emit(t, d);
}

// What is taken by handlebars.js, and refused by us: it would write nothing or nonsense.
for (const t of ['{{@foo}}', '{{@this}}', '{{#if t}}x{{@indx}}{{/if}}', '{{if t}}', '{{unless t}}', '{{#if t foo=1}}x{{/if}}', '{{lookup obj "x" "y"}}', '{{[]}}', '{{#each arr x=1}}{{/each}}', '{{log name}}', '{{log}}', '{{#name}}x{{/name}}', '{{#arr}}{{this}}{{/arr}}', '{{^missing}}x{{/missing}}', '{{#each arr as |x|}}{{x}}{{/each}}', '{{upper (lookup obj "x")}}', '{{#if (lookup obj "x")}}y{{/if}}', '{{{{if t}}}}x{{{{/if}}}}']) emit(t, data, { s: 1 });

// What is made at random. Before what is not escaped stands a letter: handlebars.js adds numbers that follow each other,
// {{{1}}}{{{2}}} is 3, and here it is 12.
let state = Number(process.env.SEED || 1);
const random = () => { // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const below = n => Math.floor(random() * n);
const pick = list => list[below(list.length)];
const tilde = () => (below(5) ? '' : '~');

const paths = ['a', 'name', 'b.c', 'b.d.e', 'b.list', 'arr', 'items', 'mixed', 'obj', 'obj.z', 'nil', 'zero', 'f', 't', 'empty', 'none', 'missing', 'missing.x', 'this', '.', './name', 'this.name', '../name', '../../name', '..', '../this', '../../..', '@index', '@key', '@first', '@last', '@root.name', '@../index', 'n', 'tags', 'k', 'x', 'length', '[odd key]', 'items.[0].name', 'arr.[1]', 'u'];
const lists = ['arr', 'items', 'mixed', 'obj', 'none', 'tags', '../tags', '../items', 'this', 'b.list', 'missing', 'name', '../mixed', '..', 'nil'];
const literals = ['1', '0', '"s"', "'s'", 'true', 'false', 'null', 'undefined', '""'];
const texts = ['x', ' ', '\n', '  \n', '\n  ', 'y z', '\r\n', '\t', '{', '}', '<b>', '\\\\', ' \n \n ', 'w\n', '\u00a0', '"', '~'];

const value = () => (below(6) ? pick(paths) : pick(literals));
function open(name) { return `{{${tilde()}#${name}${tilde()}}}`; }
function body(depth) {
  let s = '';
  for (let i = below(4); i >= 0; i--) s += part(depth);
  return s;
}
function alternative(depth) {
  switch (below(5)) {
    case 0: return `{{${tilde()}else${tilde()}}}` + body(depth);
    case 1: return `{{${tilde()}^${tilde()}}}` + body(depth);
    case 2: return `{{${tilde()}else if ${value()}${tilde()}}}` + body(depth) + (below(2) ? alternative(depth) : '');
    case 3: return `{{${tilde()}else ${pick(['each ' + pick(lists), 'with ' + value(), 'unless ' + value()])}${tilde()}}}` + body(depth) + (below(3) ? '' : alternative(depth));
    default: return '';
  }
}
function part(depth) {
  switch (below(depth > 0 ? 10 : 7)) {
    case 0: case 1: case 2: return pick(texts);
    case 3: return `{{${tilde()}${pick(paths)}${tilde()}}}`;
    case 4: return pick([() => `r{{${tilde()}{${pick(paths)}}${tilde()}}}`, () => `r{{${tilde()}& ${pick(paths)}${tilde()}}}`, () => `{{${tilde()}lookup ${value()} ${value()}${tilde()}}}`, () => `{{upper ${value()}}}`, () => `{{default ${value()} ${value()}}}`])();
    case 5: return pick([() => `{{${tilde()}! c ${tilde()}}}`, () => `{{${tilde()}!-- c }} --${tilde()}}}`, () => `\n{{! c }}\n`, () => `\\{{name}}`, () => `\\\\{{name}}`])();
    case 6: return pick(texts) + pick(texts);
    default: {
      const line = below(2) ? '\n' : '';
      const [name, start] = pick([['if', 'if ' + value()], ['if', 'if ' + value() + ' includeZero=' + value()], ['unless', 'unless ' + value()], ['each', 'each ' + pick(lists)], ['each', 'each ' + pick(lists)], ['with', 'with ' + value()]]);
      const opened = below(12) ? open(start) : `{{${tilde()}^${start}${tilde()}}}`;
      const inner = opened.includes('^') ? pick(['', `{{^}}${body(depth - 1)}`, `{{else}}${body(depth - 1)}`]) : alternative(depth - 1);
      return line + opened + line + body(depth - 1) + line + inner + line + `{{${tilde()}/${name}${tilde()}}}` + line;
    }
  }
}
const count = Number(process.env.COUNT || 500);
for (let i = 0; i < count; i++) emit(body(3), data);

// Soup: what is no template, mostly.
const soup = ['{{', '{{', '}}', '}}', '{{{', '}}}', '#if t', '#each arr', '/if', '/each', 'else', '^', '~', ' ', '\n', 'a', 'name', '\\', '!', '--', '[', ']', "'", '"', '=', '@index', '.', '../', 'this', 'with', '&', '1', '-2', 'true', '{{name}}', '{{#if t}}', '{{/if}}', '{{else}}', '{{!', 'lookup', 'arr', '/'];
for (let i = 0; i < count; i++) {
  let t = '';
  for (let j = 2 + below(9); j > 0; j--) t += pick(soup);
  emit(t, data);
}
