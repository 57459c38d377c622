// Package deployment brings a database to the state that the program and the project expect.
//
// There are two sets of migrations, each with a version table of its own in the schema _system:
//
//	system   what fraiseql keeps, built into the program      _system.migrations
//	project  the project's folder, [migrations] dir           _system.project_migrations
//
// goose runs them. Whoever migrates holds one advisory lock of the database meanwhile, so that servers that
// start together migrate once; a process that dies gives the lock back with its connection. Looking at the
// state of a database changes nothing in it.
package deployment
