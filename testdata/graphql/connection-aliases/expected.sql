with sized as (select album_id, title, count(*) > 12 long from album join track using (album_id) where artist_id = 50 group by album_id, title)
select json_build_object('artist', json_build_object(
  'long', (select json_build_object('count', count(*), 'nodes', json_agg(json_build_object('title', title) order by album_id)) from sized where long),
  'short', (select json_build_object('n', count(*), 'list', json_agg(json_build_object('t', title) order by album_id)) from sized where not long)))
