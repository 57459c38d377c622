// Subscribes from a page in a real browser, by EventSource and by WebSocket, and changes a row.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const url = process.argv[2];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await browser.newPage();
  await page.goto(url);
  const told = await page.evaluate(async (url) => {
    const query = 'subscription { productChanged(where: { id: { eq: 2 } }) { op changed product { name } } }';
    const source = new EventSource(`${url}?query=${encodeURIComponent(query)}`);
    const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
    const first = (name, start) => new Promise((done, failed) => {
      start((data) => done([name, data.data.productChanged]));
      setTimeout(() => failed(new Error(`${name} was told nothing`)), 20000);
    });
    const both = Promise.all([
      first('EventSource', (tell) => source.addEventListener('next', (e) => tell(JSON.parse(e.data)))),
      first('WebSocket', (tell) => {
        socket.onopen = () => socket.send('{"type":"connection_init"}');
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(data);
          if (message.type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
          if (message.type === 'next') tell(message.payload);
        };
      }),
    ]);
    let over = false;
    both.finally(() => { over = true; }).catch(() => {});
    for (let i = 0; !over; i++) { // when they are subscribed nobody says
      await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: `mutation { updateProduct(id: 2, set: { name: "browser ${i}" }) { id } }` }) });
      await new Promise((done) => setTimeout(done, 100));
    }
    const all = await both;
    source.close();
    socket.close(1000);
    return all;
  }, url);
  for (const [name, change] of told) {
    assert.equal(change.op, 'UPDATE', name);
    assert.deepEqual(change.changed, ['name'], name);
    assert.match(change.product.name, /^browser /, name);
  }
  console.log('browser: EventSource and WebSocket were told of a change');
} finally {
  await browser.close();
}
