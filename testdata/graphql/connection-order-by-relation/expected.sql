with numbered as (select title, name, album_id, row_number() over (order by name, title desc, album_id desc) n from album join artist using (artist_id))
select json_build_object('albumsConnection', json_build_object('nodes', (select json_agg(json_build_object('title', title, 'artist', json_build_object('name', name)) order by n) from numbered
  where n > (select n from numbered where album_id = 1) and n <= (select n from numbered where album_id = 1) + 4)))
