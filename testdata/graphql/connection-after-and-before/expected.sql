with ids(way, id) as (values ('forward', 11), ('forward', 12), ('backward', 13), ('backward', 14), ('neither', 11), ('neither', 12), ('neither', 13), ('neither', 14)),
ways as (select way, json_build_object('nodes', json_agg(json_build_object('artistId', id) order by id), 'pageInfo', json_build_object('hasNextPage', true, 'hasPreviousPage', true)) answer from ids group by way)
select json_build_object('forward', (select answer from ways where way = 'forward'), 'backward', (select answer from ways where way = 'backward'), 'neither', (select answer from ways where way = 'neither'))
