select json_build_object('forward', json_build_object('nodes', json_agg(json_build_object('genreId', n)), 'pageInfo', json_build_object('hasNextPage', false)),
  'backward', json_build_object('nodes', json_agg(json_build_object('genreId', n)), 'pageInfo', json_build_object('hasPreviousPage', false))) from generate_series(1, 25) n
