with albums as (select a.*, row_number() over (partition by artist_id order by album_id) n from album a),
lasts as (select album_id, count(*) c, (array_agg(name order by track_id desc))[1] name from track group by album_id)
select json_build_object('artistsConnection', json_build_object('edges', json_agg(json_build_object('node', json_build_object('name', name, 'albumsConnection', json_build_object('totalCount', c, 'nodes', (
  select json_agg(json_build_object('title', title, 'tracksConnection', json_build_object('totalCount', lasts.c, 'nodes', json_build_array(json_build_object('name', lasts.name)))) order by album_id)
  from albums join lasts using (album_id) where albums.artist_id = r.artist_id and n <= 2)))) order by c desc, artist_id desc)))
from (select artist_id, artist.name, count(*) c from artist join album using (artist_id) group by artist_id, artist.name having count(*) >= 14) r
