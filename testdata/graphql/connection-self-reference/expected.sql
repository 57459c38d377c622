select json_build_object('employees', json_agg(json_build_object('lastName', b.last_name, 'employeesByEmployeeByReportsToConnection', json_build_object('totalCount', c,
  'nodes', json_build_array(json_build_object('lastName', newest, 'employeeByReportsTo', json_build_object('lastName', b.last_name))), 'pageInfo', json_build_object('hasNextPage', c > 1))) order by b.employee_id))
from employee b join (select reports_to, count(*) c, (array_agg(last_name order by hire_date desc, employee_id desc))[1] newest from employee group by reports_to) s on s.reports_to = b.employee_id
