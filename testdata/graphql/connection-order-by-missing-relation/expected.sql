with numbered as (select e.employee_id, b.last_name, row_number() over (order by b.last_name desc, e.employee_id desc) n from employee e left join employee b on b.employee_id = e.reports_to)
select json_build_object('employeesConnection', json_build_object('nodes', (select json_agg(json_build_object('employeeId', employee_id, 'employeeByReportsTo',
  case when last_name is not null then json_build_object('lastName', last_name) end) order by n) from numbered where n > 1)))
