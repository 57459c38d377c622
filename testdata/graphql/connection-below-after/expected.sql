select json_build_object('artist', json_build_object('albumsConnection', json_build_object('nodes', json_agg(json_build_object('albumId', album_id) order by album_id), 'pageInfo', json_build_object('hasPreviousPage', true))))
from album a where artist_id = 90 and (select count(*) from album b where b.artist_id = 90 and b.album_id > 100 and b.album_id <= a.album_id) between 1 and 2
