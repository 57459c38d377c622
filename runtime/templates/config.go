package templates

import "github.com/fraiseql/fraiseql/runtime/config"

// Config is the table [templates]: a folder for each message, with a file for each of its parts, such as
// welcome/subject.txt.hbs and welcome/body.html.hbs.
type Config struct {
	config.Switch
	Dir    string `toml:"dir" default:"templates" doc:"The folder that they stand in."`
	Locale string `toml:"locale" default:"en" planned:"true" doc:"Language of numbers and dates, and of folders such as welcome.fr."`
	Absent string `toml:"missing" default:"error" enum:"error,empty" doc:"What a value that is not there does."`
}

// Folder is where messages are, relative to the project.
func (c *Config) Folder() string {
	if c == nil || !c.On() || c.Dir == "" {
		return "templates"
	}
	return c.Dir
}

// Missing says what a value does that is not there.
func (c *Config) Missing() Missing {
	if c != nil && c.On() && c.Absent == "empty" {
		return Empty
	}
	return Refuse
}
