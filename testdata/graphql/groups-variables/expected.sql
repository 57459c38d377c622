select json_build_object('tracksGroupBy', json_agg(json_build_object('count', c, 'max', json_build_object('milliseconds', m)) order by m desc, genre_id, media_type_id))
from (select genre_id, media_type_id, count(*) c, max(milliseconds) m from track group by genre_id, media_type_id) s where c > 10 and c <= 100
