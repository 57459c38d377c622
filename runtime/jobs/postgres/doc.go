// Package postgres keeps jobs in PostgreSQL, with River (github.com/riverqueue/river), whose tables are in _system.
//
// What River leaves to others is here: bounds and rates over all servers, that a server which was taken for gone writes nothing
// more, times by the database's clock (pilot.go, tries.go), and the work of servers that are gone (work.go).
package postgres
