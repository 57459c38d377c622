with page as (select *, rtrim(translate(encode(convert_to('["w5crzv",' || '"' || artist_id || '"' || ']', 'UTF8'), 'base64'), E'+/\n', '-_'), '=') cursor from artist where artist_id > 272)
select json_build_object('artistsConnection', json_build_object('edges', json_agg(json_build_object('node', json_build_object('name', name), 'cursor', cursor) order by artist_id),
  'pageInfo', json_build_object('startCursor', (select cursor from page where artist_id = 273), 'endCursor', (select cursor from page where artist_id = 275)))) from page
