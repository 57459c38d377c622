select json_build_object('genresConnection', json_build_object('nodes', '[]'::json,
  'pageInfo', json_build_object('hasNextPage', false, 'hasPreviousPage', true, 'startCursor', null, 'endCursor', null)))
