select json_build_object('tracksConnection', json_build_object('totalCount', count(*) - count(composer))) from track
