select json_build_object('a', json_agg(json_build_object('key', json_build_object('supportRepId', r), 'count', c) order by r), 'b', json_agg(json_build_object('key', json_build_object('supportRepId', r, 'id', r), 'n', c) order by r))
from (select support_rep_id r, count(*) c from customer group by support_rep_id) s
