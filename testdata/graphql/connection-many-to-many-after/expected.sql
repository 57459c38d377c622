with numbered as (select track_id, row_number() over (order by track_id) n from playlist_track where playlist_id = 17)
select json_build_object('playlist', json_build_object('tracksConnection', json_build_object('nodes', (select json_agg(json_build_object('trackId', track_id) order by n) from numbered where n between 3 and 6),
  'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', true))))
