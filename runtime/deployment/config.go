package deployment

import (
	"github.com/fraiseql/fraiseql/runtime/config"
)

// Config is the table [migrations].
type Config struct {
	config.Switch
	Dir     string        `toml:"dir" default:"migrations" doc:"The folder of the project's own migrations."`
	URL     config.Secret `toml:"url" doc:"The address for the owner of the tables, when it is not the server's own."`
	OnStart string        `toml:"on_start" default:"apply" enum:"apply,refuse,ignore" doc:"What serve does about pending migrations: run them, end with exit code 7, or serve as it is."`
}

// Check looks for the folder, when it is named.
func (c *Config) Check(r *config.Report) {
	if c.On() && r.Given("dir") && !r.File(c.Dir) {
		r.Need("dir", "config/missing-file", "the folder `"+c.Dir+"` is not there", "mkdir "+c.Dir)
	}
}
