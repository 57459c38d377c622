select json_build_object('artists', json_agg(json_build_object('name', name) order by artist_id)) from artist natural join (select artist_id from album group by artist_id having count(*) > 9) s
