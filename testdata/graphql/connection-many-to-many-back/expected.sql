with counted as (select track_id, count(*) c, row_number() over (order by count(*) desc, track_id desc) n from playlist_track group by track_id),
pairs as (select pt.*, p.name, row_number() over (partition by track_id order by playlist_id) m from playlist_track pt join playlist p using (playlist_id))
select json_build_object('tracks', json_agg(json_build_object('name', t.name, 'playlistsConnection', json_build_object('totalCount', c, 'nodes', (
  select json_agg(json_build_object('playlistId', playlist_id, 'name', pairs.name) order by playlist_id desc) from pairs where pairs.track_id = t.track_id and m <= 2))) order by n)) from counted join track t using (track_id) where n <= 3
