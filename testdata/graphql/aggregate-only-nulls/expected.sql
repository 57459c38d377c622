select json_build_object('customersAggregate', json_build_object('count', count(*), 'countDistinct', json_build_object('company', 0), 'min', json_build_object('company', null), 'max', json_build_object('company', null)))
from customer where company is null
