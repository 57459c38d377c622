with numbered as (select genre_id, row_number() over (order by sum(milliseconds) desc nulls first) n from track group by genre_id)
select json_build_object('genresConnection', json_build_object('nodes', json_agg(json_build_object('name', name) order by n))) from numbered join genre using (genre_id) where n between 2 and 4
