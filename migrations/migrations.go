// Package migrations holds the program's own tables, in the schema _system, as numbered goose migrations.
// A file that was released is never changed: what comes later is another file.
package migrations

import "embed"

// Files are the migrations, in the root of the file system.
//
//go:embed *.sql
var Files embed.FS
