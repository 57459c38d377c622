select '{"albumsConnection": {"totalCount": 0, "nodes": [], "edges": [], "pageInfo": {"hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null}}}'::json
