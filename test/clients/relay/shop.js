// What a page of a shop would ask. The compiler reads it, and nobody runs it.
import { graphql } from 'relay-runtime';

graphql`
  query shopProductsQuery($count: Int!, $cursor: String) {
    ...shopProducts @arguments(count: $count, cursor: $cursor)
  }
`;

graphql`
  fragment shopProducts on Query
  @refetchable(queryName: "shopProductsPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 3 }, cursor: { type: "String" }) {
    productsConnection(first: $count, after: $cursor, orderBy: [{ name: ASC }]) @connection(key: "shop_productsConnection") {
      edges { node { id name ...shopReviews } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

graphql`
  fragment shopReviews on Product
  @refetchable(queryName: "shopReviewsPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 1 }, cursor: { type: "String" }) {
    name
    reviewsConnection(first: $count, after: $cursor) @connection(key: "shop_reviewsConnection") {
      edges { node { id rating customer { id name } } }
    }
  }
`;

graphql`
  mutation shopReviewMutation($rowId: Int!, $rating: Int!) {
    updateReview(rowId: $rowId, set: { rating: $rating }) { id rating }
  }
`;
