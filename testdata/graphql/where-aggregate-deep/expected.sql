with large as (select album_id from track group by album_id having count(*) > 20)
select json_build_object('tracksAggregate', (select json_build_object('count', count(*)) from track join album using (album_id) join (select artist_id from album group by artist_id having count(*) > 15) s using (artist_id)),
  'artists', (select json_agg(json_build_object('name', name) order by artist_id) from artist join (select artist_id from album join large using (album_id) group by artist_id having count(*) >= 3) s using (artist_id)))
