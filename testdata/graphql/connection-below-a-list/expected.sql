select json_build_object('artists', json_agg(json_build_object('name', name, 'albumsConnection', json_build_object('totalCount', c,
  'edges', case when c = 0 then '[]'::json else (select json_build_array(json_build_object('node', json_build_object('title', title))) from album where album_id = newest) end,
  'pageInfo', json_build_object('hasPreviousPage', c > 1))) order by name, artist_id))
from (select artist_id, name, count(album_id) c, max(album_id) newest, row_number() over (order by name, artist_id) n from artist left join album using (artist_id) where left(name, 1) = 'A' group by artist_id, name) a where n <= 8
