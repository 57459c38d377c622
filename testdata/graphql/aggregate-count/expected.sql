select json_build_object('tracksAggregate', json_build_object('count', 3503), 'artistsAggregate', (select json_build_object('count', sum(1)) from artist))
