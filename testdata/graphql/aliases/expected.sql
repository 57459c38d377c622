select json_build_object('a', (select json_build_object('t', title) from album where album_id = 1), 'b', (select json_build_object('t', title, 'u', title) from album where album_id = 2))
