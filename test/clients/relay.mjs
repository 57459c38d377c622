// Relay: its compiler takes the printed schema and makes artifacts of connections and refetchable fragments, and its
// runtime keeps rows by their global ids, asks for further pages, and refetches a row by node(id:).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [, , url, schema, work] = process.argv;
const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
for (const folder of ['src', 'made']) mkdirSync(join(work, folder), { recursive: true });
copyFileSync(join(here, 'relay', 'shop.js'), join(work, 'src', 'shop.js'));
copyFileSync(schema, join(work, 'schema.graphql'));
writeFileSync(join(work, 'package.json'), '{"type":"commonjs"}');
writeFileSync(join(work, 'relay.config.json'), JSON.stringify({
  src: './src', schema: './schema.graphql', language: 'javascript', eagerEsModules: false, artifactDirectory: './made', requireCustomScalarTypes: false,
}));
execFileSync(process.execPath, [require.resolve('relay-compiler/cli.js'), '--noWatchman'], { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });

// What the runtime finds wrong with an answer it tells the console alone.
const warnings = [];
console.warn = console.error = (...words) => { warnings.push(words.join(' ')); };
const { Environment, Network, RecordSource, Store, createOperationDescriptor, fetchQuery, getRequest, getSelector } = require('relay-runtime');
const made = (name) => require(join(work, 'made', `${name}.graphql.js`));
const asked = [];
const environment = new Environment({
  network: Network.create(async ({ name, text }, variables) => {
    asked.push(name);
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: text, variables }) });
    return response.json();
  }),
  store: new Store(new RecordSource()),
});
const load = (name, variables) => fetchQuery(environment, made(name), variables).toPromise();
const read = (fragment, owner) => environment.lookup(getSelector(made(fragment), owner)).data;

const variables = { count: 3, cursor: null };
const operation = createOperationDescriptor(getRequest(made('shopProductsQuery')), variables);
environment.retain(operation);
const root = await load('shopProductsQuery', variables);
const products = () => read('shopProducts', root).productsConnection;
assert.equal(products().edges.length, 3);
assert.ok(products().pageInfo.hasNextPage);

await load('shopProductsPageQuery', { count: 4, cursor: products().pageInfo.endCursor });
assert.equal(new Set(products().edges.map((e) => e.node.id)).size, 7, 'the second page is behind the first one');
const names = products().edges.map((e) => e.node.name);
assert.deepEqual(names, [...names].sort(), 'in their order');

const node = products().edges.map((e) => e.node).find((n) => read('shopReviews', n).reviewsConnection.edges.length > 0);
const reviews = () => read('shopReviews', node).reviewsConnection;
await load('shopReviewsPageQuery', { id: node.id, count: 2, cursor: reviews().pageInfo.endCursor });
assert.ok(reviews().edges.length > 1, 'a page below a row comes by node(id:)');

// A mutation changes the row that is shown, by its global id.
const review = reviews().edges[0].node;
const rowId = Number(JSON.parse(Buffer.from(review.id, 'base64url').toString())[1]);
const rating = review.rating % 5 + 1;
await new Promise((resolve, reject) => {
  environment.executeMutation({ operation: createOperationDescriptor(getRequest(made('shopReviewMutation')), { rowId, rating }) })
    .subscribe({ complete: resolve, error: reject });
});
assert.equal(reviews().edges[0].node.rating, rating);
assert.deepEqual(asked, ['shopProductsQuery', 'shopProductsPageQuery', 'shopReviewsPageQuery', 'shopReviewMutation']);
assert.deepEqual(warnings, []);
console.log('Relay: compiled, two pages of a connection, a refetch by node(id:), a mutation');
