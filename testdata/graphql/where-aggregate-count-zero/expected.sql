select json_build_object('artists', json_agg(json_build_object('artistId', artist_id) order by artist_id)) from (select artist_id from artist except select artist_id from album) s
