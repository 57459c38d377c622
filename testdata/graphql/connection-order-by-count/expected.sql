with numbered as (select artist_id, name, count(album_id) c, row_number() over (order by count(album_id) desc, artist_id desc) n from artist left join album using (artist_id) group by artist_id, name)
select json_build_object('artistsConnection', json_build_object('nodes', (select json_agg(json_build_object('name', name, 'albumsAggregate', json_build_object('count', c)) order by n) from numbered where n between 3 and 7),
  'pageInfo', json_build_object('hasPreviousPage', true)))
