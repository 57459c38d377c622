with numbered as (select title, count(*) c, sum(milliseconds)::text m, row_number() over (order by count(*) desc, album_id desc) n from album join track using (album_id) where artist_id = 22 group by album_id, title)
select json_build_object('artist', json_build_object('albumsAggregate', json_build_object('count', (select max(n) from numbered)),
  'albums', (select json_agg(json_build_object('title', title, 'tracksAggregate', json_build_object('count', c, 'sum', json_build_object('milliseconds', m))) order by n) from numbered where n <= 4)))
