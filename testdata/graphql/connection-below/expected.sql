with numbered as (select title, row_number() over (order by title desc, album_id desc) n from album where artist_id = 90)
select json_build_object('artist', json_build_object('name', 'Iron Maiden', 'albumsConnection', json_build_object('totalCount', (select count(*) from numbered),
  'nodes', (select json_agg(json_build_object('title', title) order by n) from numbered where n < 4), 'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', false))))
