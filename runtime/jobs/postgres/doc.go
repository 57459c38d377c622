// Package postgres keeps jobs in PostgreSQL, with River (github.com/riverqueue/river), whose tables are in _system.
//
// What River leaves to others is here: bounds and rates over all servers (limits.go), the work of servers that are gone
// (rescue.go), and that a server which was taken for gone writes nothing more (pilot.go).
package postgres
