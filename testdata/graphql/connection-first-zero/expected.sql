select json_build_object('genresConnection', json_build_object('totalCount', (select count(*) from genre), 'nodes', '[]'::json, 'edges', '[]'::json,
  'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', false, 'startCursor', null, 'endCursor', null)))
