select json_build_object(
  'tracksConnection', json_build_object('nodes', (select json_agg(json_build_object('trackId', track_id) order by track_id desc) from (select track_id from track where unit_price = (select max(unit_price) from track) order by track_id desc limit 3) t)),
  'up', json_build_object('nodes', (select json_agg(json_build_object('trackId', track_id) order by track_id) from (select track_id from track where unit_price = 1.99 and media_type_id = 3 order by track_id limit 3) t)))
