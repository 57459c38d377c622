select json_build_object('artistsConnection', json_build_object('nodes', '[]'::json, 'pageInfo', json_build_object('hasNextPage', false, 'hasPreviousPage', true, 'endCursor', null)))
