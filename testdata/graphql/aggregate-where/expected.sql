select json_build_object('tracksAggregate', json_build_object('count', count(*), 'max', json_build_object('milliseconds', max(milliseconds))))
from (select milliseconds from track where composer is null and milliseconds >= 200000 union all select milliseconds from track where composer is not null and left(name, 1) = 'A' and milliseconds >= 200000) s
