select json_build_object('mediaTypesConnection', json_build_object('totalCount', count(*), 'nodes', json_agg(json_build_object('mediaTypeId', media_type_id, 'name', name) order by media_type_id),
  'pageInfo', json_build_object('hasNextPage', false, 'hasPreviousPage', false))) from media_type
