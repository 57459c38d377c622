// Apollo Client with apollo-upload-client: files as values of Bytes, by the GraphQL multipart request specification.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { ApolloClient, CombinedGraphQLErrors, InMemoryCache, ServerError, gql } from '@apollo/client';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';

const uri = process.argv[2];
const types = [];
const watched = (input, init) => { types.push(init.body instanceof FormData ? 'form' : 'json'); return fetch(input, init); };
const client = (headers) => new ApolloClient({ link: new UploadHttpLink({ uri, fetch: watched, headers }), cache: new InMemoryCache() });
const apollo = client({ 'Apollo-Require-Preflight': 'true' });
const CREATE = gql`mutation Create($name: String!, $content: Bytes, $thumbnails: [Bytes]) {
  createPicture(input: { name: $name, content: $content, thumbnails: $thumbnails }) { id name content thumbnails } }`;

const content = randomBytes(200_000);
const file = new File([content], 'photo "1".png', { type: 'image/png' });
const small = [new Blob(['one']), new Blob([])];
const { data } = await apollo.mutate({ mutation: CREATE, variables: { name: 'photo', content: file, thumbnails: small } });
assert.equal(data.createPicture.content, content.toString('base64'));
assert.deepEqual(data.createPicture.thumbnails, [Buffer.from('one').toString('base64'), '']);

// One file in two places is sent once; without files it is a request as any other.
const twice = await apollo.mutate({ mutation: CREATE, variables: { name: 'twice', content: small[0], thumbnails: [small[0]] } });
assert.deepEqual([twice.data.createPicture.content], twice.data.createPicture.thumbnails);
await apollo.query({ query: gql`{ pictures { id } }` });
assert.deepEqual(types.splice(0), ['form', 'form', 'json']);

const asText = await apollo.mutate({ mutation: gql`mutation($name: String!) { createPicture(input: { name: $name }) { id } }`, variables: { name: file } }).catch((e) => e);
assert.ok(CombinedGraphQLErrors.is(asText) && asText.errors[0].extensions.code === 'BAD_USER_INPUT', `a file is no text: ${asText}`);
const large = new Blob([randomBytes(1_100_000)]);
for (const [what, one, content, status] of [['a file that is too large', apollo, large, 413], ['without the header', client({}), file, 400]]) {
  const refused = await one.mutate({ mutation: CREATE, variables: { name: what, content } }).catch((e) => e);
  assert.ok(CombinedGraphQLErrors.is(refused) || ServerError.is(refused), `${what}: ${refused}`);
  if (ServerError.is(refused)) assert.equal(refused.statusCode, status);
}
const { data: left } = await apollo.query({ query: gql`{ picturesAggregate { count } }` });
assert.equal(left.picturesAggregate.count, 2, 'nothing of what was refused is there');
console.log('apollo-upload-client: files, lists of files, one file in two places, refusals');
