package planned

import "github.com/fraiseql/fraiseql/runtime/config"

// Templates is the table [templates]: a folder for each template, with a file for each part, such as
// welcome/subject.txt.hbs and welcome/body.html.hbs.
type Templates struct {
	config.Switch
	Dir     string `toml:"dir" default:"templates" doc:"The folder that they stand in."`
	Locale  string `toml:"locale" default:"en" doc:"Language of numbers and dates, and of folders such as welcome.fr."`
	Missing string `toml:"missing" default:"error" enum:"error,empty" doc:"What a value that is not there does."`
}
