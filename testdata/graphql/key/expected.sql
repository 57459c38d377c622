select json_build_object('album', (select json_build_object('albumId', album_id, 'title', title) from album where album_id = 5))
