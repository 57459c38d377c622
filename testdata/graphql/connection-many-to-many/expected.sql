with numbered as (select t.name, title, row_number() over (order by t.name, track_id) n from playlist_track join track t using (track_id) join album using (album_id) where playlist_id = 16 and milliseconds > 240000)
select json_build_object('playlist', json_build_object('tracksConnection', json_build_object('totalCount', (select count(*) from numbered),
  'nodes', (select json_agg(json_build_object('name', name, 'album', json_build_object('title', title)) order by n) from numbered where n <= 3), 'pageInfo', json_build_object('hasNextPage', (select count(*) > 3 from numbered)))))
