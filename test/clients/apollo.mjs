// Apollo Client: its cache, its persisted queries by POST and GET, lists of requests, errors, and pages of a connection.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import { until, watched } from './requests.mjs';

const uri = process.argv[2];
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const cache = () => new InMemoryCache({ typePolicies: { Query: { fields: { productsConnection: relayStylePagination(['orderBy']) } } } });
const client = (link) => new ApolloClient({ link, cache: cache() });
const net = watched();
const fetchOptions = { uri, fetch: net.fetchFn };

const PRODUCTS = gql`query Products($n: Int!) { products(limit: $n, orderBy: [{ id: ASC }]) { id name price } }`;
{
  const apollo = client(new HttpLink(fetchOptions));
  const { data } = await apollo.query({ query: PRODUCTS, variables: { n: 3 } });
  assert.equal(data.products.length, 3);
  net.expect('a query', 'POST text 200');
  await apollo.query({ query: PRODUCTS, variables: { n: 3 } });
  net.expect('from the cache');

  // The normalised row changes with the answer to a mutation.
  const [first] = data.products;
  const RENAME = gql`mutation Rename($id: Int!, $name: String!) { updateProduct(id: $id, set: { name: $name }) { id name } }`;
  await apollo.mutate({ mutation: RENAME, variables: { id: first.id, name: 'Renamed' } });
  assert.equal(apollo.readQuery({ query: PRODUCTS, variables: { n: 3 } }).products[0].name, 'Renamed');
  await apollo.mutate({ mutation: RENAME, variables: { id: first.id, name: first.name } });
  net.expect('mutations', 'POST text 200', 'POST text 200');

  const failed = await apollo.mutate({ mutation: gql`mutation { createCategory(input: { name: "Kitchen", slug: "kitchen" }) { id } }` }).catch((e) => e);
  assert.ok(CombinedGraphQLErrors.is(failed), String(failed));
  assert.equal(failed.errors[0].extensions.code, 'CONFLICT');
  const invalid = await apollo.query({ query: gql`{ nothing }` }).catch((e) => e);
  assert.ok(CombinedGraphQLErrors.is(invalid), `an answer with 400 is an answer: ${invalid}`);
  assert.equal(invalid.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  net.expect('errors', 'POST text 200', 'POST text 400');
}
{
  const PAGE = gql`query Page($after: String) { productsConnection(first: 5, after: $after, orderBy: [{ id: ASC }]) {
    edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
  const apollo = client(new HttpLink(fetchOptions));
  const pages = apollo.watchQuery({ query: PAGE });
  let shown;
  const subscription = pages.subscribe((result) => { shown = result; });
  await until(() => shown?.data);
  await pages.fetchMore({ variables: { after: shown.data.productsConnection.pageInfo.endCursor } });
  await until(() => shown.data.productsConnection.edges.length > 5);
  assert.equal(new Set(shown.data.productsConnection.edges.map((e) => e.node.id)).size, 10, 'two pages have ten rows');
  subscription.unsubscribe();
  net.expect('pages', 'POST text 200', 'POST text 200');
}
for (const [how, useGETForHashedQueries] of [['POST', false], ['GET', true]]) {
  const query = gql(`query By${how}${Date.now()} { categories(limit: 2) { id name } }`);
  const fresh = () => client(new PersistedQueryLink({ sha256, useGETForHashedQueries }).concat(new HttpLink(fetchOptions)));
  const { data } = await fresh().query({ query });
  assert.equal(data.categories.length, 2);
  net.expect('a digest that nobody knows, then its text', `${how} digest 200`, 'POST text 200');
  assert.deepEqual((await fresh().query({ query })).data, data);
  net.expect('the digest alone', `${how} digest 200`);
}
{
  const apollo = client(new BatchHttpLink({ ...fetchOptions, batchMax: 10, batchInterval: 20 }));
  const answers = await Promise.all([1, 2, 3].map((n) => apollo.query({ query: PRODUCTS, variables: { n } })));
  assert.deepEqual(answers.map((a) => a.data.products.length), [1, 2, 3]);
  net.expect('a list of requests', 'POST list of 3 200');
}
console.log('Apollo Client: queries, cache, errors, pages, persisted queries by POST and GET, lists');
