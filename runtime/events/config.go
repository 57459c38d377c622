package events

import (
	"time"

	"github.com/fraiseql/fraiseql/runtime/config"
)

// Config is the table [events]: how changes of rows are captured and kept.
type Config struct {
	config.Switch
	Retention         time.Duration      `toml:"retention" default:"7d" min:"1h" doc:"How long an event is kept after all have read it."`
	IdlePollMax       time.Duration      `toml:"idle_poll_max" default:"200ms" min:"20ms" max:"1m" doc:"Longest wait between two looks for events while nothing happens."`
	CaptureReplicated bool               `toml:"capture_replicated" doc:"Capture rows that logical replication applies, too."`
	Columns           map[string]Columns `toml:"columns" doc:"What of a row is not stored as it is, by entity."`
}

// Columns is the table [events.columns.ENTITY].
type Columns struct {
	Omit []string `toml:"omit" doc:"Columns that events leave out. Default: those that are called like secrets."`
	Hash []string `toml:"hash" doc:"Columns of which events hold a digest."`
}

// Check wants every column to be told one thing.
func (c *Columns) Check(r *config.Report) {
	for _, omitted := range c.Omit {
		for _, hashed := range c.Hash {
			if omitted == hashed {
				r.Error("hash", "config/contradiction", "column `"+omitted+"` is omitted and hashed", "remove it from one of the two lists")
			}
		}
	}
}

// DefaultConfig is what holds without a table [events].
func DefaultConfig() Config {
	return Config{Retention: 7 * 24 * time.Hour, IdlePollMax: 200 * time.Millisecond}
}
