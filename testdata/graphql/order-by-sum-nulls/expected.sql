with s as (select r.artist_id, sum(album_id) t from artist r left join album using (artist_id) where r.artist_id <= 30 group by r.artist_id)
select json_build_object('last', json_agg(json_build_object('artistId', artist_id) order by t is null, t, artist_id), 'first', json_agg(json_build_object('artistId', artist_id) order by t is not null, t desc, artist_id desc)) from s
