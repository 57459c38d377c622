with numbered as (select name, max(title), row_number() over (order by max(title), artist_id) n, row_number() over (order by max(title) nulls first, artist_id) z from artist left join album using (artist_id) group by artist_id, name)
select json_build_object('artistsConnection', json_build_object('nodes', (select json_agg(json_build_object('name', name) order by n) from numbered where n <= 4)),
  'nothing', json_build_object('nodes', (select json_agg(json_build_object('name', name) order by z) from numbered where z <= 4)))
