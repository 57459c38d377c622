// graphql-ws and graphql-sse: subscriptions, other operations, errors, and coming back when the server has been away.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { createClient as createSSE } from 'graphql-sse';
import { createClient as createWS } from 'graphql-ws';
import WebSocket from 'ws';

const [url, subscribed] = process.argv.slice(2);
const sse = createSSE({ url, retryAttempts: 50, retry: () => new Promise((done) => setTimeout(done, 100)) });
const ws = createWS({
  url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, retryAttempts: 50, shouldRetry: () => true, retryWait: () => new Promise((done) => setTimeout(done, 100)), keepAlive: 500,
});
const rename = (client, name) => client.iterate({ query: 'mutation($name: String!) { updateProduct(id: 1, set: { name: $name }) { name } }', variables: { name } });
const SUBSCRIBE = { query: 'subscription { productChanged(where: { id: { eq: 1 } }) { op changed product { name category { name } } } }' };

for (const [name, client] of [['graphql-sse', sse], ['graphql-ws', ws]]) {
  const query = await client.iterate({ query: '{ products(limit: 1, orderBy: [{ id: ASC }]) { id } }' }).next();
  assert.deepEqual(query.value, { data: { products: [{ id: 1 }] } }, name);

  const invalid = await client.iterate({ query: '{ nothing }' }).next().then((r) => r.value.errors, (e) => e);
  assert.equal(invalid[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED', name);

  const changes = client.iterate(SUBSCRIBE);
  const next = changes.next(); // it subscribes now; when that is done, nobody says
  let told = false;
  next.then(() => { told = true; });
  let written;
  for (let i = 0; !told; i++) {
    written = (await rename(client, `${name} ${i}`).next()).value;
    assert.match(written.data.updateProduct.name, new RegExp(name));
    await new Promise((done) => setTimeout(done, 100));
  }
  const { value } = await next;
  assert.equal(value.data.productChanged.op, 'UPDATE', name);
  assert.deepEqual(value.data.productChanged.changed, ['name'], name);
  assert.ok(value.data.productChanged.product.name.startsWith(name), name);
  assert.ok(value.data.productChanged.product.category.name, name);
  await changes.return();
}

// Both are subscribed while the server ends and another one begins.
const waiting = [sse, ws].map((client) => {
  const of = { client, names: [], first: null };
  of.dispose = client.subscribe(SUBSCRIBE, { next: (r) => of.names.push(r.data.productChanged.product.name), error: (e) => { of.error = e; }, complete: () => { of.completed = true; } });
  return of;
});
async function until(name) {
  for (let i = 0; waiting.some((w) => !w.names.some((n) => n.startsWith(name))); i++) {
    for (const w of waiting) {
      assert.equal(w.error, undefined);
      assert.ok(!w.completed, 'a server that leaves has told that there is nothing more');
    }
    assert.ok(i < 300, `nobody told of ${name}`);
    await fetch(url, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: 'mutation($name: String!) { updateProduct(id: 1, set: { name: $name }) { name } }', variables: { name: `${name} ${i}` } }),
    }).catch(() => {}); // it is away
    await new Promise((done) => setTimeout(done, 100));
  }
}
await until('before');
writeFileSync(subscribed, '');
while (!existsSync(`${subscribed}-again`)) await new Promise((done) => setTimeout(done, 20)); // there is another server
await until('after');
for (const w of waiting) w.dispose();
await ws.dispose();
console.log('graphql-ws and graphql-sse: subscriptions, other operations, errors, and a server that ends');
process.exit(0);
