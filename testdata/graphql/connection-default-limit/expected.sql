select json_build_object('tracksConnection', json_build_object('nodes', json_agg(json_build_object('trackId', n)), 'pageInfo', json_build_object('hasNextPage', true))) from generate_series(1, 100) n
