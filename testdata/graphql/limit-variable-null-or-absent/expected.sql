select json_build_object('null', g, 'absent', g, 'default', '[{"genreId": 1}, {"genreId": 2}]'::json) from (select json_agg(json_build_object('genreId', genre_id) order by genre_id) g from genre) s
