with s as (select artist_id, name, (select count(*) from album a where a.artist_id = r.artist_id) c from artist r)
select json_build_object('artists', (select json_agg(json_build_object('name', name) order by n) from (select name, row_number() over (order by c desc, name, artist_id) n from s) t where n <= 6),
  'least', (select json_agg(json_build_object('name', name) order by n) from (select name, row_number() over (order by c, artist_id) n from s) t where n <= 3))
