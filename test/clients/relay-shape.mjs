// What Relay's two specifications want of a server: Global Object Identification (https://graphql.org/learn/global-object-identification)
// and Cursor Connections (https://relay.dev/graphql/connections.htm), by introspection and by asking.
import assert from 'node:assert/strict';
import { buildClientSchema, getIntrospectionQuery, getNullableType, isInterfaceType, isLeafType, isListType, isNonNullType, isObjectType } from 'graphql';

const url = process.argv[2];
async function ask(query, variables) {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query, variables }) });
  return response.json();
}
async function data(query, variables) {
  const answer = await ask(query, variables);
  assert.equal(answer.errors, undefined, `${query}: ${JSON.stringify(answer.errors)}`);
  return answer.data;
}
const schema = buildClientSchema(await data(getIntrospectionQuery()));
const query = schema.getQueryType().getFields();
const arguments_ = (field) => Object.fromEntries(field.args.map((a) => [a.name, String(a.type)]));

// Section 2 and 3: the interface, and the way to an object.
const node = schema.getType('Node');
assert.ok(isInterfaceType(node));
assert.deepEqual(Object.values(node.getFields()).map((f) => `${f.name}: ${f.type}`), ['id: ID!']);
assert.equal(query.node.type, node);
assert.deepEqual(arguments_(query.node), { id: 'ID!' });

// Every type that has a key implements it.
const keyed = new Set(Object.values(query)
  .filter((f) => f !== query.node && isObjectType(f.type) && f.args.length > 0 && f.args.every((a) => isNonNullType(a.type)))
  .map((f) => f.type));
const nodes = new Set(schema.getPossibleTypes(node));
assert.deepEqual([...keyed].map(String).sort(), [...nodes].map(String).sort());
assert.ok(nodes.size >= 8, `${nodes.size} types are nodes`);

// Section 4: the id of a row leads to that row, and rows of several types never share one.
const seen = new Map();
for (const type of nodes) {
  const list = Object.values(query).find((f) => String(f.type) === `[${type}!]!` && f.args.some((a) => a.name === 'where'));
  const rows = (await data(`{ rows: ${list.name}(limit: 5) { id __typename } }`)).rows;
  assert.ok(rows.length > 0, `${list.name} has rows`);
  for (const row of rows) {
    assert.ok(!seen.has(row.id), `${row.id} is ${seen.get(row.id)} and ${type}`);
    seen.set(row.id, String(type));
    assert.deepEqual((await data('query ($id: ID!) { node(id: $id) { id __typename } }', { id: row.id })).node, row);
  }
}
const absent = Buffer.from(JSON.stringify(['Product', '999999'])).toString('base64url');
assert.deepEqual(await data('query ($id: ID!) { node(id: $id) { id } }', { id: absent }), { node: null });
assert.equal((await ask('{ node(id: "no id at all") { id } }')).errors[0].extensions.code, 'BAD_USER_INPUT');

// Connections, sections 2 to 5: reserved types, edges, arguments, PageInfo.
const info = schema.getType('PageInfo').getFields();
for (const [name, type] of [['hasNextPage', 'Boolean!'], ['hasPreviousPage', 'Boolean!'], ['startCursor', 'String'], ['endCursor', 'String']]) {
  assert.equal(String(info[name].type), type, `PageInfo.${name}`);
}
let connections = 0;
for (const type of Object.values(schema.getTypeMap()).filter((t) => t.name.endsWith('Connection'))) {
  connections++;
  assert.ok(isObjectType(type), `${type} is an object`);
  const { edges, pageInfo } = type.getFields();
  assert.equal(String(pageInfo.type), 'PageInfo!', `${type}.pageInfo`);
  const list = getNullableType(edges.type);
  assert.ok(isListType(list), `${type}.edges is a list`);
  const edge = getNullableType(list.ofType);
  assert.ok(isObjectType(edge), `${type}.edges has objects`);
  const { node: row, cursor } = edge.getFields();
  assert.ok(!isListType(getNullableType(row.type)), `${edge}.node is one thing`);
  assert.ok(isLeafType(getNullableType(cursor.type)) && String(cursor.type) === 'String!', `${edge}.cursor is a text`);
}
let fields = 0;
for (const type of Object.values(schema.getTypeMap()).filter((t) => isObjectType(t) && !t.name.startsWith('__'))) {
  for (const f of Object.values(type.getFields()).filter((f) => getNullableType(f.type).name?.endsWith('Connection'))) {
    fields++;
    const { first, after, last, before } = arguments_(f);
    assert.deepEqual({ first, after, last, before }, { first: 'Int', after: 'String', last: 'Int', before: 'String' }, `${type}.${f.name}`);
  }
}
assert.ok(connections >= 8 && fields > connections, `${connections} connections in ${fields} fields`);

// Section 4.3 and 5: all pages together are all rows, either way, and PageInfo says where they end.
const all = (await data('{ categories(limit: 100, orderBy: [{ name: DESC }]) { id } }')).categories.map((c) => c.id);
for (const [most, from, end, more, less] of [['first', 'after', 'endCursor', 'hasNextPage', 'hasPreviousPage'], ['last', 'before', 'startCursor', 'hasPreviousPage', 'hasNextPage']]) {
  const found = [];
  for (let cursor = null, next = true; next;) {
    const page = (await data(`query ($cursor: String) { page: categoriesConnection(${most}: 5, ${from}: $cursor, orderBy: [{ name: DESC }]) {
      edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`, { cursor })).page;
    const ids = page.edges.map((e) => e.node.id);
    found[most === 'first' ? 'push' : 'unshift'](...ids);
    assert.equal(page.pageInfo.startCursor, page.edges[0].cursor);
    assert.equal(page.pageInfo.endCursor, page.edges.at(-1).cursor);
    if (cursor === null) assert.equal(page.pageInfo[less], false, `${less} of the first page`);
    cursor = page.pageInfo[end];
    next = page.pageInfo[more];
    assert.ok(found.length <= all.length, 'it comes to an end');
  }
  assert.deepEqual(found, all, `pages by ${most}`);
}
for (const bad of ['first: -1', 'last: -1', 'first: 1, after: "no cursor"']) {
  assert.equal((await ask(`{ categoriesConnection(${bad}) { edges { cursor } } }`)).errors[0].extensions.code, 'BAD_USER_INPUT', bad);
}
const none = (await data('{ page: categoriesConnection(first: 0) { edges { cursor } pageInfo { startCursor endCursor } } }')).page;
assert.deepEqual(none, { edges: [], pageInfo: { startCursor: null, endCursor: null } });
console.log('Relay:', nodes.size, 'types are nodes,', connections, 'connections in', fields, 'fields, as the specifications want them');
