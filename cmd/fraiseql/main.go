// Command fraiseql turns a PostgreSQL database into a GraphQL API.
package main

import (
	"os"

	"github.com/fraiseql/fraiseql/commands"
)

func main() {
	os.Exit(commands.Main(os.Args[1:], commands.System()))
}
