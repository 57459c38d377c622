// What the clients that are watched have in common: a fetch that remembers what was asked.
import assert from 'node:assert/strict';

export function watched() {
  const requests = [];
  const fetchFn = async (input, init = {}) => {
    const method = init.method ?? 'GET';
    const address = new URL(String(input));
    const body = init.body ? JSON.parse(init.body) : Object.fromEntries(address.searchParams);
    const response = await fetch(input, init);
    requests.push({ method, body, status: response.status, text: Boolean(body.query) });
    return response;
  };
  // taken gives what was asked since the last time, each as "POST text" or "GET digest".
  const taken = () => requests.splice(0).map((r) => `${r.method} ${Array.isArray(r.body) ? `list of ${r.body.length}` : r.text ? 'text' : 'digest'} ${r.status}`);
  return { fetchFn, expect: (what, ...wanted) => assert.deepEqual(taken(), wanted, what) };
}

// until waits for what a client does of its own accord.
export async function until(done) {
  for (let i = 0; !done(); i++) {
    assert.ok(i < 500, 'it does not come about');
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
}
