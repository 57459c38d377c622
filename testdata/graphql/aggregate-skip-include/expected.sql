select json_build_object('tracksAggregate', json_build_object('sum', json_build_object('milliseconds', sum(milliseconds)::text))) from track
