select json_build_object('album', (select json_build_object('title', title, 'artistId', artist_id) from album where album_id = 7))
