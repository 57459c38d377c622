with numbered as (select *, row_number() over (order by invoice_date, invoice_id) n from invoice)
select json_build_object('invoicesConnection', json_build_object('nodes', (select json_agg(json_build_object('invoiceId', invoice_id, 'invoiceDate', to_char(invoice_date, 'YYYY-MM-DD"T"HH24:MI:SS')) order by n) from numbered where n between 2 and 4)))
