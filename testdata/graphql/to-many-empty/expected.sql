select json_build_object('artist', json_build_object('name', (select name from artist where artist_id = 25), 'albums', '[]'::json))
