with a as (select *, row_number() over (partition by artist_id order by album_id) n from album), t as (select *, row_number() over (partition by album_id order by track_id) n from track),
r as (select artist_id, rank() over (order by artist_id) n from album group by artist_id having count(*) > 1)
select json_build_object('artists', json_agg(json_build_object('artistId', artist_id, 'albums', (select json_agg(json_build_object('albumId', album_id, 'tracks', (select json_agg(json_build_object('trackId', track_id) order by track_id) from t where t.album_id = a.album_id and t.n <= 3)) order by album_id)
  from a where a.artist_id = r.artist_id and a.n between 2 and 11)) order by artist_id)) from r where n <= 12
