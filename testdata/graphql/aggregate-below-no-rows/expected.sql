select json_build_object('artists', json_agg(json_build_object('name', name, 'albumsAggregate', '{"count": 0, "countDistinct": {"title": 0}, "sum": {"albumId": null}, "avg": {"albumId": null}, "min": {"title": null}, "max": {"title": null}}'::json) order by artist_id))
from (select artist_id, name from artist where artist_id not in (select artist_id from album) order by artist_id limit 3) s
