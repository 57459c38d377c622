select '{"artistsConnection": {"totalCount": 275, "nodes": [], "edges": [], "pageInfo": {"startCursor": null, "endCursor": null}}}'::json
