select json_build_object('invoicesConnection', json_build_object('nodes', (select json_agg(json_build_object('invoiceId', invoice_id) order by invoice_id) from
  (select invoice_id, rank() over (order by invoice_id) r from invoice where customer_id = 2 and invoice_id > 13) i where r < 3), 'pageInfo', json_build_object('hasPreviousPage', true)))
