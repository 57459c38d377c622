// Makes testdata/validation/corpus.json of the cases that gqlparser ships, with what graphql-js says of each by all of
// its rules. With --write it is stored, else what is stored must be the same.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, GraphQLSchema, parse, validate, version } from 'graphql';
import { parse as yaml } from 'yaml';

const [, , module, stored, write] = process.argv;
const read = (...path) => yaml(readFileSync(join(module, 'validator', ...path), 'utf8'));

const schemas = read('imported', 'spec', 'schemas.yml');
const built = new Map();
function schemaOf(sdl) {
  // Some schemas of the corpus are no complete ones: what is judged is the document.
  if (!built.has(sdl)) {
    built.set(sdl, sdl.trim() ? buildSchema(sdl, { assumeValid: true, assumeValidSDL: true }) : new GraphQLSchema({ assumeValid: true }));
  }
  return built.get(sdl);
}

// A server refuses fragments alone before it looks at them: an operation beside them has it look.
function withOperation(query) {
  try {
    return parse(query).definitions.some((d) => d.kind === 'OperationDefinition') ? query : `${query}\n{ __typename }`;
  } catch {
    return query;
  }
}

function judge(sdl, query) {
  let document;
  try {
    document = parse(query);
  } catch (e) {
    return [e.message];
  }
  return validate(schemaOf(sdl), document).map((e) => e.message);
}

const names = new Map();
const cases = [];
for (const folder of [['imported', 'spec'], ['spec']]) {
  for (const file of readdirSync(join(module, 'validator', ...folder)).sort()) {
    if (!file.endsWith('.spec.yml')) continue;
    for (const c of read(...folder, file) ?? []) {
      let name = `${file.replace('.spec.yml', '')}/${c.name}`;
      names.set(name, (names.get(name) ?? 0) + 1);
      if (names.get(name) > 1) name += ` (${names.get(name)})`;
      const at = Number(c.schema);
      if (!Number.isInteger(at)) schemas.push(c.schema);
      const schema = Number.isInteger(at) ? at : schemas.length - 1;
      const query = withOperation(c.query);
      cases.push({ name, schema, query, errors: judge(schemas[schema], query) });
    }
  }
}

// A line each, so that what a new version changes can be read.
const lines = (list) => list.map((item) => JSON.stringify(item)).join(',\n');
const text = `{"judge":"graphql-js ${version}","schemas":[\n${lines(schemas)}\n],"cases":[\n${lines(cases)}\n]}\n`;
if (write === '--write') {
  writeFileSync(stored, text);
} else if (readFileSync(stored, 'utf8') !== text) {
  console.error(`${stored} is not what graphql-js and gqlparser's cases make it: write it anew by --write, and read what has changed`);
  process.exit(1);
}
console.log('corpus:', cases.length, 'documents,', cases.filter((c) => c.errors.length === 0).length, 'of them valid, as graphql-js', version, 'says');
