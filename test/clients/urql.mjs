// urql: its document cache, its persisted queries by POST and GET, mutations and errors.
import assert from 'node:assert/strict';
import { Client, cacheExchange, fetchExchange, gql } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { watched } from './requests.mjs';

const url = process.argv[2];
const net = watched();
// A GET of urql could be one that another site's page has a browser send: it says that it is not.
const fetchOptions = { headers: { 'apollo-require-preflight': 'true' } };
const client = (...before) => new Client({ url, fetch: net.fetchFn, fetchOptions, preferGetMethod: false, exchanges: [cacheExchange, ...before, fetchExchange] });

const PRODUCTS = gql`query Products($n: Int!) { products(limit: $n, orderBy: [{ id: ASC }]) { id name } }`;
{
  const urql = client();
  const first = await urql.query(PRODUCTS, { n: 2 }).toPromise();
  assert.equal(first.data.products.length, 2, String(first.error));
  await urql.query(PRODUCTS, { n: 2 }).toPromise();
  net.expect('a query, then the cache', 'POST text 200');
  const { id, name } = first.data.products[0];
  const renamed = await urql.mutation(gql`mutation ($id: Int!, $name: String!) { updateProduct(id: $id, set: { name: $name }) { id name } }`, { id, name }).toPromise();
  assert.equal(renamed.data.updateProduct.name, name);
  await urql.query(PRODUCTS, { n: 2 }).toPromise();
  net.expect('a mutation makes what has its type stale', 'POST text 200', 'POST text 200');
  const { error } = await urql.query(gql`{ nothing }`, {}).toPromise();
  assert.equal(error.graphQLErrors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED', String(error));
  net.expect('an error', 'POST text 400');
}
for (const [how, preferGetForPersistedQueries] of [['POST', false], ['GET', true]]) {
  const query = gql(`query Urql${how}${Date.now()} { categories(limit: 2) { id name } }`);
  const fresh = () => client(persistedExchange({ preferGetForPersistedQueries }));
  const { data, error } = await fresh().query(query, {}).toPromise();
  assert.equal(data?.categories.length, 2, String(error));
  net.expect('a digest that nobody knows, then its text', `${how} digest 200`, `${how} text 200`);
  assert.deepEqual((await fresh().query(query, {}).toPromise()).data, data);
  net.expect('the digest alone', `${how} digest 200`);
}
console.log('urql: queries, cache, mutations, errors, persisted queries by POST and GET');
