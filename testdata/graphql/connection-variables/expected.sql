with numbered as (select track_id, row_number() over (order by milliseconds desc, track_id desc) n from track where genre_id in (select genre_id from genre where name = 'Reggae'))
select json_build_object('tracksConnection', json_build_object('totalCount', (select max(n) from numbered), 'nodes', (select json_agg(json_build_object('trackId', track_id) order by n) from numbered where n <= 37),
  'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', false)))
