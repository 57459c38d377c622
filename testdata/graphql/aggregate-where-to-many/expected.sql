with s as (select distinct track_id from invoice_line)
select json_build_object(
  'sold', (select json_build_object('count', count(*), 'sum', json_build_object('milliseconds', sum(milliseconds)::text)) from s join track using (track_id)),
  'unsold', (select json_build_object('count', count(*), 'sum', json_build_object('milliseconds', sum(milliseconds)::text)) from track where track_id in (select track_id from track except select track_id from s)))
