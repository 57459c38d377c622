with jazz as (select distinct album_id from track join genre using (genre_id) where genre.name = 'Jazz'),
numbered as (select album_id, row_number() over (order by album_id) n from jazz where album_id > 50)
select json_build_object('albumsConnection', json_build_object('totalCount', (select count(*) from jazz), 'nodes', (select json_agg(json_build_object('albumId', album_id) order by n) from numbered where n <= 2),
  'pageInfo', json_build_object('hasNextPage', (select max(n) > 2 from numbered), 'hasPreviousPage', exists (select from jazz where album_id <= 50))))
