// graphql-js must be able to build a valid schema from what introspection says.
import { buildClientSchema, getIntrospectionQuery, printSchema, validateSchema, buildSchema, lexicographicSortSchema } from 'graphql';

const url = process.argv[2];
const query = getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true });
const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) });
const { data, errors } = await response.json();
if (errors) throw new Error(JSON.stringify(errors));
const schema = buildClientSchema(data);
const problems = validateSchema(schema);
if (problems.length) throw new Error(problems.join('\n'));
const sdl = printSchema(lexicographicSortSchema(schema));
if (printSchema(lexicographicSortSchema(buildSchema(sdl))) !== sdl) throw new Error('the printed schema is not a fixed point');
console.log('introspection:', Object.keys(schema.getTypeMap()).length, 'types, valid');
