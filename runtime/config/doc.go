// Package config reads the one TOML file into the structs that the features declare, and tells all that
// is wrong with it at once, with places.
//
//	file ──readTree──> nodes with places ──bind──> structs ──Check──> cross-references
//	                        environment, flags ──overlay──┘
//
// A field's tags say everything: `toml` its key, `default` what it is without one, `enum`, `min` and
// `max` what it may be, `doc` a sentence for people. Durations are written 30s or 7d, sizes 10MB; any
// string may hold ${VAR}, ${VAR:-default} or ${VAR:?message}. A [Secret] is named, never written: by
// NAME_env or NAME_file. A table written once where a list is meant is a list of one.
//
// Precedence is flag, environment, file, default. viper does the overlay of flags and environment; it
// does not read the file, because it lower-cases names and knows no places.
package config
