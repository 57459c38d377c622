// Package transport carries GraphQL requests over HTTP, as the GraphQL-over-HTTP specification says
// (https://graphql.github.io/graphql-over-http/draft/).
//
//	POST application/json        any operation, or a list of them where lists are on
//	GET  ?query=…&variables=…    queries only
//	GET  from a browser          the playground, where it is on
//	HEAD                         as GET, without the content
//
// A request has its text, the id of a trusted document (appendix A of the specification), or the digest of Apollo's
// persisted queries.
//
// Answers are application/graphql-response+json, whose status tells whether execution began: 200 with
// data, 4xx or 5xx without. A client that accepts only application/json gets 200 for every request
// that was well formed, as that older media type wants.
package transport
