select '{"employee": {"reportsTo": null, "employeeByReportsTo": null}}'::json
